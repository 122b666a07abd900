import type { Clock, Timer } from "../core/ports.ts";

/** Something that falls due. One entry a task, whatever clocks run for it: its owner keeps the earliest. */
export interface Due {
  /** Milliseconds since boot; kept by the agenda. */
  dueAtMs: number;
  /** Place in the agenda; -1 when it is not in it. Kept by the agenda. */
  place: number;
  onDue(nowMs: number): void;
}

/**
 * Everything that falls due, on one timer: a binary heap with places kept in the entries. Ten thousand running tasks cost
 * ten thousand small objects and no timer; a start or an end costs a few comparisons.
 */
export class Agenda {
  readonly #clock: Clock;
  readonly #heap: Due[] = [];
  #timer: Timer | null = null;
  #timerAtMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Puts an entry in, or moves it. */
  set(entry: Due, dueAtMs: number): void {
    if (entry.place < 0) {
      entry.dueAtMs = dueAtMs;
      entry.place = this.#heap.length;
      this.#heap.push(entry);
      this.#rise(entry);
    } else if (dueAtMs < entry.dueAtMs) {
      entry.dueAtMs = dueAtMs;
      this.#rise(entry);
    } else {
      entry.dueAtMs = dueAtMs;
      this.#sink(entry);
    }
    if (dueAtMs < this.#timerAtMs) this.#arm(dueAtMs);
  }

  clear(entry: Due): void {
    if (entry.place < 0) return;
    const last = this.#heap.pop();
    if (last !== undefined && last !== entry) {
      last.place = entry.place;
      this.#heap[last.place] = last;
      this.#rise(last);
      this.#sink(last);
    }
    entry.place = -1;
  }

  /** Drops the timer when nothing is due any more. Not done at each `clear`: the next entry mostly follows at once. */
  rest(): void {
    if (this.#heap.length > 0 || this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #arm(atMs: number): void {
    this.#timer?.cancel();
    this.#timerAtMs = atMs;
    this.#timer = this.#clock.setTimer(atMs - this.#clock.nowMs(), this.#onTimer);
  }

  readonly #onTimer = (): void => {
    this.#timer = null;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.nowMs();
    for (let first = this.#heap[0]; first !== undefined && first.dueAtMs <= nowMs; first = this.#heap[0]) {
      this.clear(first);
      first.onDue(nowMs);
    }
    const next = this.#heap[0];
    if (next !== undefined && this.#timer === null) this.#arm(next.dueAtMs);
  };

  #rise(entry: Due): void {
    const heap = this.#heap;
    let place = entry.place;
    while (place > 0) {
      const up = (place - 1) >> 1;
      const other = heap[up];
      if (other === undefined || other.dueAtMs <= entry.dueAtMs) break;
      heap[place] = other;
      other.place = place;
      place = up;
    }
    heap[place] = entry;
    entry.place = place;
  }

  #sink(entry: Due): void {
    const heap = this.#heap;
    let place = entry.place;
    for (;;) {
      let down = 2 * place + 1;
      let other = heap[down];
      if (other === undefined) break;
      const right = heap[down + 1];
      if (right !== undefined && right.dueAtMs < other.dueAtMs) {
        other = right;
        down++;
      }
      if (other.dueAtMs >= entry.dueAtMs) break;
      heap[place] = other;
      other.place = place;
      place = down;
    }
    heap[place] = entry;
    entry.place = place;
  }
}
