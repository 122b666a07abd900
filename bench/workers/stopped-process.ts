/**
 * A process on a shared file that its parent talks to (stopped-writer.ts). `writer` stops itself, as Ctrl-Z would, in the
 * middle of a turn: the wall clock is read right after the file was locked, so its clock is where that is done. The others
 * ask for a turn and tell when they were told who holds the file, and when they got it. Times: milliseconds since boot.
 */
import { systemClock } from "../../src/clock/system-clock.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";

export type ToProcess = "stop-in-turn" | "take-turn";
export type FromProcess =
  | { readonly type: "ready" }
  | { readonly type: "told"; readonly atMs: number; readonly line: string }
  | { readonly type: "took"; readonly atMs: number };

const real = systemClock();
let willStop = false;
const clock = {
  ...real,
  wallMs: () => {
    if (willStop) {
      willStop = false;
      process.kill(process.pid, "SIGSTOP");
    }
    return real.wallMs();
  },
};

const say = (message: FromProcess): void => {
  process.send?.(message);
};

const [file = ""] = process.argv.slice(2);
const ownerId = `process-${process.pid}`;
const store = await openSqliteStore({
  clock,
  file,
  onNotice: (line) => say({ type: "told", atMs: real.nowMs(), line }),
});
await store.join(
  { ownerId, ...ownIdentity(), machine: "here", label: "bench", beatAtMs: real.nowMs() },
  () => undefined,
);

process.on("message", (message: ToProcess) => {
  willStop = message === "stop-in-turn";
  store.turn([{ type: "owner-beat", ownerId }]).then(
    () => say({ type: "took", atMs: real.nowMs() }),
    (error: unknown) => say({ type: "told", atMs: real.nowMs(), line: String(error) }),
  );
});
say({ type: "ready" });
