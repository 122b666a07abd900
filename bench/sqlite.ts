/**
 * P7, throughput: tasks a second through the library on the embedded store, tier `process`, beside the least that two
 * states on disk cost: a loop in one process that inserts a row in one immediate transaction and updates it in another.
 *
 * A task here is submitted, granted two exclusive locks of 2,000, one of 25 slots and a fence, run, settled and its result
 * kept; owners, tallies and events are written. Turns of a process are committed in groups, as they always are. Wall time.
 * "turn p99.9" is the wait for the file and the transaction itself, so more than the wait alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Bench } from "./harness.ts";
import { processes, SECONDS } from "./sqlite-processes.ts";

type Figures = Readonly<Record<string, number>>;

async function inFolder<T>(work: (file: string) => Promise<T> | T): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-"));
  try {
    return await work(join(folder, "store.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Tasks a second. The same pragmas as the store's. */
function bareLoop(file: string, synchronous: "normal" | "full" = "normal"): Figures {
  const db = new DatabaseSync(file);
  db.exec(`pragma journal_mode = wal; pragma synchronous = ${synchronous}; pragma wal_autocheckpoint = 1000`);
  db.exec("create table task (key integer primary key, status text not null, body text not null)");
  const begin = db.prepare("begin immediate");
  const commit = db.prepare("commit");
  const insert = db.prepare("insert into task (key, status, body) values (?, 'running', ?)");
  const update = db.prepare("update task set status = 'succeeded' where key = ?");
  const body = JSON.stringify({
    agentId: "worker",
    taskType: "no-op",
    description: "does nothing",
    claims: ["lock1", "lock2"],
  });
  let tasks = 0;
  const loop = (ms: number): number => {
    const startMs = performance.now();
    const before = tasks;
    while (performance.now() - startMs < ms) {
      tasks++;
      begin.run();
      insert.run(tasks, body);
      commit.run();
      begin.run();
      update.run(tasks);
      commit.run();
    }
    return (tasks - before) / ((performance.now() - startMs) / 1_000);
  };
  loop(500);
  const before = tasks;
  const startCpu = process.cpuUsage();
  const perSecond = loop(SECONDS * 1_000);
  const { user, system } = process.cpuUsage(startCpu);
  db.close();
  return { "tasks/s": perSecond, "CPU µs/task": (user + system) / (tasks - before) };
}

export const bench: Bench = {
  name: "sqlite",
  title: "no-op tasks with two locks through a shared file",
  unit: "figure",
  measure: "wall",
  rounds: 5,
  cases: [
    { name: "bare two-transaction loop", peer: true, run: () => inFolder((file) => bareLoop(file)) },
    { name: "lockyard, 1 process", run: () => inFolder((file) => processes(1, file)) },
    { name: "bare loop, tier power", run: () => inFolder((file) => bareLoop(file, "full")) },
    { name: "lockyard, 1 process, tier power", run: () => inFolder((file) => processes(1, file, "power")) },
    { name: "lockyard, 4 processes", run: () => inFolder((file) => processes(4, file)) },
  ],
  limits: [
    {
      figure: "P7 against the bare loop",
      value: "tasks/s",
      ratioOf: "lockyard, 1 process",
      to: "bare two-transaction loop",
      atLeast: 0.7,
    },
    {
      figure: "P7 four processes against one",
      value: "tasks/s",
      ratioOf: "lockyard, 4 processes",
      to: "lockyard, 1 process",
      atLeast: 0.9,
    },
    { figure: "P7 slowest share", value: "slowest share", valueOf: "lockyard, 4 processes", atLeast: 0.4 },
    { figure: "P7 wait for the file", value: "turn p99.9 ms", valueOf: "lockyard, 4 processes", atMost: 150 },
  ],
};
