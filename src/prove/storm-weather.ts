/** What happens to whom, and when: one fault after another, by chance and seed. */
import type { Clock } from "../index.ts";
import type { Holding, StormBook } from "./storm-book.ts";
import { isHolderAlive, signal } from "./storm-processes.ts";
import type { StormWorkers } from "./storm-workers.ts";

export interface StormWeatherOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly workers: StormWorkers;
  readonly book: StormBook;
  readonly tag: string;
  /** In the control nearly every fault is the one that only the sweep makes harmless. */
  readonly sweeps: boolean;
}

const PAUSE_MS = 85;
/** Longer than it takes anybody to look for the dead: who is let go on then finds his lock given away, or is dead. */
const LONG_STOP_MS = [1_300, 2_600] as const;
const SHORT_STOP_MS = [30, 500] as const;

interface Later {
  readonly dueAtMs: number;
  readonly go: () => void;
}

export class StormWeather {
  readonly #options: StormWeatherOptions;
  #later: Later[] = [];
  #nextAtMs = 0;
  readonly counts = { killedWorkers: 0, stoppedWorkers: 0, killedHolders: 0, stoppedHolders: 0 };

  constructor(options: StormWeatherOptions) {
    this.#options = options;
  }

  /** A stop counts once; that it ends does not. */
  get faults(): number {
    const { killedWorkers, stoppedWorkers, killedHolders, stoppedHolders } = this.counts;
    return killedWorkers + stoppedWorkers + killedHolders + stoppedHolders;
  }

  /** To be called often. */
  blow(): void {
    const { clock, random } = this.#options;
    const nowMs = clock.nowMs();
    const due = this.#later.filter(({ dueAtMs }) => dueAtMs <= nowMs);
    if (due.length > 0) {
      this.#later = this.#later.filter(({ dueAtMs }) => dueAtMs > nowMs);
      for (const { go } of due) go();
    }
    if (nowMs < this.#nextAtMs) return;
    this.#nextAtMs = nowMs + PAUSE_MS * (0.5 + random());
    this.#strike();
  }

  /** Everything stopped goes on. */
  calm(): void {
    for (const { go } of this.#later) go();
    this.#later = [];
  }

  #strike(): void {
    const { random, sweeps } = this.#options;
    const what = sweeps ? random() : 0.95;
    if (what < 0.12) this.#killWorker();
    else if (what < 0.27) this.#stopWorker(random() < 0.25);
    else if (what < 0.57) this.#killHolder();
    else if (what < 0.87) this.#stopHolder();
    else this.#orphanHolder();
  }

  #killWorker(): void {
    const worker = this.#options.workers.any(this.#options.random);
    if (worker === undefined) return;
    this.counts.killedWorkers++;
    this.#options.workers.signal(worker.workflowId, "SIGKILL");
  }

  /** Goes on after a while, or is killed while it stands still. */
  #stopWorker(isKilledThen: boolean): void {
    const { workers, random } = this.#options;
    const worker = workers.any(random);
    if (worker === undefined) return;
    this.counts.stoppedWorkers++;
    workers.signal(worker.workflowId, "SIGSTOP");
    this.#in(SHORT_STOP_MS, () => {
      if (isKilledThen) this.counts.killedWorkers++;
      workers.signal(worker.workflowId, isKilledThen ? "SIGKILL" : "SIGCONT");
    });
  }

  #killHolder(): void {
    const holding = this.#anyHolder();
    if (holding === undefined) return;
    this.counts.killedHolders++;
    signal(holding.pid, "SIGKILL");
  }

  #stopHolder(): void {
    const holding = this.#anyHolder();
    if (holding === undefined) return;
    this.counts.stoppedHolders++;
    signal(holding.pid, "SIGSTOP");
    this.#letGoOnLater(SHORT_STOP_MS, holding);
  }

  /** The worst: it stands still, who started it dies, and much later it goes on, unless somebody saw to it. */
  #orphanHolder(): void {
    const holding = this.#anyHolder();
    if (holding === undefined) return;
    const workflowId = holding.task.split("/")[0] ?? "";
    this.counts.stoppedHolders++;
    signal(holding.pid, "SIGSTOP");
    this.counts.killedWorkers++;
    if (!this.#options.sweeps) this.#options.workers.unguard(workflowId);
    this.#options.workers.signal(workflowId, "SIGKILL");
    this.#letGoOnLater(LONG_STOP_MS, holding);
  }

  #letGoOnLater(span: readonly [number, number], { pid, fence }: Holding): void {
    // The number is kept: by then another process may write for this holder.
    this.#in(span, () => {
      if (isHolderAlive({ pid, fence }, this.#options.tag)) signal(pid, "SIGCONT");
    });
  }

  /** Alive at this moment: its number is its own. */
  #anyHolder(): Holding | undefined {
    const { book, random, tag } = this.#options;
    const open = book.open.filter((holding) => !holding.isGone);
    for (let tries = Math.min(open.length, 5); tries > 0; tries--) {
      const holding = open[Math.floor(random() * open.length)];
      if (holding !== undefined && isHolderAlive(holding, tag)) return holding;
    }
    return undefined;
  }

  #in([leastMs, mostMs]: readonly [number, number], go: () => void): void {
    const { clock, random } = this.#options;
    this.#later.push({ dueAtMs: clock.nowMs() + leastMs + random() * (mostMs - leastMs), go });
  }
}
