/** One seed of the kernel simulation, from the first process to the last settlement. */
import type { SeedReport } from "../levels.ts";
import type { SimStore } from "../sim-store.ts";
import { Sometimes } from "../sometimes.ts";
import { KERNEL_EVENTS, type KernelEvent } from "./catalogue.ts";
import { beginCalm, planEvents } from "./events.ts";
import { KernelWorld } from "./world.ts";

/** After the calm everything has drained within this, whatever happened before. */
const DRAIN_MS = 180_000;
const LOOK_EVERY_MS = 1_000;

export function newKernelCatalogue(): Sometimes<KernelEvent> {
  return new Sometimes(KERNEL_EVENTS);
}

export function runKernelSeed(seed: number, store: SimStore, sometimes: Sometimes<KernelEvent>): SeedReport {
  const world = new KernelWorld(seed, store, sometimes);
  const { agenda, verdict, ghost, trace } = world;
  const isBroken = (): boolean => verdict.isBroken || store.faults.length > 0;
  world.open();
  planEvents(world);
  if (agenda.runUntil(agenda.nowMs + world.weather.calmAtMs, isBroken)) {
    beginCalm(world);
    drain(world, isBroken);
  }
  for (const fault of store.faults) verdict.fail("rollback", fault);
  if (!verdict.isBroken) ghost.judgeEnd();
  if (!verdict.isBroken && store.liveCount() > 0)
    verdict.fail("liveness", `${store.liveCount()} rows are left in the store`);
  if (store.inside.carries > 0) sometimes.happened("carry left by a turn");
  if (store.inside.bugs > 0) sometimes.happened("turn undone by a broken invariant");
  return { seed, violations: verdict.violations, trace };
}

function drain(world: KernelWorld, isBroken: () => boolean): void {
  const { agenda, ghost } = world;
  const untilMs = agenda.nowMs + DRAIN_MS;
  while (agenda.nowMs < untilMs && !isBroken()) {
    agenda.runUntil(agenda.nowMs + LOOK_EVERY_MS, isBroken);
    if (ghost.isDrained) return;
  }
}
