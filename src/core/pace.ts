/** How often a rate gives a unit: as it was declared, or less often after its provider was overloaded (put-back.ts). */
import { EDGE } from "./bounds.ts";
import type { Counter } from "./command.ts";

/** Milliseconds between units, as things are. */
export function paceMs({ intervalMs, overload }: Counter): number {
  return overload === null ? intervalMs : intervalMs * 2 ** overload.strain;
}

/** Recovers step by step; true when it did. Called when units are taken, before the pace is asked. */
export function recover(counter: Counter, nowMs: number): boolean {
  const { overload } = counter;
  if (overload === null) return false;
  const quietMs = nowMs - Math.max(overload.sinceMs, overload.untilMs);
  const steps = Math.floor(quietMs / EDGE.recoveryMs);
  if (steps <= 0) return false;
  const strain = overload.strain - steps;
  setOverload(counter, strain <= 0 ? null : { ...overload, strain, sinceMs: nowMs }, nowMs);
  return true;
}

/** Sets the pace. What is owed stays as many units as before: else a slower rate would seem to owe less. */
export function setOverload(counter: Counter, overload: Counter["overload"], nowMs: number): void {
  const before = paceMs(counter);
  counter.overload = overload;
  const owedMs = counter.nextAtMs - nowMs;
  if (owedMs > 0 && before > 0) counter.nextAtMs = nowMs + owedMs * (paceMs(counter) / before);
}
