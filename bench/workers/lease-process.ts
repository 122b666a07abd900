/**
 * One process with a lease on a shared file, renewed in one of three ways, whose main loop its parent blocks (lease.ts):
 *
 *  main    a timer of the main loop renews
 *  honest  a thread renews, with a connection of its own, but only while a counter moves that the main loop moves
 *  blind   a thread renews whatever the main loop does
 */
import { isMainThread, Worker, workerData } from "node:worker_threads";
import { systemClock } from "../../src/clock/system-clock.ts";
import { LEASE } from "../../src/core/bounds.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";

export type LeaseMode = "main" | "honest" | "blind";
export type ToLeaseProcess = { readonly blockMs: number } | "figures";
export interface LeaseFigures {
  /** Milliseconds from `new Worker` to its first renewal; 0 without a thread. */
  readonly threadStartMs: number;
  readonly rssMb: number;
  /** Milliseconds of CPU since the process was ready. */
  readonly cpuMs: number;
  readonly elapsedMs: number;
  /** Milliseconds the main loop stood still for each renewal: the synchronous part of a turn. */
  readonly renewalsMs: readonly number[];
}

interface ThreadSettings {
  readonly mode: LeaseMode;
  readonly file: string;
  readonly ownerId: string;
  readonly cells: SharedArrayBuffer;
}
/** Cells: the main loop's counter, renewals of the thread. */
const COUNTER = 0;
const RENEWALS = 1;

const clock = systemClock();

async function inThread({ mode, file, ownerId, cells }: ThreadSettings): Promise<void> {
  const shared = new Int32Array(cells);
  const store = await openSqliteStore({ clock, file });
  let seen = -1;
  const renew = async (): Promise<void> => {
    const counter = Atomics.load(shared, COUNTER);
    if (mode === "blind" || counter !== seen) {
      seen = counter;
      await store.turn([{ type: "owner-beat", ownerId }]);
      Atomics.add(shared, RENEWALS, 1);
    }
    setTimeout(() => void renew(), LEASE.beatMs);
  };
  await renew();
}

async function inMain([file = "", mode = "main"]: readonly string[]): Promise<void> {
  const ownerId = "leased";
  const store = await openSqliteStore({ clock, file });
  await store.join(
    { ownerId, ...ownIdentity(), machine: "here", label: mode, beatAtMs: clock.nowMs() },
    () => undefined,
  );
  const renewalsMs: number[] = [];
  const shared = new Int32Array(new SharedArrayBuffer(8));
  let threadStartMs = 0;
  if (mode === "main") {
    setInterval(() => {
      const answer = store.turn([{ type: "owner-beat", ownerId }]);
      // The transaction runs in the next microtasks: what they take is what the loop stands still for.
      const startMs = clock.nowMs();
      void answer.then(() => renewalsMs.push(clock.nowMs() - startMs));
    }, LEASE.beatMs);
  } else {
    const startMs = clock.nowMs();
    new Worker(new URL(import.meta.url), { workerData: { mode, file, ownerId, cells: shared.buffer } });
    setInterval(() => Atomics.add(shared, COUNTER, 1), LEASE.beatMs / 2);
    while (Atomics.load(shared, RENEWALS) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    threadStartMs = clock.nowMs() - startMs;
  }
  const readyMs = clock.nowMs();
  const readyCpu = process.cpuUsage();
  process.on("message", (message: ToLeaseProcess) => {
    if (message === "figures") {
      const { user, system } = process.cpuUsage(readyCpu);
      const figures: LeaseFigures = {
        threadStartMs,
        rssMb: process.memoryUsage.rss() / 2 ** 20,
        cpuMs: (user + system) / 1_000,
        elapsedMs: clock.nowMs() - readyMs,
        renewalsMs,
      };
      process.send?.(figures);
    } else {
      const untilMs = clock.nowMs() + message.blockMs;
      while (clock.nowMs() < untilMs);
      process.send?.("unblocked");
    }
  });
  process.send?.("ready");
}

if (isMainThread) await inMain(process.argv.slice(2));
else await inThread(workerData as ThreadSettings);
