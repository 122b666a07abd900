/**
 * What can be said about a set of tasks before any of them runs: faults, collisions, how long it must take, what bounds it,
 * what it will touch, what to change. For `plan`, and for the page.
 */
import { BOUNDS } from "../core/bounds.ts";
import { normaliseClaims, RATE, type ResolvedClaim, UNITS } from "../core/claims.ts";
import type { Fault } from "../core/errors.ts";
import { suggest } from "../core/suggest.ts";
import { describeBottleneck, type Speech, savingOf } from "./bottleneck.ts";
import { type Collisions, collisionsOf } from "./collisions.ts";
import { longestChains, type TaskGraph, taskGraph } from "./graph.ts";
import { type Bound, type CapacityOf, lowerBounds } from "./lower-bound.ts";
import { type Uses, usesOf } from "./uses.ts";

export interface PlannedTask {
  readonly taskId: string;
  readonly dependsOn?: readonly string[] | undefined;
  readonly claims: readonly ResolvedClaim[];
  /** Predicted milliseconds; absent when nothing is known. */
  readonly predictedMs?: number | undefined;
}

export interface AnalyseOptions {
  /** Tasks that may run at once. */
  readonly concurrency: number;
  /** Of capacities, pools and rates, by node. */
  readonly capacities: ReadonlyMap<string, CapacityOf>;
  /** Name of a node for people; default the node without its kind. */
  readonly nameOf?: (node: string) => string;
}

export interface Footprint {
  /** Names of what is written, read, locked and used: the first 100 of each, and how many there are in all. */
  readonly writes: NamedCount;
  readonly reads: NamedCount;
  /** Units asked for by all tasks together. */
  readonly uses: readonly { readonly name: string; readonly units: number; readonly capacity: number | null }[];
}
export interface NamedCount {
  readonly count: number;
  readonly names: readonly string[];
}

export interface PlanAnalysis {
  readonly graph: TaskGraph;
  /** Unknown dependencies, tasks named twice, a cycle, sums over capacity. Nothing may start while there are any. */
  readonly faults: readonly Fault[];
  /** `predicted`: all durations are; `partly`: the others count as the median; `none`: each task counts as one length. */
  readonly durations: "predicted" | "partly" | "none";
  /** Milliseconds, or task lengths when nothing is predicted. */
  readonly workMs: number;
  readonly criticalPath: { readonly ms: number; readonly taskIds: readonly string[] };
  /** No schedule is shorter. */
  readonly lowerBoundMs: number;
  /** The largest ten, each a true lower bound. */
  readonly bounds: readonly Bound[];
  /** One sentence: what bounds the plan and what would help; null for an empty plan. */
  readonly bottleneck: string | null;
  readonly collisions: Collisions;
  readonly footprint: Footprint;
  /** At most ten sentences. */
  readonly suggestions: readonly string[];
}

const SHOWN_BOUNDS = 10;
const SHOWN_SUGGESTIONS = 10;

/** Analyses a plan. About linear in tasks and claims; the collisions of plans with dependencies add n² / 32 bit operations. */
export function analysePlan(tasks: readonly PlannedTask[], options: AnalyseOptions): PlanAnalysis {
  const graph = taskGraph(tasks);
  const byId = new Map(tasks.map((task) => [task.taskId, task]));
  const distinct = graph.taskIds.flatMap((taskId) => byId.get(taskId) ?? []);
  const claims = distinct.map((task) => normaliseClaims(task.claims));
  const { durationsMs, durations } = durationsOf(distinct);
  const chains = longestChains(graph, durationsMs);
  const uses = usesOf(claims);
  const concurrency = Math.max(1, options.concurrency);
  const timed = durations === "none" ? withoutRates(options.capacities) : options.capacities;
  const bounds = lowerBounds({ uses, chains, durationsMs, capacities: timed, concurrency });
  const nameOf = options.nameOf ?? ((node: string) => node.slice(node.indexOf(":") + 1));
  const speech: Speech = { nameOf, isTimed: durations !== "none", concurrency, capacities: options.capacities };
  const taskIds = chains.criticalPath.map((place) => graph.taskIds[place] ?? "");
  const bottleneck = tasks.length === 0 ? null : describeBottleneck(bounds, taskIds, speech);
  return {
    graph,
    faults: faultsOf(tasks, graph, { claims, capacities: options.capacities, nameOf }),
    durations,
    workMs: durationsMs.reduce((sum, ms) => sum + ms, 0),
    criticalPath: { ms: chains.criticalPathMs, taskIds },
    lowerBoundMs: bounds[0]?.ms ?? 0,
    bounds: bounds.slice(0, SHOWN_BOUNDS),
    bottleneck,
    collisions: collisionsOf(graph, uses, options.capacities),
    footprint: footprintOf(uses, { capacities: options.capacities, nameOf }),
    suggestions: suggestionsOf(uses, bounds, { ...speech, taskIds: graph.taskIds }),
  };
}

