/**
 * The contract of a benchmark. `npm run bench -- NAME` reads `bench/NAME.ts`, which exports one constant:
 *
 *     export const bench: Bench = {
 *       name: "dispatch",                       // the file's name
 *       title: "10,000 tasks with every option",
 *       unit: "µs/task",
 *       measure: "cpu",                         // cpu for compute, wall for disk and processes, count for what repeats exactly
 *       rounds: 7,
 *       cases: [
 *         { name: "lockyard", run: async () => (await cpuMs(dispatchAll)) / 10 },
 *         { name: "p-queue", peer: true, run: async () => (await cpuMs(queueAll)) / 10 },
 *       ],
 *       limits: [{ figure: "P1 full", ratioOf: "lockyard", to: "p-queue", atMost: 1.25 }],
 *     };
 *
 * Every round runs every case once, each in a process of its own, in rotating order: what the machine does meanwhile
 * hits all cases alike. So `run` is called once per process; it warms up what it wants warm, then returns its figure in
 * `unit` (or several by name). Nothing at the top level of the file may do work: it is loaded for every case. Compared
 * are medians over the rounds. Trust ratios within one invocation, never digits across two.
 */
export interface Bench {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly measure: "cpu" | "wall" | "count";
  readonly rounds: number;
  readonly cases: readonly BenchCase[];
  readonly limits: readonly BenchLimit[];
  /** True when cases run the built command line: the runner builds it first. */
  readonly needsDist?: boolean;
}

export interface BenchCase {
  readonly name: string;
  /** What others offer; the table shows every case as a multiple of the first peer. */
  readonly peer?: boolean;
  run(context: BenchContext): Promise<number | Readonly<Record<string, number>>>;
}

export interface BenchContext {
  /** `--data DIR`: a folder with real data sets; undefined when the caller named none. */
  readonly dataDir: string | undefined;
  readonly round: number;
}

/** `figure` is the promise's number and its words. `value` names one of several figures of a case. */
export type BenchLimit = {
  readonly figure: string;
  readonly value?: string;
  readonly atMost?: number;
  readonly atLeast?: number;
} & (
  | { readonly ratioOf: string; readonly to: string }
  | { readonly differenceOf: string; readonly to: string }
  | { readonly valueOf: string }
);

/** CPU time of this process, all threads, user and system, in milliseconds. */
export async function cpuMs(work: () => Promise<unknown> | unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Elapsed time in milliseconds. */
export async function wallMs(work: () => Promise<unknown> | unknown): Promise<number> {
  const before = performance.now();
  await work();
  return performance.now() - before;
}

/** Heap in use after collection, in bytes; cases run with `--expose-gc`. */
export function heapBytes(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed;
}

/** The value that `percent` of all values do not exceed. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percent) / 100) - 1)] ?? 0;
}
