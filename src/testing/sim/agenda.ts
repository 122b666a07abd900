/** What happens when, in a simulated world: a heap of events by time, ties in the order in which they were planned. */
export interface Planned {
  readonly atMs: number;
  readonly sequence: number;
  fire: (() => void) | null;
}

export class Agenda {
  nowMs: number;
  #sequence = 0;
  readonly #heap: Planned[] = [];

  constructor(startMs: number) {
    this.nowMs = startMs;
  }

  after(delayMs: number, fire: () => void): Planned {
    const planned: Planned = { atMs: this.nowMs + Math.max(0, delayMs), sequence: this.#sequence++, fire };
    this.#push(planned);
    return planned;
  }

  /** Fires what falls due until the time has come or nothing is planned; false when `isOver` stopped it earlier. */
  runUntil(untilMs: number, isOver: () => boolean): boolean {
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.#pop();
      if (next.fire === null) continue;
      this.nowMs = next.atMs;
      const { fire } = next;
      next.fire = null;
      fire();
      if (isOver()) return false;
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
    return true;
  }

  #push(planned: Planned): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(planned);
    while (at > 0) {
      const above = (at - 1) >> 1;
      const upper = heap[above];
      if (upper === undefined || !isSooner(planned, upper)) break;
      heap[at] = upper;
      at = above;
    }
    heap[at] = planned;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      const left = heap[below];
      if (left === undefined) break;
      const right = heap[below + 1];
      const sooner = right !== undefined && isSooner(right, left) ? right : left;
      if (sooner === right) below++;
      if (!isSooner(sooner, last)) break;
      heap[at] = sooner;
      at = below;
    }
    heap[at] = last;
  }
}

function isSooner(a: Planned, b: Planned): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence);
}
