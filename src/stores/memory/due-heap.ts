/**
 * Rows the kernel must look at again, soonest first. A binary heap of rows keyed by the time they were put in with; a row
 * whose `dueAtMs` has changed since is a stale entry, dropped when met and swept when stale entries outnumber the others.
 */
import type { TaskRow } from "../../core/row.ts";

interface Entry {
  readonly dueAtMs: number;
  readonly row: TaskRow;
}

function isSooner(a: Entry, b: Entry): boolean {
  return a.dueAtMs < b.dueAtMs || (a.dueAtMs === b.dueAtMs && a.row.key < b.row.key);
}

function isStale(entry: Entry): boolean {
  return entry.row.dueAtMs !== entry.dueAtMs;
}

export class DueHeap {
  #entries: Entry[] = [];
  #sweepAbove = 1_024;

  add(row: TaskRow): void {
    if (this.#entries.length >= this.#sweepAbove) this.#sweep();
    this.#entries.push({ dueAtMs: row.dueAtMs, row });
    this.#up(this.#entries.length - 1);
  }

  /** 0 for never. */
  nextMs(): number {
    for (let first = this.#entries[0]; first !== undefined; first = this.#entries[0]) {
      if (!isStale(first)) return first.dueAtMs;
      this.#pop();
    }
    return 0;
  }

  /** Due rows, soonest first. They stay in until their `dueAtMs` changes. */
  due(nowMs: number, limit: number): TaskRow[] {
    const rows: TaskRow[] = [];
    const kept: Entry[] = [];
    while (rows.length < limit) {
      const first = this.#entries[0];
      if (first === undefined || first.dueAtMs > nowMs) break;
      this.#pop();
      if (isStale(first) || rows.includes(first.row)) continue;
      rows.push(first.row);
      kept.push(first);
    }
    for (const entry of kept) {
      this.#entries.push(entry);
      this.#up(this.#entries.length - 1);
    }
    return rows;
  }

  #sweep(): void {
    this.#entries = this.#entries.filter((entry) => !isStale(entry)).sort((a, b) => (isSooner(a, b) ? -1 : 1));
    this.#sweepAbove = Math.max(1_024, this.#entries.length * 2);
  }

  #pop(): void {
    const last = this.#entries.pop();
    if (last === undefined || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    const entries = this.#entries;
    for (let at = start; at > 0; ) {
      const above = (at - 1) >> 1;
      const [low, high] = [entries[at], entries[above]];
      if (low === undefined || high === undefined || !isSooner(low, high)) return;
      entries[at] = high;
      entries[above] = low;
      at = above;
    }
  }

  #down(start: number): void {
    const entries = this.#entries;
    for (let at = start; ; ) {
      let best = at;
      for (const below of [2 * at + 1, 2 * at + 2]) {
        const [candidate, current] = [entries[below], entries[best]];
        if (candidate !== undefined && current !== undefined && isSooner(candidate, current)) best = below;
      }
      const [upper, lower] = [entries[at], entries[best]];
      if (best === at || upper === undefined || lower === undefined) return;
      entries[at] = lower;
      entries[best] = upper;
      at = best;
    }
  }
}
