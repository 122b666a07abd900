/** Arrivals, faults, and the people of a world: what happens to it from outside until the calm, and then the clean-up. */
import type { Job } from "./job.ts";
import { AGENT_LIMIT } from "./plan.ts";
import type { SimProcess } from "./sim-process.ts";
import type { KernelWorld } from "./world.ts";

/** Plans everything that will happen to this world before the calm. */
export function planEvents(world: KernelWorld): void {
  const { weather } = world;
  planArrivals(world);
  every(world, weather.crashEveryMs, () => crash(world));
  every(world, weather.stopEveryMs, () => stop(world));
  every(world, weather.freezeEveryMs, () => freeze(world));
  every(world, weather.turnFaultEveryMs, () => failTurn(world));
  every(world, weather.cancelEveryMs, () => cancelOne(world));
  every(world, weather.declareEveryMs, () => declareAnew(world));
  every(world, weather.rerankEveryMs, () => rerankOne(world));
  every(world, weather.overloadEveryMs, () => overload(world));
  every(world, weather.skewMs > 0 ? 2_000 : 0, () => skew(world));
  every(world, 700, () => resumeSuspended(world));
  every(world, 1_500, () => submitAgain(world));
}

/** Repeats what `happen` does, at random times with this mean, until the calm. */
function every(world: KernelWorld, meanMs: number, happen: () => void): void {
  if (meanMs === 0) return;
  world.agenda.after(world.chance.wait(meanMs), () => {
    if (world.isCalm) return;
    happen();
    every(world, meanMs, happen);
  });
}

function anyProcess(world: KernelWorld): SimProcess | undefined {
  return world.chance.oneOf(world.alive);
}

function planArrivals(world: KernelWorld): void {
  const { chance, weather, agenda } = world;
  const { profile } = weather;
  const spanMs = profile === "crowd" ? 1_500 : profile === "stream" ? weather.tasks * 25 : weather.calmAtMs * 0.7;
  for (let count = 0; count < weather.tasks; ) {
    const size = profile === "stream" ? 1 : chance.between(1, 3);
    agenda.after(profile === "stream" ? count * 25 : chance.pick(spanMs), () => {
      const process = anyProcess(world);
      for (let made = 0; made < size && process !== undefined; made++) process.desk.submit(world.planner.next());
    });
    count += size;
  }
}

function crash(world: KernelWorld): void {
  const { chance, agenda, alive } = world;
  const process = chance.oneOf(alive);
  if (process === undefined) return;
  const zombies = process.crash();
  world.ghost.books.owners.died(process.ownerId);
  world.note(process.ownerId, `CRASH, ${zombies.length} child processes live on`);
  world.zombies.set(process.ownerId, new Set(zombies));
  for (const job of zombies) {
    agenda.after(chance.between(10, 8_000), () => {
      if (world.zombies.get(process.ownerId)?.delete(job)) job.dropTouches();
    });
  }
  if (alive.length === 1 || chance.is(0.7))
    agenda.after(alive.length === 1 ? 1 : chance.between(10, 4_000), () => world.addProcess());
}

function stop(world: KernelWorld): void {
  const { chance, agenda } = world;
  const process = chance.oneOf(world.alive.filter(({ isStopped }) => !isStopped));
  if (process === undefined) return;
  const ms = chance.is(0.4) ? chance.between(50, 3_000) : chance.between(8_000, 25_000);
  world.note(process.ownerId, `STOPPED for ${ms} ms`);
  process.stop();
  agenda.after(ms, () => resume(world, process));
}

function resume(world: KernelWorld, process: SimProcess): void {
  if (!process.isStopped || process.isCrashed) return;
  world.note(process.ownerId, "goes on");
  process.resume();
}

function freeze(world: KernelWorld): void {
  const { chance, agenda } = world;
  const letGo = world.store.freeze();
  const ms = chance.is(0.8) ? chance.between(5, 600) : chance.between(600, 9_000);
  world.note("store", `FROZEN in a turn for ${ms} ms`);
  agenda.after(ms, letGo);
}

function failTurn(world: KernelWorld): void {
  const { chance, store } = world;
  const atWrite = chance.between(1, 8);
  store.failNext(
    store.kind === "memory" ? { kind: "bug", atWrite, times: chance.is(0.3) ? 2 : 1 } : { kind: "disk", atWrite },
  );
}

