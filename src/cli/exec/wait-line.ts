/** What `exec` says while it stands in line: one line after a second, then on change, else every half minute. */
import type { Clock } from "../../index.ts";

/** What is known of the wait at one moment. */
export interface WaitLook {
  /** One or two sentences. */
  readonly sentence: string;
  /** Changes when there is something new to say: holders and place. */
  readonly state: string;
}

export interface WaitLineOptions {
  readonly clock: Clock;
  readonly look: () => Promise<WaitLook | null>;
  readonly say: (look: WaitLook) => void;
}

const FIRST_MS = 1_000;
const LOOK_MS = 1_000;
/** A line that moves fast is not told of step by step: agents pay for every word. */
const LEAST_MS = 5_000;
const REPEAT_MS = 30_000;

export class WaitLine {
  readonly #options: WaitLineOptions;
  #timer: { cancel(): void } | null = null;
  #isOn = false;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #said = "";

  constructor(options: WaitLineOptions) {
    this.#options = options;
  }

  /** Whether anything was said, so that the end of the wait is worth a line too. */
  get hasSpoken(): boolean {
    return this.#said !== "";
  }

  start(): void {
    this.#isOn = true;
    this.#lookIn(FIRST_MS);
  }

  stop(): void {
    this.#isOn = false;
    this.#timer?.cancel();
  }

  #lookIn(delayMs: number): void {
    this.#timer = this.#options.clock.setTimer(delayMs, () => {
      this.#options.look().then(
        (found) => this.#take(found),
        // The store is busy or gone: whoever waits hears of that by the result.
        () => this.#take(null),
      );
    });
  }

  #take(found: WaitLook | null): void {
    if (!this.#isOn) return;
    const nowMs = this.#options.clock.nowMs();
    const sinceMs = nowMs - this.#saidAtMs;
    if (found !== null && (sinceMs >= REPEAT_MS || (found.state !== this.#said && sinceMs >= LEAST_MS))) {
      this.#said = found.state;
      this.#saidAtMs = nowMs;
      this.#options.say(found);
    }
    this.#lookIn(LOOK_MS);
  }
}
