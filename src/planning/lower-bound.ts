/**
 * How long a plan must take, whatever the scheduler: the largest of several bounds, each with its reason. All are true lower
 * bounds (a property test holds them against simulated schedules):
 *
 *  B1  chain     the longest chain of dependencies
 *  B2  work      all work over the concurrency
 *  B3  lock      tasks that exclude each other: all that claim a node or an ancestor exclusively, and one reader of it
 *  B4  capacity  units × duration over the capacity; tasks that want more than half, one after another
 *  B5  rate      the last unit cannot come before the bucket has refilled
 *
 * B3 to B5 add the shortest way to get there and from there to the end.
 */
import { ancestorsOf } from "../core/claims.ts";
import { bigTakers } from "./collisions.ts";
import type { Chains } from "./graph.ts";
import type { UnitUse, Uses } from "./uses.ts";

export type BoundKind = "chain" | "work" | "lock" | "capacity" | "rate";

export interface Bound {
  readonly kind: BoundKind;
  /** Node of a lock, capacity or rate; empty for chain and work. */
  readonly node: string;
  readonly ms: number;
  /** Tasks it rests on. */
  readonly tasks: number;
  /** Their durations together; units × duration for capacities. */
  readonly loadMs: number;
  /** What it would be with one unit or slot more. Of locks: without this resource, 0. */
  readonly relaxedMs: number;
}

export interface CapacityOf {
  /** Units, members, or burst. */
  readonly capacity: number;
  /** Of a rate: milliseconds between units. */
  readonly intervalMs?: number;
}

export interface BoundInput {
  readonly uses: Uses;
  readonly chains: Chains;
  readonly durationsMs: readonly number[];
  readonly capacities: ReadonlyMap<string, CapacityOf>;
  readonly concurrency: number;
}

/** Every bound, the largest first; equal ones in the order of B1 to B5. */
export function lowerBounds(input: BoundInput): readonly Bound[] {
  const { chains, durationsMs, concurrency, uses } = input;
  const workMs = durationsMs.reduce((sum, ms) => sum + ms, 0);
  const bounds: Bound[] = [
    {
      kind: "chain",
      node: "",
      ms: chains.criticalPathMs,
      tasks: chains.criticalPath.length,
      loadMs: chains.criticalPathMs,
      relaxedMs: chains.criticalPathMs,
    },
    {
      kind: "work",
      node: "",
      ms: workMs / concurrency,
      tasks: durationsMs.length,
      loadMs: workMs,
      relaxedMs: workMs / (concurrency + 1),
    },
  ];
  bounds.push(...lockBounds(input));
  for (const use of uses.units.values()) {
    const capacity = input.capacities.get(use.node);
    if (capacity === undefined || use.takers.length < 2) continue;
    const bound = use.isRate ? rateBound(use, capacity, input) : capacityBound(use, capacity, input);
    if (bound !== undefined) bounds.push(bound);
  }
  const order: readonly BoundKind[] = ["chain", "work", "lock", "capacity", "rate"];
  return bounds.sort((a, b) => b.ms - a.ms || order.indexOf(a.kind) - order.indexOf(b.kind));
}

/** A set of tasks of which no two run together: how long, and the shortest ways to it and from it. */
interface Exclusive {
  readonly tasks: number;
  readonly sumMs: number;
  readonly headMs: number;
  readonly tailMs: number;
}
const NOBODY: Exclusive = { tasks: 0, sumMs: 0, headMs: Number.POSITIVE_INFINITY, tailMs: Number.POSITIVE_INFINITY };

function spanOf(set: Exclusive): number {
  return set.tasks === 0 ? 0 : set.headMs + set.sumMs + set.tailMs;
}

function join(a: Exclusive, b: Exclusive): Exclusive {
  return {
    tasks: a.tasks + b.tasks,
    sumMs: a.sumMs + b.sumMs,
    headMs: Math.min(a.headMs, b.headMs),
    tailMs: Math.min(a.tailMs, b.tailMs),
  };
}

function alone(place: number, { chains, durationsMs }: BoundInput): Exclusive {
  return {
    tasks: 1,
    sumMs: durationsMs[place] ?? 0,
    headMs: chains.headMs[place] ?? 0,
    tailMs: chains.tailMs[place] ?? 0,
  };
}

function together(places: readonly number[], input: BoundInput): Exclusive {
  return places.reduce((set, place) => join(set, alone(place, input)), NOBODY);
}

/**
 * B3. No task is a writer of a node and of its ancestor (see uses.ts), so a chain of nodes counts each once; a reader that
 * writes somewhere below is left out, because it may be among the writers already.
 */
function lockBounds(input: BoundInput): readonly Bound[] {
  const { locks } = input.uses;
  const written = new Map<string, Exclusive>();
  const longestReader = new Map<string, number>();
  for (const use of locks.values()) {
    written.set(use.node, together(use.writers, input));
    const reader = use.readers.reduce((best, place) => (longer(place, best, input) ? place : best), -1);
    if (reader !== -1) longestReader.set(use.node, reader);
  }
  const bounds: Bound[] = [];
  for (const node of locks.keys()) {
    let writers = written.get(node) ?? NOBODY;
    let reader = longestReader.get(node) ?? -1;
    for (const ancestor of ancestorsOf(node)) {
      writers = join(writers, written.get(ancestor) ?? NOBODY);
      const other = longestReader.get(ancestor) ?? -1;
      if (other !== -1 && longer(other, reader, input)) reader = other;
    }
    if (writers.tasks === 0) continue;
    const withReader = reader === -1 ? writers : join(writers, alone(reader, input));
    const set = spanOf(withReader) > spanOf(writers) ? withReader : writers;
    if (set.tasks > 1)
      bounds.push({ kind: "lock", node, ms: spanOf(set), tasks: set.tasks, loadMs: set.sumMs, relaxedMs: 0 });
  }
  return bounds;
}

function longer(place: number, than: number, { durationsMs }: BoundInput): boolean {
  return than === -1 || (durationsMs[place] ?? 0) > (durationsMs[than] ?? 0);
}

/** B4. */
function capacityBound(use: UnitUse, { capacity }: CapacityOf, input: BoundInput): Bound {
  const all = together(use.takers, input);
  const loadMs = use.takers.reduce(
    (sum, place, index) => sum + (use.units[index] ?? 0) * (input.durationsMs[place] ?? 0),
    0,
  );
  const boundWith = (units: number) =>
    Math.max(all.headMs + loadMs / units + all.tailMs, spanOf(together(bigTakers(use, units), input)));
  return {
    kind: "capacity",
    node: use.node,
    ms: boundWith(capacity),
    tasks: use.takers.length,
    loadMs,
    relaxedMs: boundWith(capacity + 1),
  };
}

/** B5. By GCRA no more than `burst + t / interval` units are out at t. */
function rateBound(use: UnitUse, { capacity, intervalMs }: CapacityOf, input: BoundInput): Bound | undefined {
  if (intervalMs === undefined) return undefined;
  const units = use.units.reduce((sum, count) => sum + count, 0);
  const shortestMs = use.takers.reduce(
    (least, place) => Math.min(least, (input.durationsMs[place] ?? 0) + (input.chains.tailMs[place] ?? 0)),
    Number.POSITIVE_INFINITY,
  );
  const boundWith = (burst: number) => Math.max(0, units - burst) * intervalMs + shortestMs;
  return {
    kind: "rate",
    node: use.node,
    ms: boundWith(capacity),
    tasks: use.takers.length,
    loadMs: units * intervalMs,
    relaxedMs: boundWith(capacity + 1),
  };
}
