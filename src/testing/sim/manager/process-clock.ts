/** The clock of one simulated process: its timers wait while it is stopped and never fire once it is dead. */
import type { VirtualClock } from "../../../clock/virtual-clock.ts";
import { seededRandom } from "../../../clock/virtual-clock.ts";
import type { Clock, Timer } from "../../../core/ports.ts";

export class ProcessClock implements Clock {
  readonly #world: VirtualClock;
  readonly #random: () => number;
  #backlog: (() => void)[] = [];
  #state: "awake" | "stopped" | "dead" = "awake";
  #timers = 0;

  constructor(world: VirtualClock, seed: number) {
    this.#world = world;
    this.#random = seededRandom(seed);
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isAwake(): boolean {
    return this.#state === "awake";
  }

  /** Timers that keep the process alive. */
  get pendingTimers(): number {
    return this.#timers;
  }

  nowMs(): number {
    return this.#world.nowMs();
  }

  wallMs(): number {
    return this.#world.wallMs();
  }

  random(): number {
    return this.#random();
  }

  setTimer(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer {
    const counts = options?.background !== true;
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      if (counts) this.#timers--;
    };
    if (counts) this.#timers++;
    const run = (): void => {
      if (isOver) return;
      end();
      fire();
    };
    const timer = this.#world.setTimer(delayMs, () => this.whenAwake(run), options);
    return {
      cancel: () => {
        end();
        timer.cancel();
      },
    };
  }

  /** Now, or when the process goes on; never, when it is dead. */
  whenAwake(fire: () => void): void {
    if (this.#state === "awake") fire();
    else if (this.#state === "stopped") this.#backlog.push(fire);
  }

  stop(): void {
    if (this.#state === "awake") this.#state = "stopped";
  }

  resume(): void {
    if (this.#state !== "stopped") return;
    this.#state = "awake";
    const backlog = this.#backlog;
    this.#backlog = [];
    // One after another, as a loop that goes on would: what each makes runnable runs before the next.
    for (const fire of backlog) this.#world.setTimer(0, () => this.whenAwake(fire));
  }

  die(): void {
    this.#state = "dead";
    this.#backlog = [];
  }
}
