/**
 * Sixteen processes open one store of an older schema at the same moment, bring it up to date, and work on it together: no
 * error reaches any of them, nothing overlaps, nothing is lost. A worker that is told STORE_BUSY or anything else ends with 1.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MIGRATIONS } from "../../src/stores/sqlite/migrations/list.ts";

const WORKER = new URL("../support/sqlite-worker.ts", import.meta.url).pathname;
const PROCESSES = 16;
const TASKS = 25;
/** Sixteen processes share whatever cores there are: nothing here may depend on how fast they are. */
const LIMIT_MS = 300_000;

let directory = "";
let file = "";
const children: ChildProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-busy-"));
  file = join(directory, "store.db");
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
  readonly fences: readonly number[];
}

function answer<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null, signal: string | null): void =>
      reject(new Error(`the worker ended with ${code ?? signal}`));
    child.once("exit", onExit);
    child.once("message", (message) => {
      child.removeListener("exit", onExit);
      resolve(message as T); // what sqlite-worker.ts sends
    });
  });
}

test("sixteen processes open, migrate and work on one store, and nobody is told that it is busy", {
  timeout: LIMIT_MS,
}, async () => {
  const packed = readFileSync(new URL("./schema-1.db.gz", import.meta.url));
  writeFileSync(file, gunzipSync(packed), { mode: 0o600 });
  const workers = Array.from({ length: PROCESSES }, (_, index) => {
    const name = `${String.fromCharCode(97 + index)}-process`;
    const child = fork(WORKER, [file, name, String(TASKS), join(directory, "witnesses")], {
      execArgv: ["--no-warnings"],
    });
    children.push(child);
    return child;
  });
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
  expect(new Set(fences).size).toBe(PROCESSES * TASKS);
  const database = new DatabaseSync(file);
  const one = (sql: string) => Object.values(database.prepare(sql).get() ?? {})[0];
  expect(one("pragma user_version")).toBe(MIGRATIONS.length);
  expect(one("pragma integrity_check")).toBe("ok");
  expect(one("select count(*) from task where status = 'succeeded' and workflow_id like '%-process'")).toBe(
    PROCESSES * TASKS,
  );
  expect(one("select count(*) from hold")).toBe(0);
  database.close();
});
