/** Several real processes on one file: nothing overlaps, everything settles, and no death or stop of one stops the others. */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { ownIdentity } from "../../src/process/identity.ts";
import { judgeOwners, OwnerJudge } from "../../src/process/owner-judge.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner } from "../../src/testing/rows.ts";

const WORKER = new URL("../support/sqlite-worker.ts", import.meta.url).pathname;
const TASKS = 120;

let directory = "";
let file = "";
const children: ChildProcess[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-processes-"));
  file = join(directory, "state", "store.db");
  mkdirSync(join(directory, "witnesses"));
});

afterEach(() => {
  for (const child of children.splice(0))
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
});

interface Report {
  readonly settled: number;
  readonly overlaps: number;
  readonly toldByOthers: number;
  readonly fences: readonly number[];
}

function start(name: string, tasks = TASKS): ChildProcess {
  const child = fork(WORKER, [file, name, String(tasks), join(directory, "witnesses")], { execArgv: [] });
  children.push(child);
  return child;
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as T)); // what sqlite-worker.ts sends
    child.once("exit", (code, signal) => reject(new Error(`the worker ended with ${code ?? signal}`)));
  });
}

test("three processes that open one new file at once work it off without overlap", async () => {
  const workers = ["alpha", "beta", "gamma"].map((name) => start(name));
  await Promise.all(workers.map((worker) => answer(worker)));
  const reports = await Promise.all(
    workers.map((worker) => {
      const report = answer<Report>(worker);
      worker.send("go");
      return report;
    }),
  );
  expect(reports.map(({ settled, overlaps }) => ({ settled, overlaps }))).toEqual(
    workers.map(() => ({ settled: TASKS, overlaps: 0 })),
  );
  const fences = reports.flatMap((report) => report.fences);
  expect(new Set(fences).size).toBe(fences.length);
  expect(reports.some(({ toldByOthers }) => toldByOthers > 0)).toBe(true);
});

test("what a killed process left is taken over: its locks go, its waiters end, the others finish", async () => {
  const [victim, survivor] = [start("victim", 2_000), start("survivor")];
  await Promise.all([answer(victim), answer(survivor)]);
  const report = answer<Report>(survivor);
  victim.send("go");
  survivor.send("go");
  const clock = systemClock();
  const store = await openSqliteStore({ file, clock });
  const hasBegun = () => store.view((view) => view.count({ workflowId: "victim", statuses: ["succeeded"] }) > 20);
  while (!hasBegun()) await new Promise((resolve) => setImmediate(resolve));
  const gone = new Promise((resolve) => victim.once("exit", resolve));
  victim.kill("SIGKILL");
  await gone;
  const judge = "judge";
  await store.join(newOwner({ ownerId: judge, ...ownIdentity() }), () => undefined);
  const effects = await judgeOwners({
    store,
    clock,
    judge: new OwnerJudge({ clock }),
    selves: new Set([judge]),
  });
  expect(effects.flatMap((effect) => (effect.type === "owner-gone" ? [effect.owner.ownerId] : []))).toEqual(["victim"]);
  expect((await report).settled).toBe(TASKS);
  const left = store.view((view) => ({ live: view.count({ workflowId: "victim" }), holds: view.holds({}).length }));
  expect(left).toEqual({ live: 0, holds: 0 });
  await store.close();
});

test("a process stopped while it writes is named, with what to do, and nothing is lost", async () => {
  const clock = virtualClock();
  const notices: string[] = [];
  const store = await openSqliteStore({ file, clock, onNotice: (line) => notices.push(line), busyLimitMs: 30_000 });
  const holder = spawn(process.execPath, ["-e", HOLDER, file], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(holder);
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  holder.kill("SIGSTOP");
  await expect(clock.run(store.turn([{ type: "tick" }]))).rejects.toMatchObject({ code: "STORE_BUSY" });
  expect(notices).toEqual([expect.stringMatching(`${holder.pid}.*is stopped.*kill -CONT ${holder.pid}`)]);
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  expect(await clock.run(store.turn([{ type: "tick" }]))).toEqual([]);
  await store.close();
});

const HOLDER = `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(process.argv[1]);
  database.exec("begin immediate");
  process.stdout.write("held");
  setInterval(() => {}, 1000);
`;
