/**
 * Notices that another process has changed the file. `PRAGMA data_version`, asked every few milliseconds, is the truth;
 * a file-system watch on the WAL is a hint that makes most answers come sooner.
 */
import { type FSWatcher, watch } from "node:fs";
import type { Clock, Timer } from "../../core/ports.ts";

/** While this process has unfinished tasks: what another process admitted should start soon. */
const BUSY_POLL_MS = 15;
const IDLE_POLL_MS = 250;
/** Hints are gathered this long: a store under load changes thousands of times a second. */
const HINT_MS = 1;
/** How often it is asked whether there are unfinished tasks at all. */
const LOOK_EVERY = 64;

export interface ChangeWatcherParts {
  readonly clock: Clock;
  /** The write-ahead log. */
  readonly file: string;
  dataVersion(): number;
  /** Whether anybody here has unfinished tasks. */
  hasLiveRows(): boolean;
  onChange(): void;
}

export class ChangeWatcher {
  readonly #parts: ChangeWatcherParts;
  #timer: Timer | undefined;
  #hint: Timer | undefined;
  #watch: FSWatcher | undefined;
  #version = -1;
  #polls = 0;
  #isBusy = true;
  #isStopped = true;

  constructor(parts: ChangeWatcherParts) {
    this.#parts = parts;
  }

  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    try {
      this.#watch = watch(this.#parts.file, { persistent: false }, () => this.#hinted());
      this.#watch.on("error", () => this.#unwatch());
    } catch {
      // No watches left, or none on this system: the poll is enough.
    }
    this.#poll();
  }

  /** This process has a task more: look often. */
  wake(): void {
    if (this.#isBusy || this.#isStopped) return;
    this.#isBusy = true;
    this.#timer?.cancel();
    this.#schedule();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#hint?.cancel();
    this.#unwatch();
  }

  #unwatch(): void {
    this.#watch?.close();
    this.#watch = undefined;
  }

  #hinted(): void {
    if (this.#hint !== undefined || this.#isStopped) return;
    const fire = (): void => {
      this.#hint = undefined;
      this.#look();
    };
    this.#hint = this.#parts.clock.setTimer(HINT_MS, fire, { background: true });
  }

  #poll(): void {
    this.#look();
    if (++this.#polls % LOOK_EVERY === 0) this.#quietly(() => (this.#isBusy = this.#parts.hasLiveRows()));
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isStopped) return;
    const delayMs = this.#isBusy ? BUSY_POLL_MS : IDLE_POLL_MS;
    this.#timer = this.#parts.clock.setTimer(delayMs, () => this.#poll(), { background: true });
  }

  #look(): void {
    if (this.#isStopped) return;
    this.#quietly(() => {
      const version = this.#parts.dataVersion();
      if (version === this.#version) return;
      this.#parts.onChange();
      this.#version = version;
    });
  }

  /** Readers are kept out only while a WAL is recovered. What is worse than that, the next turn tells its caller. */
  #quietly(ask: () => void): void {
    try {
      ask();
    } catch {
      // The next poll asks again.
    }
  }
}
