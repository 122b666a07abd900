/**
 * Live rows by key. Keys grow by one, so rows stand in pages of consecutive keys: eight bytes a row instead of a map entry,
 * and in order. A page goes with its last row.
 */
import type { MemoryRow } from "./memory-row.ts";

const PAGE_BITS = 8;
const PAGE = 1 << PAGE_BITS;

interface Page {
  readonly slots: (MemoryRow | undefined)[];
  live: number;
}

export class RowPages {
  readonly #pages = new Map<number, Page>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): MemoryRow | undefined {
    return this.#pages.get(Math.floor(key / PAGE))?.slots[key % PAGE];
  }

  /** Keys come in growing order. */
  add(row: MemoryRow): void {
    const number = Math.floor(row.key / PAGE);
    let page = this.#pages.get(number);
    if (page === undefined) {
      page = { slots: new Array<MemoryRow | undefined>(PAGE).fill(undefined), live: 0 };
      this.#pages.set(number, page);
    }
    page.slots[row.key % PAGE] = row;
    page.live++;
    this.#size++;
  }

  delete(row: MemoryRow): void {
    const number = Math.floor(row.key / PAGE);
    const page = this.#pages.get(number);
    if (page?.slots[row.key % PAGE] !== row) return;
    page.slots[row.key % PAGE] = undefined;
    this.#size--;
    if (--page.live === 0) this.#pages.delete(number);
  }

  clear(): void {
    this.#pages.clear();
    this.#size = 0;
  }

  /** Rows with keys above this one, by key. */
  *after(key: number): Generator<MemoryRow> {
    const first = Math.floor(key / PAGE);
    for (const [number, page] of this.#pages) {
      if (number < first) continue;
      for (const row of page.slots) if (row !== undefined && row.key > key) yield row;
    }
  }
}