function liveJobs(world: KernelWorld): Job[] {
  return world.alive.flatMap((process) =>
    [...process.desk.jobs.values()].filter(({ phase, key }) => phase !== "over" && key > 0),
  );
}

function cancelOne(world: KernelWorld): void {
  const job = world.chance.oneOf(liveJobs(world));
  if (job !== undefined) anyProcess(world)?.send({ type: "cancel", key: job.key, status: "cancelled", result: null });
}

function rerankOne(world: KernelWorld): void {
  const { chance } = world;
  const job = chance.oneOf(
    liveJobs(world).filter(({ phase, ancestors }) => phase === "waiting" && ancestors.length === 0),
  );
  if (job !== undefined)
    anyProcess(world)?.send({ type: "rerank", key: job.key, rank: world.agenda.nowMs - chance.between(-500, 3_000) });
}

/** Numbers change while things are out and others wait for them. */
function declareAnew(world: KernelWorld): void {
  const { chance } = world;
  const process = chance.oneOf(world.alive);
  if (process === undefined) return;
  const [node, capacity] = chance.oneOf<readonly [string, number]>([
    ["c:build", chance.between(1, 5)],
    [AGENT_LIMIT, chance.between(1, 4)],
    [world.slotsOf(process.ownerId), chance.between(1, 3)],
  ]) ?? ["c:build", 2];
  const kind = node === "c:build" ? "capacity" : "limit";
  anyProcess(world)?.send({ type: "declare", node, kind, capacity, by: "file", authority: true });
}

function overload(world: KernelWorld): void {
  anyProcess(world)?.send({ type: "slow-down", node: "r:api", forMs: world.chance.between(20, 3_000) });
}

function skew(world: KernelWorld): void {
  const { chance, weather } = world;
  const process = anyProcess(world);
  if (process === undefined) return;
  const skewMs = chance.between(-weather.skewMs, weather.skewMs);
  if (skewMs < process.skewMs) world.sometimes.happened("time went backwards for a process");
  process.skewMs = skewMs;
}

/** Somebody resumes a workflow: what was suspended finds another owner. */
export function resumeSuspended(world: KernelWorld): void {
  for (const task of world.ghost.books.tasks.values()) {
    if (task.state !== "suspended") continue;
    const seen = world.store.find("w", task.taskId);
    if (seen?.status === "suspended") anyProcess(world)?.desk.adopt(seen);
  }
}

/** Whoever ran a command and was interrupted runs it again: its place was kept. */
function submitAgain(world: KernelWorld): void {
  const { chance } = world;
  const plans = world.processes.flatMap(({ desk: { jobs } }) =>
    [...jobs.values()].filter(({ phase, plan }) => plan.placeKey !== "" && phase === "over"),
  );
  const job = chance.oneOf(plans);
  if (job !== undefined && chance.is(0.5)) anyProcess(world)?.desk.submit(world.planner.again(job.plan));
}

/** Faults end; a person looks after what only a person can: frees what no living process will free. */
export function beginCalm(world: KernelWorld): void {
  world.isCalm = true;
  world.note("world", "CALM");
  for (const process of world.processes) {
    process.skewMs = 0;
    resume(world, process);
  }
  if (world.weather.declareEveryMs > 0) {
    anyProcess(world)?.send({
      type: "declare",
      node: "c:build",
      kind: "capacity",
      capacity: 5,
      by: "file",
      authority: true,
    });
    anyProcess(world)?.send({
      type: "declare",
      node: AGENT_LIMIT,
      kind: "limit",
      capacity: 4,
      by: "file",
      authority: true,
    });
  }
  tidyUp(world);
}

function tidyUp(world: KernelWorld): void {
  resumeSuspended(world);
  for (const task of world.ghost.books.held) {
    const isDead = world.processes.some(({ ownerId, isCrashed }) => ownerId === task.ownerId && isCrashed);
    if (task.isQuarantined && isDead && !world.ghost.touches.isTouched(task.key))
      anyProcess(world)?.send({ type: "unlock", key: task.key });
  }
  world.agenda.after(900, () => tidyUp(world));
}
