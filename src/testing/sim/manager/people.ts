/** Who uses the managers of a world, and what goes wrong in it until the calm. */
import { LockyardError } from "../../../core/errors.ts";
import type { AgentResult } from "../../../core/task.ts";
import type { PlannedCall } from "./calls.ts";
import type { ManagerProcess } from "./manager-process.ts";
import type { ManagerWorld } from "./world.ts";

const MOST_SLOTS = 6;

export function planPeople(world: ManagerWorld): void {
  const { chance, weather, clock } = world;
  for (let handed = 0; handed < weather.calls; ) {
    const size = chance.between(1, 5);
    clock.setTimer(chance.pick(weather.calmAtMs * 0.7), () => handOver(world, size));
    handed += size;
  }
  every(world, weather.crashEveryMs, () => crash(world));
  every(world, weather.stopEveryMs, () => stop(world));
  every(world, weather.turnFaultEveryMs, () => {
    world.ledger.fault = { kind: "bug", atWrite: chance.between(1, 8), times: 1 };
  });
  every(world, weather.cancelEveryMs, () => cancelSome(world));
  every(world, weather.configureEveryMs, () => configure(world));
  every(world, weather.closeEveryMs, () => void closeOne(world));
  every(world, 2_500, () => lookAround(world));
}

function every(world: ManagerWorld, meanMs: number, happen: () => void): void {
  if (meanMs === 0) return;
  world.clock.setTimer(world.chance.wait(meanMs), () => {
    if (world.isCalm) return;
    happen();
    every(world, meanMs, happen);
  });
}

function handOver(world: ManagerWorld, size: number): void {
  const process = world.chance.oneOf(world.awake);
  if (process === undefined) return;
  const planned = world.planner.list(size);
  if (world.chance.is(0.05)) void refuseWrong(world, process, planned);
  for (const one of planned) world.books.handedOver(process.name, one.call.taskId ?? "", one);
  process.note(
    `is handed ${planned.map(({ call }) => `${call.taskId}[${(call.claims ?? []).map((claim) => Object.values(claim).join(" ")).join(", ")}]`).join(" ")}`,
  );
  void (world.chance.is(0.15) ? readAsTheyFinish(world, process, planned) : waitForAll(world, process, planned));
}

/** A call that is wrong is refused with everything it came with. */
async function refuseWrong(
  { verdict, sometimes }: ManagerWorld,
  { layer }: ManagerProcess,
  planned: readonly PlannedCall[],
): Promise<void> {
  const wrong = { agentId: "nobody", taskType: "work", description: "wrong" };
  try {
    await layer.executeMultipleTaskCalls([
      ...planned.map(({ call }) => ({ ...call, taskId: `${call.taskId}-wrong` })),
      wrong,
    ]);
    verdict.fail("once", "a call to an agent that does not exist was accepted");
  } catch (error) {
    if (error instanceof LockyardError && error.faults.length > 0)
      sometimes.happened("wrong call refused with nothing started");
    else verdict.fail("once", `a wrong call was refused with ${String(error)}`);
  }
}

async function waitForAll(
  world: ManagerWorld,
  process: ManagerProcess,
  planned: readonly PlannedCall[],
): Promise<void> {
  const { chance } = world;
  const controller = chance.is(0.1) ? new AbortController() : null;
  if (controller !== null)
    world.clock.setTimer(chance.between(10, 4_000), () => process.clock.whenAwake(() => controller.abort()));
  const deadlineMs = chance.is(0.1) ? chance.between(100, 6_000) : undefined;
  try {
    const results: readonly AgentResult[] = await process.layer.executeMultipleTaskCalls(
      planned.map(({ call }) => call),
      {
        ...(controller === null ? {} : { signal: controller.signal }),
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      },
    );
    if (results.length !== planned.length)
      world.verdict.fail("lost", `${planned.length} calls have ${results.length} results`);
    for (const [index, { call }] of planned.entries()) {
      const result = results[index];
      if (result !== undefined) heard(world, process, call.taskId ?? "", result);
      if (result?.status === "cancelled" && controller?.signal.aborted)
        world.sometimes.happened("cancelled by its signal");
    }
  } catch (error) {
    if (!process.clock.isDead) world.verdict.fail("lost", `results were refused: ${String(error)}`);
  }
}

