/**
 * The conflict graph, told by resource: which tasks can never run together because of what they claim. Dependencies are
 * another matter: pairs that are already ordered by them are not counted. Never looks at all pairs of a plan: counts come from
 * the sizes of five lists a node, ordered pairs are taken off with bits.
 */
import { BOUNDS } from "../core/bounds.ts";
import { Reachability, type TaskGraph } from "./graph.ts";
import type { LockUse, UnitUse, Uses } from "./uses.ts";

export interface Collision {
  readonly node: string;
  readonly kind: "lock" | "units";
  /** Tasks that claim it or something below it. */
  readonly tasks: number;
  /** Pairs of tasks that collide here. Of a capacity: those of which both want more than half. */
  readonly pairs: number;
  /** The first 20 of them, by task id. */
  readonly examples: readonly (readonly [string, string])[];
}

export interface Collisions {
  /** Most pairs first; at most 100. */
  readonly resources: readonly Collision[];
  /** Resources with at least one pair. */
  readonly count: number;
  /** False for plans of more than 10,000 tasks with dependencies: there pairs ordered by dependencies are counted too. */
  readonly leavesOutOrdered: boolean;
}

const EXAMPLES = 20;
/** Pairs looked at for the examples of one resource. */
const EXAMPLE_TESTS = 4_000;
/** Sets of up to this size are compared pair by pair, larger ones with bits. */
const SMALL = 48;

/** A list of tasks, and the lists whose tasks each of them collides with. */
interface Side {
  readonly tasks: readonly number[];
  readonly against: readonly (readonly number[])[];
}

export function collisionsOf(
  graph: TaskGraph,
  uses: Uses,
  capacities: ReadonlyMap<string, { readonly capacity: number }>,
): Collisions {
  const isSmall = graph.taskIds.length <= BOUNDS.reachabilityTasks;
  const reachability = graph.edges > 0 && isSmall ? new Reachability(graph) : null;
  const counter = new PairCounter(graph, reachability);
  const found: {
    readonly node: string;
    readonly kind: Collision["kind"];
    readonly tasks: number;
    readonly sides: readonly Side[];
    readonly pairs: number;
  }[] = [];
  const add = (
    node: string,
    kind: Collision["kind"],
    { tasks, sides }: { readonly tasks: number; readonly sides: readonly Side[] },
  ) => {
    const pairs = counter.count(sides);
    if (pairs > 0) found.push({ node, kind, tasks, sides, pairs });
  };
  for (const use of uses.locks.values()) add(use.node, "lock", { tasks: sizeOf(use), sides: lockSides(use) });
  for (const use of uses.units.values()) {
    const big = bigTakers(use, capacities.get(use.node)?.capacity);
    if (!use.isRate) add(use.node, "units", { tasks: use.takers.length, sides: [{ tasks: big, against: [big] }] });
  }
  found.sort((a, b) => b.pairs - a.pairs || (a.node < b.node ? -1 : 1));
  const resources = found
    .slice(0, BOUNDS.statusRows)
    .map(({ node, kind, tasks, pairs, sides }) => ({ node, kind, tasks, pairs, examples: counter.examples(sides) }));
  return { resources, count: found.length, leavesOutOrdered: graph.edges === 0 || isSmall };
}

function sizeOf(use: LockUse): number {
  const { writers, readers, readWriters, writersBelow, readersBelow } = use;
  return writers.length + readers.length + readWriters.length + writersBelow.length + readersBelow.length;
}

/** Who collides with whom at this very node; what lies below collides among itself at its own nodes. */
function lockSides({ writers, readers, readWriters, writersBelow, readersBelow }: LockUse): readonly Side[] {
  return [
    { tasks: writers, against: [writers, readers, readWriters, writersBelow, readersBelow] },
    { tasks: readWriters, against: [writers, readWriters, readers, writersBelow] },
    { tasks: readers, against: [writers, readWriters, writersBelow] },
    { tasks: writersBelow, against: [writers, readWriters, readers] },
    { tasks: readersBelow, against: [writers] },
  ];
}

/** Those that want more than half: no two of them fit together. */
export function bigTakers(use: UnitUse, capacity: number | undefined): readonly number[] {
  if (capacity === undefined) return [];
  return use.takers.filter((_, index) => (use.units[index] ?? 0) * 2 > capacity);
}

class PairCounter {
  readonly #graph: TaskGraph;
  readonly #reachability: Reachability | null;

  constructor(graph: TaskGraph, reachability: Reachability | null) {
    this.#graph = graph;
    this.#reachability = reachability;
  }

  /** Distinct pairs, without those ordered by dependencies. Sides are symmetric: each pair is met from both ends. */
  count(sides: readonly Side[]): number {
    let met = 0;
    for (const { tasks, against } of sides) {
      for (const others of against) met += tasks.length * (others === tasks ? tasks.length - 1 : others.length);
    }
    const pairs = met / 2;
    return pairs === 0 || this.#reachability === null ? pairs : pairs - this.#ordered(sides, this.#reachability);
  }

  /** An ordered pair is met once, from its earlier task. */
  #ordered(sides: readonly Side[], reachability: Reachability): number {
    let ordered = 0;
    for (const { tasks, against } of sides) {
      if (tasks.length === 0) continue;
      const size = against.reduce((sum, others) => sum + others.length, 0);
      const set = size > SMALL ? this.#bitsOf(against, reachability.words) : null;
      for (const task of tasks) {
        if ((this.#graph.after[task]?.length ?? 0) === 0) continue;
        if (set !== null) ordered += reachability.countBehind(task, set);
        else for (const others of against) for (const other of others) if (reachability.reaches(task, other)) ordered++;
      }
    }
    return ordered;
  }

  #bitsOf(lists: readonly (readonly number[])[], words: number): Uint32Array {
    const set = new Uint32Array(words);
    for (const list of lists)
      for (const place of list) set[place >>> 5] = (set[place >>> 5] ?? 0) | (1 << (place & 31));
    return set;
  }

  examples(sides: readonly Side[]): readonly (readonly [string, string])[] {
    const examples: [string, string][] = [];
    let tests = 0;
    for (const [a, b] of pairsOf(sides)) {
      if (++tests > EXAMPLE_TESTS || examples.length === EXAMPLES) break;
      if (this.#isOrdered(a, b)) continue;
      examples.push([this.#graph.taskIds[a] ?? "", this.#graph.taskIds[b] ?? ""]);
    }
    return examples;
  }

  #isOrdered(a: number, b: number): boolean {
    if (this.#reachability === null) {
      return (this.#graph.after[a]?.includes(b) ?? false) || (this.#graph.after[b]?.includes(a) ?? false);
    }
    return this.#reachability.reaches(a, b) || this.#reachability.reaches(b, a);
  }
}

/** Each pair once: a list that had its turn is not met again from the other end. */
function* pairsOf(sides: readonly Side[]): Generator<readonly [number, number]> {
  const done = new Set<readonly number[]>();
  for (const { tasks, against } of sides) {
    for (const others of against) {
      if (done.has(others)) continue;
      for (const [index, task] of tasks.entries()) {
        for (let at = others === tasks ? index + 1 : 0; at < others.length; at++) yield [task, others[at] ?? 0];
      }
    }
    done.add(tasks);
  }
}
