/**
 * A line of waiting rows in rank order: a list of sorted chunks. Appending at the end (the usual case), taking from the
 * head and finding "the first after" all cost O(log n); inserting in the middle moves at most one chunk.
 */
import type { TaskRow } from "../../core/row.ts";

const CHUNK = 256;

export class SortedRows {
  readonly #chunks: TaskRow[][] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(row: TaskRow): void {
    this.#size++;
    const chunks = this.#chunks;
    const last = chunks[chunks.length - 1];
    if (last === undefined) {
      chunks.push([row]);
      return;
    }
    const at = this.#chunkOf(row.rank, row.key);
    const chunk = chunks[at] ?? last;
    const position = at === chunks.length ? chunk.length : lowerBound(chunk, row.rank, row.key);
    if (position === chunk.length) chunk.push(row);
    else chunk.splice(position, 0, row);
    if (chunk.length > CHUNK) this.#split(at === chunks.length ? at - 1 : at);
  }

  #split(at: number): void {
    const chunk = this.#chunks[at];
    if (chunk === undefined) return;
    // Appending in order leaves full chunks behind, not half-full ones.
    const half = at === this.#chunks.length - 1 ? chunk.length - 1 : chunk.length >> 1;
    this.#chunks.splice(at + 1, 0, chunk.splice(half));
  }

  /** False when the row is not in this line at its rank. */
  delete(row: TaskRow): boolean {
    const at = this.#chunkOf(row.rank, row.key);
    const chunk = this.#chunks[at];
    if (chunk === undefined) return false;
    const position = lowerBound(chunk, row.rank, row.key);
    if (chunk[position] !== row) return false;
    if (position === 0) chunk.shift();
    else chunk.splice(position, 1);
    if (chunk.length === 0) this.#chunks.splice(at, 1);
    this.#size--;
    return true;
  }

  /** The first row after a place in rank order. */
  firstAfter(rank: number, key: number): TaskRow | undefined {
    if (rank === Number.NEGATIVE_INFINITY) return this.#chunks[0]?.[0];
    const at = this.#chunkOf(rank, key + 0.5);
    const chunk = this.#chunks[at];
    return chunk?.[lowerBound(chunk, rank, key + 0.5)];
  }

  /** Rows before this one. */
  position(row: TaskRow): number {
    const at = this.#chunkOf(row.rank, row.key);
    let before = 0;
    for (let index = 0; index < at; index++) before += this.#chunks[index]?.length ?? 0;
    const chunk = this.#chunks[at];
    return before + (chunk === undefined ? 0 : lowerBound(chunk, row.rank, row.key));
  }

  *[Symbol.iterator](): Generator<TaskRow> {
    for (const chunk of this.#chunks) yield* chunk;
  }

  /** Index of the first chunk whose last row does not stand before the place. */
  #chunkOf(rank: number, key: number): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      const last = chunk?.[chunk.length - 1];
      if (last !== undefined && (last.rank < rank || (last.rank === rank && last.key < key))) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound(chunk: readonly TaskRow[], rank: number, key: number): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const row = chunk[middle];
    if (row !== undefined && (row.rank < rank || (row.rank === rank && row.key < key))) low = middle + 1;
    else high = middle;
  }
  return low;
}
