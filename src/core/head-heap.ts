/** Heads of the lines a release looks at, lowest rank first. A binary heap: many lines may be open at once. */
import type { CarryEntry } from "./ledger.ts";
import { isBefore, type TaskRow } from "./row.ts";

export interface Head {
  readonly entry: CarryEntry;
  readonly row: TaskRow;
}

export class HeadHeap {
  readonly #heads: Head[] = [];

  push(head: Head): void {
    const heads = this.#heads;
    let at = heads.length;
    heads.push(head);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const other = heads[up];
      if (other === undefined || !isBefore(head.row, other.row)) break;
      heads[at] = other;
      at = up;
    }
    heads[at] = head;
  }

  /** Takes the lowest out. */
  pop(): Head | undefined {
    const heads = this.#heads;
    const first = heads[0];
    const last = heads.pop();
    if (last === undefined || heads.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      let other = heads[down];
      if (other === undefined) break;
      const right = heads[down + 1];
      if (right !== undefined && isBefore(right.row, other.row)) {
        other = right;
        down++;
      }
      if (!isBefore(other.row, last.row)) break;
      heads[at] = other;
      at = down;
    }
    heads[at] = last;
    return first;
  }
}