async function readAsTheyFinish(
  world: ManagerWorld,
  process: ManagerProcess,
  planned: readonly PlannedCall[],
): Promise<void> {
  const taken = new Set<string>();
  try {
    for await (const result of process.layer.results(planned.map(({ call }) => call))) {
      const of: AgentResult = result;
      const left = planned.filter(({ call }) => !taken.has(call.taskId ?? ""));
      const key = world.planner.planOf(of.taskId)?.call.idempotencyKey;
      const joined = left.find(({ call }) => key !== undefined && call.idempotencyKey === key);
      const mine = left.find(({ call }) => call.taskId === of.taskId) ?? joined;
      taken.add(mine?.call.taskId ?? "");
      heard(world, process, mine?.call.taskId ?? of.taskId, of);
    }
    world.sometimes.happened("results read as they finish");
  } catch (error) {
    if (!process.clock.isDead) world.verdict.fail("lost", `results were refused: ${String(error)}`);
  }
}

function heard(world: ManagerWorld, process: ManagerProcess, taskId: string, result: AgentResult): void {
  process.note(
    `has ${taskId}: ${result.status}${result.error === undefined ? "" : ` ${result.error.code}`}, ${result.attempts} attempts`,
  );
  world.books.result(taskId, result);
  observeResult(world, taskId, result);
}

function observeResult({ sometimes, books, planner }: ManagerWorld, taskId: string, result: AgentResult): void {
  const planned = planner.planOf(taskId);
  if (runsLive(books, taskId)) sometimes.happened("stubborn agent quarantined and its result delivered without it");
  if (planned?.call.when === "failure" && result.attempts > 0) sometimes.happened("dependent run because of a failure");
  if (result.taskId !== taskId) sometimes.happened("joined by its idempotency key");
  const runs = books.runsOf(taskId);
  if (result.status === "succeeded") {
    sometimes.happened("task succeeded");
    if (runs.some(({ ended }) => ended === "threw")) sometimes.happened("failed attempt retried, then succeeded");
    if (runs.some(({ ended }) => ended === "overloaded"))
      sometimes.happened("overload waited for and no attempt spent");
    return;
  }
  if (result.status === "skipped") sometimes.happened("dependent skipped");
  if (result.status === "cancelled" && result.attempts === 0) sometimes.happened("cancelled while it waited");
  switch (result.error.code) {
    case "AGENT_FAILED":
      return sometimes.happened("task failed and its result says so");
    case "RUN_TIMEOUT":
      return sometimes.happened("run time-out reached");
    case "IDLE_TIMEOUT":
      return sometimes.happened("idle time-out reached");
    case "QUEUE_TIMEOUT":
      return sometimes.happened("queue time-out reached");
    case "INPUT_TIMEOUT":
      return sometimes.happened("input time-out reached");
    case "DEADLINE":
      return sometimes.happened("deadline of a call reached");
    case "OWNER_GONE":
      return sometimes.happened("task ended with its owner");
    default:
      return;
  }
}

function runsLive(books: ManagerWorld["books"], taskId: string): boolean {
  return books.runsOf(taskId).some(({ isOver }) => !isOver);
}

/** Somebody closes a layer in the middle of everything: what is left is cancelled, and says so. */
async function closeOne(world: ManagerWorld): Promise<void> {
  const { chance, books } = world;
  const process = chance.oneOf(world.awake);
  if (process === undefined) return;
  const isBusy = books.liveRuns(process.name) > 0;
  process.isClosed = true;
  process.note("is closed");
  world.addProcess();
  await process.layer.close();
  process.note("has closed");
  if (isBusy) world.sometimes.happened("closed with tasks left");
}

function crash(world: ManagerWorld): void {
  const { chance, books } = world;
  const process = chance.oneOf(world.alive);
  if (process === undefined) return;
  if (books.liveRuns(process.name) > 0) world.sometimes.happened("manager crashed with running agents");
  process.note("CRASH");
  process.clock.die();
  books.crashed(process.name);
  if (world.alive.length === 0 || chance.is(0.6)) world.addProcess();
}

function stop(world: ManagerWorld): void {
  const { chance } = world;
  const process = chance.oneOf(world.awake);
  if (process === undefined) return;
  const ms = chance.is(0.5) ? chance.between(50, 3_000) : chance.between(9_000, 20_000);
  process.note(`STOPPED for ${ms} ms`);
  process.clock.stop();
  world.clock.setTimer(ms, () => goOn(world, process));
}

function goOn(world: ManagerWorld, process: ManagerProcess): void {
  if (process.clock.isAwake || process.clock.isDead) return;
  process.note("goes on");
  world.sometimes.happened("manager stopped and went on");
  process.clock.resume();
}

function cancelSome(world: ManagerWorld): void {
  const { chance, books } = world;
  const process = chance.oneOf(world.awake);
  const owed = books.owed();
  const taskIds = Array.from({ length: chance.between(1, 2) }, () => chance.oneOf(owed) ?? "none");
  if (process !== undefined) void cancel(world, process, taskIds);
}

