/** Dependencies of a set of tasks as numbers: order, levels, cycles, longest chains. All linear in tasks and edges. */

export interface GraphTask {
  readonly taskId: string;
  readonly dependsOn?: readonly string[] | undefined;
}

export interface TaskGraph {
  readonly taskIds: readonly string[];
  /** By position in `taskIds`. */
  readonly before: readonly (readonly number[])[];
  readonly after: readonly (readonly number[])[];
  /** Dependencies first; tasks on or behind a cycle are missing. */
  readonly order: readonly number[];
  /** Longest chain of dependencies before each task, counted in tasks. Two tasks of one level never depend on each other. */
  readonly levels: readonly number[];
  readonly edges: number;
  /** One cycle, each task depending on the next, the first again at the end; null when there is none. */
  readonly cycle: readonly string[] | null;
  /** Dependencies on tasks that are not there. */
  readonly unknown: readonly { readonly taskId: string; readonly dependsOn: string }[];
}

/** Builds the graph. A task named twice keeps its first place; its dependencies add up. */
export function taskGraph(tasks: readonly GraphTask[]): TaskGraph {
  const places = new Map<string, number>();
  for (const task of tasks) if (!places.has(task.taskId)) places.set(task.taskId, places.size);
  const taskIds = [...places.keys()];
  const before: number[][] = taskIds.map(() => []);
  const after: number[][] = taskIds.map(() => []);
  const unknown: { taskId: string; dependsOn: string }[] = [];
  let edges = 0;
  for (const task of tasks) {
    const place = places.get(task.taskId) ?? 0;
    for (const dependency of new Set(task.dependsOn)) {
      const earlier = places.get(dependency);
      if (earlier === undefined) unknown.push({ taskId: task.taskId, dependsOn: dependency });
      else {
        before[place]?.push(earlier);
        after[earlier]?.push(place);
        edges++;
      }
    }
  }
  const { order, levels } = sortByDependency(before, after);
  const cycle = order.length === taskIds.length ? null : findCycle(taskIds, before, order);
  return { taskIds, before, after, order, levels, edges, cycle, unknown };
}

function sortByDependency(
  before: readonly (readonly number[])[],
  after: readonly (readonly number[])[],
): { readonly order: readonly number[]; readonly levels: readonly number[] } {
  const missing = before.map((list) => list.length);
  const levels = before.map(() => 0);
  const order = missing.flatMap((count, place) => (count === 0 ? [place] : []));
  for (const place of order) {
    for (const later of after[place] ?? []) {
      levels[later] = Math.max(levels[later] ?? 0, (levels[place] ?? 0) + 1);
      missing[later] = (missing[later] ?? 0) - 1;
      if (missing[later] === 0) order.push(later);
    }
  }
  return { order, levels };
}

/** Walks back from any task that could not be ordered: it depends on another such, so the walk must come round. */
function findCycle(
  taskIds: readonly string[],
  before: readonly (readonly number[])[],
  order: readonly number[],
): readonly string[] {
  const isOrdered = new Set(order);
  const walk: number[] = [];
  const seenAt = new Map<number, number>();
  let place = taskIds.findIndex((_, index) => !isOrdered.has(index));
  while (!seenAt.has(place)) {
    seenAt.set(place, walk.length);
    walk.push(place);
    place = before[place]?.find((earlier) => !isOrdered.has(earlier)) ?? place;
  }
  return [...walk.slice(seenAt.get(place)), place].map((index) => taskIds[index] ?? "");
}

export interface Chains {
  /** Milliseconds of the longest chain that must end before each task starts. */
  readonly headMs: readonly number[];
  /** Milliseconds of the longest chain that can only start after each task ended. */
  readonly tailMs: readonly number[];
  /** The longest chain of all. */
  readonly criticalPath: readonly number[];
  readonly criticalPathMs: number;
}

/** Longest chains by duration. `durationsMs` by place. Tasks on a cycle count as if they stood alone. */
export function longestChains(graph: TaskGraph, durationsMs: readonly number[]): Chains {
  const headMs = graph.taskIds.map(() => 0);
  const tailMs = graph.taskIds.map(() => 0);
  for (const place of graph.order) {
    const endMs = (headMs[place] ?? 0) + (durationsMs[place] ?? 0);
    for (const later of graph.after[place] ?? []) headMs[later] = Math.max(headMs[later] ?? 0, endMs);
  }
  const next = graph.taskIds.map(() => -1);
  let first = -1;
  let criticalPathMs = 0;
  for (const place of graph.order.toReversed()) {
    const wholeMs = (tailMs[place] ?? 0) + (durationsMs[place] ?? 0);
    for (const earlier of graph.before[place] ?? []) {
      if (next[earlier] !== -1 && wholeMs <= (tailMs[earlier] ?? 0)) continue;
      tailMs[earlier] = wholeMs;
      next[earlier] = place;
    }
    if (first === -1 || wholeMs > criticalPathMs) {
      first = place;
      criticalPathMs = wholeMs;
    }
  }
  const criticalPath: number[] = [];
  for (let place = first; place !== -1; place = next[place] ?? -1) criticalPath.push(place);
  return { headMs, tailMs, criticalPath, criticalPathMs };
}

/** Which tasks lie behind which, directly or through others, as bits; n² / 8 bytes. */
export class Reachability {
  readonly words: number;
  readonly #bits: Uint32Array;

  constructor(graph: TaskGraph) {
    this.words = Math.ceil(graph.taskIds.length / 32);
    this.#bits = new Uint32Array(this.words * graph.taskIds.length);
    for (const place of graph.order.toReversed()) {
      const row = place * this.words;
      for (const later of graph.after[place] ?? []) {
        this.#bits[row + (later >>> 5)] = (this.#bits[row + (later >>> 5)] ?? 0) | (1 << (later & 31));
        const from = later * this.words;
        for (let word = 0; word < this.words; word++) {
          this.#bits[row + word] = (this.#bits[row + word] ?? 0) | (this.#bits[from + word] ?? 0);
        }
      }
    }
  }

  /** Whether `later` cannot start before `earlier` ended. */
  reaches(earlier: number, later: number): boolean {
    return (((this.#bits[earlier * this.words + (later >>> 5)] ?? 0) >>> (later & 31)) & 1) === 1;
  }

  /** How many tasks of a set (bits by place) lie behind this one. */
  countBehind(earlier: number, set: Uint32Array): number {
    const row = earlier * this.words;
    let count = 0;
    for (let word = 0; word < this.words; word++) count += bitCount((this.#bits[row + word] ?? 0) & (set[word] ?? 0));
    return count;
  }
}

function bitCount(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
