/**
 * Where renewal lives: on a timer of the main loop, in a thread that renews only while the main loop moves, or in a thread
 * that renews whatever happens. A process with each is left idle, then its main loop is blocked for 1, 5 and 15 s; from
 * outside the age of its lease is read 20 times a second, and judged as others judge it. Wall time.
 *
 * "oldest lease": seconds. "lapsed elsewhere": seconds during which a process that cannot see it (another pid namespace,
 * a container) would have taken its lease for lapsed. On the same machine identity decides, and nothing is ever lapsed:
 * "gone here" must be 0.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/clock/system-clock.ts";
import { livenessOf } from "../src/process/identity.ts";
import { verdictOn } from "../src/process/owner-judge.ts";
import { openSqliteStore } from "../src/stores/sqlite/index.ts";
import type { Bench } from "./harness.ts";
import type { LeaseFigures, LeaseMode, ToLeaseProcess } from "./workers/lease-process.ts";

const BLOCKS_MS = [1_000, 5_000, 15_000] as const;
const IDLE_MS = 10_000;
const LOOK_MS = 50;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Seen {
  oldestMs: number;
  lapsedElsewhereMs: number;
  goneHere: number;
}

async function run(mode: LeaseMode): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-"));
  const file = join(folder, "store.db");
  const script = fileURLToPath(new URL("./workers/lease-process.ts", import.meta.url));
  const child = fork(script, [file, mode], { execArgv: ["--no-warnings"] });
  try {
    await answer(child);
    await sleep(IDLE_MS);
    const idle = (await answer(child, "figures")) as LeaseFigures;
    const figures: Record<string, number> = {
      "idle CPU %": (idle.cpuMs / idle.elapsedMs) * 100,
      "RSS MB": idle.rssMb,
      "thread start ms": idle.threadStartMs,
      "loop stands still ms": Math.max(0, ...idle.renewalsMs),
    };
    for (const blockMs of BLOCKS_MS) {
      const seen = await whileBlocked(child, file, blockMs);
      figures[`oldest lease s, ${blockMs / 1_000} s`] = seen.oldestMs / 1_000;
      figures[`lapsed elsewhere s, ${blockMs / 1_000} s`] = seen.lapsedElsewhereMs / 1_000;
      figures["gone here"] = (figures["gone here"] ?? 0) + seen.goneHere;
      await sleep(2_500);
    }
    return figures;
  } finally {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

async function whileBlocked(child: ChildProcess, file: string, blockMs: number): Promise<Seen> {
  const clock = systemClock();
  const store = await openSqliteStore({ clock, file });
  const seen: Seen = { oldestMs: 0, lapsedElsewhereMs: 0, goneHere: 0 };
  let isBlocked = true;
  const unblocked = answer(child, { blockMs }).then(() => {
    isBlocked = false;
  });
  for (let extraLooks = 40; isBlocked || extraLooks > 0; await sleep(LOOK_MS)) {
    if (!isBlocked) extraLooks--;
    const owner = store.view((view) => view.owners()).find(({ ownerId }) => ownerId === "leased");
    if (owner === undefined) continue;
    const nowMs = clock.nowMs();
    seen.oldestMs = Math.max(seen.oldestMs, nowMs - owner.beatAtMs);
    if (verdictOn(owner, nowMs, () => "unknown") === "lapsed") seen.lapsedElsewhereMs += LOOK_MS;
    if (verdictOn(owner, nowMs, livenessOf) !== "alive") seen.goneHere++;
  }
  await unblocked;
  await store.close();
  return seen;
}

/** Says something, or nothing, and waits for what comes back. */
function answer(child: ChildProcess, message?: ToLeaseProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the process ended with ${code}`)));
    if (message !== undefined) child.send(message);
  });
}

export const bench: Bench = {
  name: "lease",
  title: "a lease while the main loop is blocked, by who renews it",
  unit: "figure",
  measure: "wall",
  rounds: 3,
  cases: [
    { name: "main", peer: true, run: () => run("main") },
    { name: "honest thread", run: () => run("honest") },
    { name: "blind thread", run: () => run("blind") },
  ],
  limits: [
    { figure: "a late beat kills nobody here", value: "gone here", valueOf: "main", atMost: 0 },
    { figure: "idle cost of renewal", value: "idle CPU %", valueOf: "main", atMost: 2 },
  ],
};
