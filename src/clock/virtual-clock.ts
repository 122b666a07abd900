import type { Clock, Timer } from "../core/ports.ts";
import { clampDelay } from "./system-clock.ts";

/** Time that moves only when it is told to. Same seed, same program: same order of everything. */
export interface VirtualClock extends Clock {
  /** Moves time forward, firing what falls due in order; what became runnable runs before the next timer fires. */
  advance(ms: number): Promise<void>;
  /** Moves from timer to timer until only background timers are left, at most `limitMs` of virtual time (default a day). */
  runUntilIdle(options?: { readonly limitMs?: number }): Promise<void>;
  /**
   * Moves time until `work` settles and answers as it does. Throws when nothing can happen any more, or after `limitMs`
   * of virtual time (default a day): a hang is an error here, not a test that never ends.
   */
  run<T>(work: PromiseLike<T>, options?: { readonly limitMs?: number }): Promise<T>;
  /** Timers that are set and not background: what a test left behind. */
  pendingTimers(): number;
}

const DAY_MS = 86_400_000;

interface VirtualTimer extends Timer {
  readonly dueAtMs: number;
  readonly sequence: number;
  readonly background: boolean;
  readonly fire: () => void;
}

export function virtualClock(
  options: { readonly seed?: number; readonly startMs?: number; readonly wallMs?: number } = {},
): VirtualClock {
  const random = seededRandom(options.seed ?? 1);
  const wallOrigin = (options.wallMs ?? Date.UTC(2026, 0, 1)) - (options.startMs ?? 1_000);
  const timers = new TimerQueue();
  let now = options.startMs ?? 1_000;

  async function fireNext(timer: VirtualTimer): Promise<void> {
    timers.delete(timer);
    now = Math.max(now, timer.dueAtMs);
    timer.fire();
    await microtasksDone();
  }

  async function run<T>(work: PromiseLike<T>, { limitMs = DAY_MS }: { readonly limitMs?: number } = {}): Promise<T> {
    let isSettled = false;
    const watched = Promise.resolve(work).finally(() => {
      isSettled = true;
    });
    // Owned here: the caller gets the rejection from the `return` below.
    watched.catch(() => undefined);
    const untilMs = now + limitMs;
    for (;;) {
      await microtasksDone();
      if (isSettled) return await watched;
      const timer = timers.first();
      if (timer === undefined) throw new Error("virtual clock: the work is pending and no timer is set");
      if (timer.dueAtMs > untilMs) throw new Error(`virtual clock: the work is pending after ${limitMs} ms`);
      await fireNext(timer);
    }
  }

  return {
    nowMs: () => now,
    wallMs: () => wallOrigin + now,
    random,
    setTimer: (delayMs, fire, timerOptions) =>
      timers.add({ dueAtMs: now + clampDelay(delayMs), fire, background: timerOptions?.background === true }),
    advance: async (ms) => {
      const untilMs = now + ms;
      await microtasksDone();
      for (let timer = timers.first(); timer !== undefined && timer.dueAtMs <= untilMs; timer = timers.first()) {
        await fireNext(timer);
      }
      now = untilMs;
    },
    runUntilIdle: async ({ limitMs = DAY_MS } = {}) => {
      const untilMs = now + limitMs;
      await microtasksDone();
      while (timers.foreground > 0) {
        const timer = timers.first();
        if (timer === undefined) return;
        if (timer.dueAtMs > untilMs) throw new Error(`virtual clock: still not idle after ${limitMs} ms`);
        await fireNext(timer);
      }
    },
    run,
    pendingTimers: () => timers.foreground,
  };
}

/** Sorted by due time, ties by the order of setting: the order Node promises for equal delays. */
class TimerQueue {
  readonly #timers: VirtualTimer[] = [];
  #sequence = 0;
  foreground = 0;

  add(timer: Pick<VirtualTimer, "dueAtMs" | "background" | "fire">): Timer {
    const added: VirtualTimer = { ...timer, sequence: this.#sequence++, cancel: () => this.delete(added) };
    this.#timers.splice(this.#placeOf(added), 0, added);
    if (!added.background) this.foreground++;
    return added;
  }

  first(): VirtualTimer | undefined {
    return this.#timers[0];
  }

  delete(timer: VirtualTimer): void {
    const at = this.#placeOf(timer);
    if (this.#timers[at] !== timer) return;
    this.#timers.splice(at, 1);
    if (!timer.background) this.foreground--;
  }

  #placeOf(timer: VirtualTimer): number {
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle];
      const isBefore =
        other !== undefined &&
        (other.dueAtMs < timer.dueAtMs || (other.dueAtMs === timer.dueAtMs && other.sequence < timer.sequence));
      if (isBefore) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Resolves when every microtask, also those that microtasks made, has run: a new turn of the real event loop. */
function microtasksDone(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, every seed good enough for schedules. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
