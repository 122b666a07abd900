/** The largest lower bound in words. Savings are those of the bound: what is promised is "at most". */
import type { Bound, CapacityOf } from "./lower-bound.ts";

export interface Speech {
  readonly nameOf: (node: string) => string;
  /** Whether durations are milliseconds; else they are task lengths. */
  readonly isTimed: boolean;
  readonly concurrency: number;
  readonly capacities: ReadonlyMap<string, CapacityOf>;
}

/** Tasks of a chain that are named. */
const SHOWN_TASKS = 5;

/** One sentence about what bounds a plan. `bounds` are sorted, the largest first, and hold at least one. */
export function describeBottleneck(bounds: readonly Bound[], criticalPath: readonly string[], speech: Speech): string {
  const [bound] = bounds;
  if (bound === undefined) return "Nothing bounds the plan.";
  const span = spanText(bound.ms, speech);
  if (bound.kind === "chain") {
    const tasks =
      criticalPath.length > SHOWN_TASKS
        ? [...criticalPath.slice(0, SHOWN_TASKS - 1), "…", ...criticalPath.slice(-1)]
        : criticalPath;
    const chain =
      criticalPath.length === 1
        ? `\`${criticalPath[0]}\` alone takes ${span}`
        : `The longest chain, ${tasks.join(" → ")}, takes ${span}`;
    return `${chain}; only shorter tasks or fewer dependencies help.`;
  }
  const saving = savingOf(bounds, speech);
  return (
    saving ??
    `${statement(bound, speech)}; changing that alone saves nothing, because ${rival(bounds, speech)} takes as long.`
  );
}

/** What one unit or slot more, or a narrower claim, would save at most; null when nothing. */
export function savingOf(bounds: readonly Bound[], speech: Speech): string | null {
  const [bound, next] = bounds;
  if (bound === undefined || bound.kind === "chain") return null;
  const savedMs = bound.ms - Math.max(next?.ms ?? 0, bound.relaxedMs);
  if (!(savedMs > bound.ms * 0.01)) return null;
  return `${statement(bound, speech)}; ${remedy(bound, speech)} would save up to ${spanText(savedMs, speech)}.`;
}

function statement(bound: Bound, speech: Speech): string {
  const name = `\`${speech.nameOf(bound.node)}\``;
  const capacity = speech.capacities.get(bound.node)?.capacity ?? 0;
  const load = spanText(bound.loadMs, speech);
  switch (bound.kind) {
    case "chain":
      return `The longest chain takes ${load}`;
    case "work":
      return `${bound.tasks} tasks on ${speech.concurrency} ${speech.concurrency === 1 ? "slot" : "slots"} are ${load} of work`;
    case "lock":
      return `${name} is wanted by ${bound.tasks} tasks that exclude each other, for ${load} in all`;
    case "capacity":
      return `${name} (${capacity} ${capacity === 1 ? "unit" : "units"}) is wanted by ${bound.tasks} tasks for ${load} in all`;
    case "rate":
      return `${name} (${capacity} at once) is taken by ${bound.tasks} tasks and takes ${load} to refill`;
  }
}

function remedy(bound: Bound, speech: Speech): string {
  const capacity = speech.capacities.get(bound.node)?.capacity ?? 0;
  switch (bound.kind) {
    case "chain":
      return "shorter tasks";
    case "work":
      return `raising concurrency to ${speech.concurrency + 1}`;
    case "lock":
      return "claiming narrower parts of it";
    case "capacity":
      return `raising it to ${capacity + 1}`;
    case "rate":
      return `a burst of ${capacity + 1}`;
  }
}

function rival(bounds: readonly Bound[], speech: Speech): string {
  const next = bounds[1];
  if (next === undefined || next.kind === "chain") return "the longest chain";
  return next.kind === "work" ? "the work as a whole" : `\`${speech.nameOf(next.node)}\``;
}

/** `24 min`, or `12 task lengths` where nothing is predicted. */
function spanText(ms: number, { isTimed }: Speech): string {
  if (!isTimed) {
    const lengths = Math.round(ms * 10) / 10;
    return `${lengths.toLocaleString("en-US")} task ${lengths === 1 ? "length" : "lengths"}`;
  }
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 90_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 5_400_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