function durationsOf(tasks: readonly PlannedTask[]): {
  readonly durationsMs: readonly number[];
  readonly durations: PlanAnalysis["durations"];
} {
  const known = tasks
    .flatMap(({ predictedMs }) => (isDuration(predictedMs) ? [predictedMs] : []))
    .sort((a, b) => a - b);
  const median = known[known.length >> 1];
  const durations = median === undefined ? "none" : known.length === tasks.length ? "predicted" : "partly";
  return {
    durations,
    durationsMs: tasks.map(({ predictedMs }) => (isDuration(predictedMs) ? predictedMs : (median ?? 1))),
  };
}

function isDuration(ms: number | undefined): ms is number {
  return ms !== undefined && Number.isFinite(ms) && ms >= 0;
}

/** Task lengths and milliseconds do not add up: what only time frees says nothing about a plan without times. */
function withoutRates(capacities: ReadonlyMap<string, CapacityOf>): ReadonlyMap<string, CapacityOf> {
  return new Map([...capacities].filter(([, { intervalMs }]) => intervalMs === undefined));
}

interface Naming {
  readonly capacities: ReadonlyMap<string, CapacityOf>;
  readonly nameOf: (node: string) => string;
}

function faultsOf(
  tasks: readonly PlannedTask[],
  graph: TaskGraph,
  { claims, capacities, nameOf }: Naming & { readonly claims: readonly (readonly ResolvedClaim[])[] },
): readonly Fault[] {
  const faults: Fault[] = [];
  const seen = new Set<string>();
  for (const { taskId } of tasks) {
    if (seen.has(taskId))
      faults.push({ where: `task ${taskId}`, what: "is there twice", hint: "Give each task its own id." });
    seen.add(taskId);
  }
  for (const { taskId, dependsOn } of graph.unknown) {
    const near = suggest(dependsOn, graph.taskIds);
    const fault = { where: `task ${taskId}`, what: `depends on "${dependsOn}", which is not there` };
    faults.push(near === undefined ? fault : { ...fault, hint: `Did you mean "${near}"?` });
  }
  if (graph.cycle !== null) {
    const what = `depends on itself: ${graph.cycle.join(" → ")}`;
    faults.push({ where: `task ${graph.cycle[0]}`, what, hint: "Take one of these dependencies out." });
  }
  for (const [place, list] of claims.entries()) {
    for (const { node, mode, units } of list) {
      const capacity = mode === UNITS || mode === RATE ? capacities.get(node)?.capacity : undefined;
      if (capacity === undefined || units <= capacity) continue;
      faults.push({
        where: `task ${graph.taskIds[place]}`,
        what: `asks for ${units} of "${nameOf(node)}", which has ${capacity}`,
      });
    }
  }
  return faults.slice(0, BOUNDS.statusRows);
}

function footprintOf(uses: Uses, { capacities, nameOf }: Naming): Footprint {
  const locks = [...uses.locks.values()];
  const named = (nodes: readonly string[]) => ({
    count: nodes.length,
    names: nodes.slice(0, BOUNDS.statusRows).map(nameOf),
  });
  return {
    writes: named(locks.filter(({ writers }) => writers.length > 0).map(({ node }) => node)),
    reads: named(
      locks.filter(({ readers, readWriters }) => readers.length + readWriters.length > 0).map(({ node }) => node),
    ),
    uses: [...uses.units.values()].slice(0, BOUNDS.statusRows).map(({ node, units }) => ({
      name: nameOf(node),
      units: units.reduce((sum, count) => sum + count, 0),
      capacity: capacities.get(node)?.capacity ?? null,
    })),
  };
}

/** What a person can change: raise what bounds, narrow what is claimed whole, observe instead of read. */
function suggestionsOf(
  uses: Uses,
  bounds: readonly Bound[],
  speech: Speech & { readonly taskIds: readonly string[] },
): readonly string[] {
  const suggestions: string[] = [];
  const saving = savingOf(bounds, speech);
  if (saving !== null) suggestions.push(saving);
  const wide = [...uses.locks.values()]
    .filter(({ writers, readers, writersBelow, readersBelow }) => {
      return (
        (writers.length > 0 && writersBelow.length + readersBelow.length > 1) ||
        (readers.length > 0 && writersBelow.length > 1)
      );
    })
    .sort((a, b) => b.writersBelow.length - a.writersBelow.length);
  for (const { node, writers, readers, writersBelow, readersBelow } of wide) {
    if (suggestions.length >= SHOWN_SUGGESTIONS) break;
    const name = speech.nameOf(node);
    const writer = speech.taskIds[writers[0] ?? -1];
    if (writer !== undefined) {
      const below = writersBelow.length + readersBelow.length;
      suggestions.push(
        `${some(writers.length, writer)} claim${writers.length === 1 ? "s" : ""} all of \`${name}\`, and ${below} tasks that claim parts of it cannot run meanwhile: claim only the parts that are written.`,
      );
    } else {
      const reader = speech.taskIds[readers[0] ?? -1] ?? "";
      suggestions.push(
        `${some(readers.length, reader)} read${readers.length === 1 ? "s" : ""} all of \`${name}\`, and ${writersBelow.length} tasks cannot write there meanwhile: \`observe\` would lock nothing and report what changed.`,
      );
    }
  }
  return suggestions;
}

function some(count: number, first: string): string {
  return count === 1 ? `\`${first}\`` : `${count} tasks (\`${first}\`, …)`;
}
