/**
 * The built-in schedulers. A rank is a time in milliseconds; lower runs earlier. Because every rank starts from the moment at
 * which the task became eligible, waiting ages: a favour of so many milliseconds is used up after as long a wait, and nobody
 * starves whatever arrives later.
 *
 *   fifo            now
 *   priority        now − 60,000 × priority
 *   critical-path   now − 60,000 × priority − min(criticalPathMs, 3,600,000)
 */
import { LockyardError } from "../core/errors.ts";
import type { Scheduler } from "../core/ports.ts";
import { suggest } from "../core/suggest.ts";

/** Milliseconds of waiting that one step of priority is worth. */
export const PRIORITY_STEP_MS = 60_000;
/** Beyond an hour a longer chain gains nothing more, so that no prediction, however wrong, can hold others up for longer. */
export const CRITICAL_PATH_CAP_MS = 3_600_000;
/** Keeps ranks far from the places that nested requests stand at. */
const PRIORITY_LIMIT = 1_000_000;

/** First eligible, first tried. */
export const fifoScheduler: Scheduler = { name: "fifo", countsFromNow: true, rank: (_task, facts) => facts.nowMs };

/** Each step of priority counts as a minute of waiting; without priorities the same as `fifo`. */
export const priorityScheduler: Scheduler = {
  name: "priority",
  countsFromNow: true,
  rank: (task, facts) => facts.nowMs - favourMs(task.priority),
};

/**
 * Prefers what heads the longest chain of predicted work (upward rank: Topcuoglu, Hariri, Wu, IEEE TPDS 2002), on top of
 * priorities. How long a task counts of which nothing is predicted is decided where the facts are made.
 */
export const criticalPathScheduler: Scheduler = {
  name: "critical-path",
  countsFromNow: true,
  rank: (task, facts) => facts.nowMs - favourMs(task.priority) - atMost(facts.criticalPathMs, CRITICAL_PATH_CAP_MS),
};

export const SCHEDULERS: Readonly<Record<string, Scheduler>> = {
  fifo: fifoScheduler,
  priority: priorityScheduler,
  "critical-path": criticalPathScheduler,
};

/** A built-in scheduler by name. Throws INVALID_OPTION with a suggestion. */
export function schedulerNamed(name: string): Scheduler {
  const scheduler = Object.hasOwn(SCHEDULERS, name) ? SCHEDULERS[name] : undefined;
  if (scheduler !== undefined) return scheduler;
  const near = suggest(name, Object.keys(SCHEDULERS));
  throw new LockyardError("INVALID_OPTION", `There is no scheduler named "${name}".`, {
    hint: near ? `Did you mean "${near}"?` : `There are ${Object.keys(SCHEDULERS).join(", ")}.`,
  });
}

function favourMs(priority: number | undefined): number {
  if (priority === undefined || Number.isNaN(priority)) return 0;
  return PRIORITY_STEP_MS * Math.max(-PRIORITY_LIMIT, Math.min(priority, PRIORITY_LIMIT));
}

function atMost(ms: number, limitMs: number): number {
  return ms > 0 ? Math.min(ms, limitMs) : 0;
}