async function cancel(world: ManagerWorld, process: ManagerProcess, taskIds: readonly string[]): Promise<void> {
  process.note(`is asked to cancel ${taskIds.join(" ")}`);
  const count = await process.layer.cancelTasks({ taskIds });
  process.note(`says it cancelled ${count} of ${taskIds.join(" ")}`);
  world.books.saidCancelled(taskIds, count);
  if (count > 0) world.sometimes.happened("cancelled by task id");
}

function configure(world: ManagerWorld): void {
  const { chance } = world;
  const process = chance.oneOf(world.awake);
  if (process === undefined) return;
  const slots = chance.between(1, MOST_SLOTS);
  if (slots < world.books.liveRuns(process.name)) world.sometimes.happened("limit lowered while more ran");
  if (slots > process.slots) world.sometimes.happened("limit raised");
  process.slots = slots;
  process.note(`may run ${slots}`);
  world.books.limitSet(process.name, slots);
  process.layer.configure({ maxConcurrentTasks: slots });
  if (chance.is(0.3)) pauseForAWhile(world, process);
}

/** What runs goes on, nothing is started, and nothing is lost. */
function pauseForAWhile(world: ManagerWorld, process: ManagerProcess): void {
  process.note("is paused");
  process.layer.parallelTaskManager.pause();
  world.clock.setTimer(world.chance.between(100, 3_000), () =>
    process.clock.whenAwake(() => {
      world.sometimes.happened("workflow paused and resumed");
      process.layer.parallelTaskManager.resume();
    }),
  );
}

/** Somebody looks at the page: it must always be there, and say nothing that is not so. */
function lookAround(world: ManagerWorld): void {
  for (const { layer, name } of world.awake) {
    const status = layer.getParallelExecutionStatus();
    const running = Object.keys(status.runningInstances).length;
    if (running > world.books.liveRuns(name) + STARTING)
      world.verdict.fail("status", `${name} shows ${running} running and ${world.books.liveRuns(name)} are`);
    layer.getTaskExecutionMetrics();
  }
}

/** Instances between the grant and the first word of their agent. */
const STARTING = 0;

/** Faults end. What hangs is cancelled, what is paused goes on, what only a person can free is freed. */
export function beginCalm(world: ManagerWorld): void {
  world.isCalm = true;
  world.note("world", "CALM");
  for (const process of world.processes) goOn(world, process);
  for (const process of world.alive) {
    process.layer.parallelTaskManager.resume();
    if (
      world.weather.budgetTasks > 0 &&
      process.layer.getParallelExecutionStatus().concurrency.reason.includes("budget")
    )
      world.sometimes.happened("budget paused and raised");
    if (world.weather.budgetTasks > 0) process.layer.configure({ limits: { tasks: 1_000_000 } });
  }
  // A number that was lowered may have closed a circle of tasks that gave their slots back: greater, it is open again.
  if (world.weather.configureEveryMs > 0) for (const { layer, name } of world.alive) raise(world, layer, name);
  tidyUp(world);
}

function raise(world: ManagerWorld, layer: ManagerProcess["layer"], name: string): void {
  world.books.limitSet(name, MOST_SLOTS);
  layer.configure({ maxConcurrentTasks: MOST_SLOTS });
}

function tidyUp(world: ManagerWorld): void {
  for (const taskId of world.books.owed()) {
    const run = world.books.runsOf(taskId).at(-1);
    const hangs = world.planner.planOf(taskId.split(".")[0] ?? "")?.acts.some((act) => act.do === "hang");
    const process = world.alive.find(({ name }) => name === run?.manager);
    if (hangs && process !== undefined && run?.isOver === false) void cancel(world, process, [taskId]);
  }
  world.clock.setTimer(3_000, () => {
    if (!world.isOver) tidyUp(world);
  });
  freeTheDead(world);
}

/** Nobody proves the death of a process that cannot be seen: a person frees what it held. */
function freeTheDead(world: ManagerWorld): void {
  const dead = new Set(world.processes.filter(({ clock }) => clock.isDead).map(({ seat }) => seat.ownerId));
  const [process] = world.alive;
  const quarantined = world.store
    .view((view) => view.tasks({ limit: 10_000 }))
    .filter((row) => row.quarantined && dead.has(row.ownerId));
  if (process === undefined || quarantined.length === 0) return;
  void Promise.resolve(process.sideSeat.turn(quarantined.map(({ key }) => ({ type: "unlock", key })))).catch(
    () => undefined,
  );
}
