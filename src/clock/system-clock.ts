import { MAX_TIMER_MS } from "../core/bounds.ts";
import type { Clock, Timer } from "../core/ports.ts";

/**
 * Real time and chance. `nowMs` is CLOCK_MONOTONIC (milliseconds since boot with fractions), so it is comparable between
 * the processes of one machine and does not move when somebody sets the wall clock.
 */
export function systemClock(): Clock {
  // `performance.now()` reads the same clock as `hrtime` from another origin, at a third of the cost and without a BigInt.
  const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();
  return {
    nowMs: () => origin + performance.now(),
    wallMs: () => Date.now(),
    setTimer: (delayMs, fire, options) => {
      const handle = setTimeout(fire, clampDelay(delayMs));
      if (options?.background === true) handle.unref();
      return new SystemTimer(handle);
    },
    random: () => Math.random(),
  };
}

class SystemTimer implements Timer {
  readonly #handle: NodeJS.Timeout;

  constructor(handle: NodeJS.Timeout) {
    this.#handle = handle;
  }

  cancel(): void {
    clearTimeout(this.#handle);
  }
}

/** `setTimeout` fires at once for anything above 2^31 - 1, below zero or not a number: the opposite of what was meant. */
export function clampDelay(delayMs: number): number {
  if (!(delayMs > 0)) return 0;
  // Rounded up: a timer that fires a fraction early finds nothing due and would have to be set again.
  return Math.min(Math.ceil(delayMs), MAX_TIMER_MS);
}
