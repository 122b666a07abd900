/** Makes one history: real processes on one store, killed and stopped while they use it. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { seededRandom } from "../../src/clock/virtual-clock.ts";

const WORKER = fileURLToPath(new URL("./history-worker.ts", import.meta.url));
const PROCESSES = 5;
/** Answers between two faults, so that a slow machine sees no more of them than a fast one. */
const FAULT_EVERY = 40;
const LIMIT_MS = 600_000;

export interface HistoryRun {
  readonly text: string;
  readonly kills: number;
  readonly stops: number;
}

/** At least so many operations that were answered. */
export async function makeHistory(place: string, seed: number, operations: number): Promise<HistoryRun> {
  const files = { store: path.join(place, "store.db"), history: path.join(place, "history") };
  fs.writeFileSync(files.history, "");
  const random = seededRandom(seed);
  const living = new Map<string, ChildProcess>();
  const errors: string[] = [];
  const counts = { started: 0, kills: 0, stops: 0 };
  const killed = new Set<string>();
  let isOver = false;
  const fd = fs.openSync(files.history, "a");
  const start = (): void => {
    const name = `p${counts.started++}`;
    const args = ["--no-warnings", WORKER, files.store, files.history, name, String(seed * 1_000 + counts.started)];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "ignore", "pipe"] });
    living.set(name, child);
    child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
    child.stdin.on("error", () => undefined); // It was killed while it was told to finish.
    child.once("close", (code) => {
      living.delete(name);
      if (!killed.has(name) && !(isOver && code === 0)) errors.push(`${name} ended with ${code}`);
      if (!isOver) start();
    });
  };
  const strike = (): void => {
    const names = [...living.keys()];
    const name = names[Math.floor(random() * names.length)] ?? "";
    const child = living.get(name);
    if (random() < 0.5) {
      counts.kills++;
      killed.add(name);
      // Before the signal: nothing of the process's death comes earlier.
      fs.writeSync(fd, `crash ${name} ${Number(process.hrtime.bigint()) / 1e6}\n`);
      child?.kill("SIGKILL");
    } else {
      counts.stops++;
      child?.kill("SIGSTOP");
      setTimeout(() => child?.kill("SIGCONT"), 20 + random() * 200);
    }
  };
  for (let count = 0; count < PROCESSES; count++) start();
  const startMs = performance.now();
  try {
    for (let nextAt = FAULT_EVERY, count = 0; count < operations; count = answered(files.history)) {
      await tick();
      if (performance.now() > startMs + LIMIT_MS) throw new Error(`only ${count} answers: ${errors.join("\n")}`);
      if (count < nextAt) continue;
      nextAt = count + FAULT_EVERY * (0.5 + random());
      strike();
    }
    isOver = true;
    for (const child of living.values()) child.stdin?.end();
    while (living.size > 0) {
      await tick();
      if (performance.now() > startMs + LIMIT_MS)
        throw new Error(`${[...living.keys()]} did not end: ${errors.join("\n")}`);
    }
  } finally {
    isOver = true;
    for (const child of living.values()) child.kill("SIGKILL");
    fs.closeSync(fd);
  }
  if (errors.length > 0) throw new Error(errors.join("\n"));
  return { text: fs.readFileSync(files.history, "utf8"), kills: counts.kills, stops: counts.stops };
}

function answered(file: string): number {
  return fs.readFileSync(file, "latin1").split("\nret ").length - 1;
}

function tick(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
}
