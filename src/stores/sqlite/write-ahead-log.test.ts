import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "./driver.ts";
import { Statements } from "./statements.ts";
import { WriteAheadLog } from "./write-ahead-log.ts";

let folder = "";
let open: Statements[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "lockyard-wal-"));
});
afterEach(() => {
  for (const { database } of open) database.close();
  open = [];
  rmSync(folder, { recursive: true, force: true });
});

function connect(): Statements {
  const db = new Statements(openDatabase(join(folder, "store.db")));
  db.database.exec("pragma journal_mode = wal; pragma synchronous = off; pragma wal_autocheckpoint = 0");
  open.push(db);
  return db;
}

/** One page a commit. */
function write(db: Statements, log: WriteAheadLog, commits: number): void {
  for (let count = 0; count < commits; count++) {
    db.run("update t set a = a + 1");
    log.committed();
  }
}

test("a log that nobody keeps is copied every thousand pages and begun anew", () => {
  const db = connect();
  db.database.exec("create table t (a); insert into t values (0)");
  const log = new WriteAheadLog(db);
  write(db, log, 5_000);
  expect(log.pages().pages).toBeLessThan(1_100);
});

test("a reader that stays keeps the log; when it is gone the log is begun anew", () => {
  const db = connect();
  db.database.exec("create table t (a); insert into t values (0)");
  const log = new WriteAheadLog(db);
  const reader = connect();
  reader.run("begin");
  expect(reader.one("select a from t")).toEqual([0]);
  write(db, log, 2_000);
  expect(log.pages().pages).toBeGreaterThan(2_000);
  expect(reader.one("select a from t")).toEqual([0]);
  reader.run("rollback");
  write(db, log, 1_000);
  expect(log.pages().pages).toBeLessThan(1_100);
  expect(reader.one("select a from t")).toEqual([3_000]);
});
