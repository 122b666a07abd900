import type { Clock } from "../core/ports.ts";
import type { Agenda, Due } from "./agenda.ts";

export interface RepeatedLookOptions {
  readonly agenda: Agenda;
  readonly clock: Clock;
  /** One look at what others do in the store. */
  readonly look: () => Promise<void>;
  /** Milliseconds until the next; null while none is wanted. */
  readonly delayMs: () => number | null;
}

/**
 * Looks again and again while that is wanted, never twice at a time. A look that fails is repeated: the store is busy or not
 * open yet, and whoever runs tasks hears of a broken one otherwise.
 */
export class RepeatedLook implements Due {
  readonly #options: RepeatedLookOptions;
  #isLooking = false;
  dueAtMs = 0;
  place = -1;

  constructor(options: RepeatedLookOptions) {
    this.#options = options;
  }

  /** Begins to look, unless a look is planned already. */
  begin(): void {
    const delayMs = this.place < 0 ? this.#options.delayMs() : null;
    if (delayMs !== null) this.#options.agenda.set(this, this.#options.clock.nowMs() + delayMs);
  }

  stop(): void {
    this.#options.agenda.clear(this);
  }

  onDue(): void {
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.#options
      .look()
      .catch(() => undefined)
      .finally(() => {
        this.#isLooking = false;
        this.begin();
      });
  }
}
