/**
 * Fair shares among all who stand in one store: start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996).
 *
 * Time in line is virtual: it moves on as tasks are admitted, not as the clock goes. A flow is one manager (the tasks of a
 * workflow in one process). Its tasks get ranks one after another, `placeMs / weight` apart; one that comes into an empty
 * flow begins at the virtual time. So ten thousand tasks that came first reach far ahead, and five that come later stand
 * right behind those served now.
 *
 *  S1 the virtual time never goes back, and no rank is given behind it but by priority
 *  S2 every admission moves it on, however little: what a flood of higher priority passes is passed only so often
 *
 * A task takes part when the first limit it counts against has a distance between places: that is its flow, whose counter
 * carries the place of its next task. The counter of the machine's limit carries the virtual time, whether the task counts
 * there or not. The rank it was given then counts from the moment it enters the line: negative with priority, zero without.
 */
import type { Counter } from "./command.ts";
import type { Decision } from "./decision.ts";
import type { TaskRow } from "./row.ts";

/** Tasks of all processes at once. */
export const MACHINE_LIMIT = "l:machine";

/** Virtual milliseconds a task of weight 1 takes of its flow. A step of priority is worth sixty. */
export const PLACE_MS = 1_000;

/** What an admission moves the virtual time on at least: small enough for dozens of flows at once (S2). */
const STEP_MS = PLACE_MS / 64;

/** What an arrival moves it on: who comes later to the same moment stands behind, and a kept place is before both (L13). */
const ARRIVAL_MS = PLACE_MS / 2 ** 20;

/** The rank at which a row enters the line now. */
export function fairRank(decision: Decision, row: Pick<TaskRow, "kind" | "limits">, rank: number): number {
  const { ledger } = decision;
  const flow = flowOf(decision, row);
  const line = flow === undefined ? undefined : ledger.counter(MACHINE_LIMIT);
  if (line === undefined || flow === undefined) return rank;
  const virtualMs = timeOf(decision, line);
  const startMs = Math.max(virtualMs, flow.nextAtMs);
  flow.nextAtMs = startMs + flow.intervalMs;
  ledger.putCounter(flow);
  line.nextAtMs = virtualMs + ARRIVAL_MS;
  ledger.putCounter(line);
  // With priority it passes its own flow too, and still takes its share of it.
  return rank < 0 ? virtualMs + rank : startMs + rank;
}

/** It was admitted: the virtual time moves on. */
export function moveLine(decision: Decision, row: TaskRow): void {
  const line = flowOf(decision, row) === undefined ? undefined : decision.ledger.counter(MACHINE_LIMIT);
  if (line === undefined) return;
  line.nextAtMs = Math.max(timeOf(decision, line) + STEP_MS, row.rank);
  decision.ledger.putCounter(line);
}

function flowOf({ ledger }: Decision, { kind, limits }: Pick<TaskRow, "kind" | "limits">): Counter | undefined {
  const flow = kind === "task" ? ledger.counter(limits[0] ?? "") : undefined;
  return flow !== undefined && flow.intervalMs > 0 ? flow : undefined;
}

/** It begins at the clock, so that rows with ranks of their own, which count from there, are not far away. */
function timeOf({ nowMs }: Decision, { nextAtMs }: Counter): number {
  return nextAtMs > 0 ? nextAtMs : nowMs;
}
