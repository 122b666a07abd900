/**
 * The storm: real processes on one store, real children that hold locks, and kill -9 and SIGSTOP for all of them at random.
 * Judged from outside, by a book the holders write themselves, and afterwards by what the store remembers.
 *
 *  S1 what was acknowledged, a submission or a result, is in the store
 *  S2 no two holders of conflicting claims overlap, units never exceed their capacity, fences only grow (storm-book.ts)
 *  S3 nothing is taken from a living process: its tasks end well, or because their holder was killed
 *  S4 afterwards everything drains: no row, no lock, no unit, no owner, no process is left, and the file is whole
 *  S5 without the sweep that ends what the dead left running, the same monitor sees overlaps: it is able to
 */
import fs from "node:fs";
import path from "node:path";
import { seededRandom } from "../clock/virtual-clock.ts";
import type { Clock } from "../index.ts";
import { Faults, type ProofReport } from "./proof.ts";
import { judgeStore } from "./storm-afterwards.ts";
import { StormBook } from "./storm-book.ts";
import { HOLDER_SCRIPT } from "./storm-holder.ts";
import { isHolderAlive, processesOf, signal } from "./storm-processes.ts";
import { StormWeather } from "./storm-weather.ts";
import { StormWorkers } from "./storm-workers.ts";

export interface StormOptions {
  readonly clock: Clock;
  /** An existing directory of its own: everything is written there. */
  readonly place: string;
  readonly seed: number;
  /** Faults after which it is calm. */
  readonly faults: number;
  /** Milliseconds after which it is calm however few faults there were. */
  readonly limitMs: number;
  /** Default 6. */
  readonly workers?: number;
  /** `false` is the control: nobody ends what the dead left running. */
  readonly sweeps?: boolean;
  /** Variables for the workers, besides ours. */
  readonly env?: Readonly<Record<string, string>>;
  /** Codes with which tasks may fail although their process lives, besides those of a killed holder. */
  readonly alsoExpected?: readonly string[];
  /** Aborting makes it calm at once; the report is then of what happened so far. */
  readonly signal?: AbortSignal;
}

const LOOK_MS = 5;
/** For everything to end by itself once it is calm. */
const CALM_LIMIT_MS = 60_000;

export async function storm(options: StormOptions): Promise<ProofReport> {
  const { clock, place, seed, sweeps = true, alsoExpected = [] } = options;
  const faults = new Faults();
  const files = {
    store: path.join(place, "store.db"),
    book: path.join(place, "book"),
    holder: path.join(place, "holder.sh"),
    acknowledged: path.join(place, "acknowledged"),
  };
  fs.writeFileSync(files.holder, HOLDER_SCRIPT);
  for (const file of [files.book, files.acknowledged]) fs.writeFileSync(file, "");
  const tag = `${process.pid}.${seed}.${sweeps ? "storm" : "control"}`;
  const book = new StormBook({ faults, isAlive: (holding) => isHolderAlive(holding, tag) });
  const reader = new Tail(files.book);
  const look = () => {
    book.read(reader.next());
    book.look();
  };
  const random = seededRandom(seed);
  const env = { ...options.env, LOCKYARD_PROVE: tag };
  const settings = { ...files, seed, sweeps };
  const workers = new StormWorkers({ faults, settings, count: options.workers ?? 6, env, alsoExpected });
  const weather = new StormWeather({ clock, random, workers, book, tag, sweeps });
  const startMs = clock.nowMs();
  try {
    workers.start();
    await repeat(clock, LOOK_MS, () => {
      look();
      if (book.begun > 0) weather.blow();
      const isEnough = weather.faults >= options.faults || clock.nowMs() - startMs > options.limitMs;
      return isEnough || options.signal?.aborted === true;
    });
    const stormMs = clock.nowMs() - startMs;
    weather.calm();
    workers.finish();
    const calmMs = clock.nowMs();
    await repeat(clock, LOOK_MS, () => {
      look();
      return workers.areGone || clock.nowMs() - calmMs > CALM_LIMIT_MS;
    });
    if (!workers.areGone) faults.add(`${workers.living} workers had not ended ${CALM_LIMIT_MS} ms after the storm.`);
    const drainMs = clock.nowMs() - calmMs;
    workers.kill();
    const promises = await judgeStore({ clock, faults, book, files, alsoExpected });
    look();
    const left = processesOf(tag);
    if (left.length > 0 && sweeps) faults.add(`${left.length} processes are left: ${left.slice(0, 5).join(", ")}.`);
    const counts = {
      processes: workers.started,
      faults: weather.faults,
      ...weather.counts,
      faultsPerSecond: Math.round((weather.faults / stormMs) * 10_000) / 10,
      grants: book.begun,
      overlaps: book.overlaps,
      ...promises,
      drainMs: Math.round(drainMs),
    };
    return { name: sweeps ? "storm" : "control", seed, counts, faults: faults.list() };
  } finally {
    workers.kill();
    for (const pid of processesOf(tag)) signal(pid, "SIGKILL");
    reader.close();
  }
}

/** Reads a growing file from where it stopped. */
class Tail {
  readonly #fd: number;
  readonly #buffer = Buffer.alloc(64 * 1024);
  #at = 0;

  constructor(file: string) {
    this.#fd = fs.openSync(file, "r");
  }

  next(): string {
    let text = "";
    for (;;) {
      const count = fs.readSync(this.#fd, this.#buffer, 0, this.#buffer.length, this.#at);
      if (count === 0) return text;
      this.#at += count;
      text += this.#buffer.toString("latin1", 0, count);
    }
  }

  close(): void {
    fs.closeSync(this.#fd);
  }
}

/** Does the work again and again, with a pause between, until it answers `true`. */
function repeat(clock: Clock, pauseMs: number, work: () => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const step = (): void => {
      try {
        if (work()) resolve();
        else clock.setTimer(pauseMs, step);
      } catch (error) {
        reject(error);
      }
    };
    step();
  });
}
