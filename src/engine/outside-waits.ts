/**
 * Waits of a process that a task started, for tasks it handed over elsewhere: told through the store, since only the owner of
 * the task may give its slot back. As `ctx.run` it is N2 and N3 of nested-requests.ts; but whoever waits may die, so a wait
 * that is not told again in time is over.
 */
import type { Clock, Timer } from "../core/ports.ts";
import type { Attempt } from "./attempt.ts";

export interface OutsideWaitsWiring {
  readonly clock: Clock;
  readonly loanOf: (attempt: Attempt) => { give(): void; takeBack(): Promise<void> };
  readonly clocksChanged: (attempt: Attempt) => void;
}

export class OutsideWaits {
  readonly #wiring: OutsideWaitsWiring;
  readonly #timers = new Map<Attempt, Timer>();

  constructor(wiring: OutsideWaitsWiring) {
    this.#wiring = wiring;
  }

  /** It waits, for so much longer unless it says so again; 0 when it waits no more. */
  told(attempt: Attempt, forMs: number): void {
    const { clock, loanOf, clocksChanged } = this.#wiring;
    const timer = this.#timers.get(attempt);
    timer?.cancel();
    if (forMs <= 0 || attempt.hasSettled || attempt.stop !== null) {
      if (timer !== undefined) this.#end(attempt);
      return;
    }
    this.#timers.set(
      attempt,
      clock.setTimer(forMs, () => this.#end(attempt), { background: true }),
    );
    if (timer !== undefined) return;
    loanOf(attempt).give();
    attempt.pause(clock.nowMs());
    clocksChanged(attempt);
  }

  #end(attempt: Attempt): void {
    const { clock, loanOf, clocksChanged } = this.#wiring;
    this.#timers.delete(attempt);
    const isOver = attempt.hasSettled || attempt.stop !== null;
    // Refused when the attempt ends meanwhile: then nothing is missing.
    const back = isOver
      ? Promise.resolve()
      : loanOf(attempt)
          .takeBack()
          .catch(() => undefined);
    void back.then(() => {
      attempt.resume(clock.nowMs());
      clocksChanged(attempt);
    });
  }
}
