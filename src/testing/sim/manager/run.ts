/** One seed of the manager simulation, from the first call to the last closed layer. */
import type { SeedReport } from "../levels.ts";
import { Sometimes } from "../sometimes.ts";
import { MANAGER_EVENTS, type ManagerEvent } from "./catalogue.ts";
import { beginCalm, planPeople } from "./people.ts";
import { HONEST, ManagerWorld, type Meddling } from "./world.ts";

/** After the calm every call has its result within this. */
const DRAIN_MS = 600_000;
const STEP_MS = 1_000;

export function newManagerCatalogue(): Sometimes<ManagerEvent> {
  return new Sometimes(MANAGER_EVENTS);
}

export async function runManagerSeed(
  seed: number,
  sometimes: Sometimes<ManagerEvent>,
  meddle: Meddling = HONEST,
): Promise<SeedReport> {
  const world = new ManagerWorld(seed, sometimes, meddle);
  const { clock, verdict, books } = world;
  planPeople(world);
  const calmAtMs = clock.nowMs() + world.weather.calmAtMs;
  while (clock.nowMs() < calmAtMs && !verdict.isBroken)
    await clock.advance(Math.min(STEP_MS, calmAtMs - clock.nowMs()));
  if (!verdict.isBroken) beginCalm(world);
  const untilMs = clock.nowMs() + DRAIN_MS;
  while (clock.nowMs() < untilMs && !verdict.isBroken && !(books.owed().length === 0 && books.touches.size === 0))
    await clock.advance(STEP_MS);
  if (!verdict.isBroken) books.judgeEnd();
  if (!verdict.isBroken) await closeAll(world);
  world.isOver = true;
  if (world.ledger.inside.bugs > 0) sometimes.happened("turn undone by a broken invariant");
  return { seed, violations: verdict.violations, trace: world.trace };
}

/** Every layer closes, and nothing of it is left: no row, no owner, no timer. */
async function closeAll(world: ManagerWorld): Promise<void> {
  const { clock, verdict } = world;
  const closing = new Set(world.alive.map(({ seat }) => seat.ownerId));
  let open = world.alive.length;
  for (const process of world.alive) {
    process.isClosed = true;
    process.layer.close().then(
      () => open--,
      (error: unknown) => verdict.fail("liveness", `${process.name} did not close: ${String(error)}`),
    );
  }
  for (let waited = 0; open > 0 && waited < 30 && !verdict.isBroken; waited++) await clock.advance(STEP_MS);
  if (open > 0) verdict.fail("liveness", `${open} layers did not close`);
  if (verdict.isBroken) return;
  const living = new Set(world.processes.filter(({ clock: own }) => !own.isDead).map(({ seat }) => seat.ownerId));
  world.store.view((view) => {
    // What a layer that was closed earlier could not stop may stand until its process ends.
    for (const row of view.tasks({ limit: 10_000 }))
      if (living.has(row.ownerId) && !(row.quarantined && !closing.has(row.ownerId)))
        verdict.fail("liveness", `${row.taskId} is still ${row.status} in the store`);
    for (const owner of view.owners())
      if (closing.has(owner.ownerId)) verdict.fail("liveness", `${owner.label} left and is still an owner`);
  });
  for (const { name, clock: own } of world.processes)
    if (!own.isDead && own.pendingTimers > 0)
      verdict.fail("liveness", `${name} is closed and has ${own.pendingTimers} timers`);
}
