/** Figures measured while tasks run: how much ran at once, and percentiles that need no samples kept. */

export interface ParallelFigures {
  /** Milliseconds of all runs together. */
  readonly runMs: number;
  /** Milliseconds in which at least one ran. */
  readonly busyMs: number;
  /** `runMs / busyMs`: 1 when one ran after another, 3 when three ran all the time; 1 before anything ran. */
  readonly speedup: number;
}

/** Stretches of busy time kept apart; then the smallest gaps between them are closed. */
const STRETCHES = 1_024;

/**
 * How parallel work was, told at the end of each run. Idle time between runs counts for nothing, so a process that lives
 * all day still tells. Ends come in order, therefore a new run can only swallow the latest stretches: constant time on average.
 * When more than 1,024 idle gaps have to be remembered the smaller half counts as busy, so that the speed-up is never overstated.
 */
export class ParallelTime {
  #starts: number[] = [];
  #ends: number[] = [];
  #runMs = 0;
  #busyMs = 0;

  /** A run of `durationMs` ended at `endMs`; no end is earlier than the one before. */
  ran(durationMs: number, endMs: number): void {
    if (!(durationMs > 0)) return;
    this.#runMs += durationMs;
    let startMs = endMs - durationMs;
    for (let last = this.#ends.at(-1); last !== undefined && last >= startMs; last = this.#ends.at(-1)) {
      const lastStart = this.#starts.pop() ?? last;
      this.#ends.pop();
      this.#busyMs -= last - lastStart;
      if (lastStart < startMs) startMs = lastStart;
    }
    this.#starts.push(startMs);
    this.#ends.push(endMs);
    this.#busyMs += endMs - startMs;
    if (this.#starts.length > STRETCHES) this.#closeSmallGaps();
  }

  figures(): ParallelFigures {
    const speedup = this.#busyMs > 0 ? this.#runMs / this.#busyMs : 1;
    return { runMs: this.#runMs, busyMs: this.#busyMs, speedup };
  }

  #closeSmallGaps(): void {
    const gapBefore = (index: number) => (this.#starts[index] ?? 0) - (this.#ends[index - 1] ?? 0);
    const gaps = this.#starts
      .slice(1)
      .map((_, index) => gapBefore(index + 1))
      .sort((a, b) => a - b);
    const largestClosedMs = gaps[gaps.length >> 1] ?? 0;
    const starts = this.#starts.slice(0, 1);
    const ends: number[] = [];
    for (let index = 1; index < this.#starts.length; index++) {
      if (gapBefore(index) <= largestClosedMs) continue;
      ends.push(this.#ends[index - 1] ?? 0);
      starts.push(this.#starts[index] ?? 0);
    }
    ends.push(this.#ends.at(-1) ?? 0);
    this.#starts = starts;
    this.#ends = ends;
    this.#busyMs = starts.reduce((sum, startMs, index) => sum + (ends[index] ?? 0) - startMs, 0);
  }
}

/** Largest relative error of a quantile. */
export const QUANTILE_ERROR = 0.01;
const LOWEST_MS = 0.001;
const HIGHEST_MS = 4e9;
const LOG_WIDTH = Math.log((1 + QUANTILE_ERROR) / (1 - QUANTILE_ERROR));
const FIRST = Math.ceil(Math.log(LOWEST_MS) / LOG_WIDTH);
const BUCKETS = Math.ceil(Math.log(HIGHEST_MS) / LOG_WIDTH) - FIRST + 1;

/**
 * Counts in buckets whose width grows with their value (DDSketch: Masson, Rim, Lee, VLDB 2019), so that each quantile is
 * within 1 % of a true one. Deterministic, about 6 KB, any number of values. Below a microsecond counts as 0, above 46
 * days as 46 days.
 */
export class Histogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #zeros = 0;
  #count = 0;
  #sum = 0;

  get count(): number {
    return this.#count;
  }
  get mean(): number {
    return this.#count === 0 ? 0 : this.#sum / this.#count;
  }

  add(ms: number): void {
    this.#count++;
    if (!(ms > LOWEST_MS)) {
      this.#zeros++;
      return;
    }
    const value = Math.min(ms, HIGHEST_MS);
    this.#sum += value;
    const bucket = Math.min(Math.ceil(Math.log(value) / LOG_WIDTH) - FIRST, BUCKETS - 1);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
  }

  /** The value at rank `ceil(fraction × count)`, within 1 %; 0 when nothing was added. */
  quantile(fraction: number): number {
    let left = Math.max(1, Math.ceil(fraction * this.#count)) - this.#zeros;
    if (this.#count === 0 || left <= 0) return 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] ?? 0;
      // Middle of the bucket in the sense that both ends are equally far off, relatively.
      if (left <= 0) return (2 * Math.exp((bucket + FIRST) * LOG_WIDTH)) / (1 + Math.exp(LOG_WIDTH));
    }
    return HIGHEST_MS;
  }
}
