import { expect, test } from "vitest";
import { openSqliteLedger } from "../../../test/support/sqlite-ledger.ts";
import * as COUNTERS from "./sql/counters.ts";
import * as HOLDS from "./sql/holds.ts";
import { conflictSql } from "./sql/holds.ts";
import * as ROWS from "./sql/rows.ts";
import * as VIEW from "./sql/view.ts";

/** Every statement a turn runs, and what is allowed to be looked through from end to end: lists given as JSON, small answers. */
const DECIDING: readonly string[] = [
  ...Object.values(ROWS),
  ...Object.values(HOLDS),
  ...Object.values(COUNTERS),
  ...[0, 1, 7, 32].flatMap((depth) => [conflictSql(depth, false), conflictSql(depth, true)]),
  VIEW.NEXT_TURN,
  VIEW.HAS_LIVE_ROWS,
].filter((sql) => typeof sql === "string");

/** For status and people: may read what there is a handful of. */
const ALLOWED_SCANS = [
  /^SCAN (?:json_each|node|mode|value)\b/, // a list given as JSON
  /^SCAN CONSTANT ROW$/,
  /^SCAN task USING (?:COVERING )?INDEX task_(?:watch|inside|request|passed|reserved|due)\b/, // partial: only those it is about
  /^SCAN counter(?: USING INDEX counter_due)?$/,
  /^SCAN meta$/, // one row
  /^SCAN owner$/,
  /^SCAN place$/, // only when one is kept
  /^SCAN \(?subquery/i,
];

test("no statement of a turn reads a table from end to end", () => {
  const { db, close } = openSqliteLedger();
  const faults: string[] = [];
  for (const sql of DECIDING) {
    for (const [, , , detail] of db.all(`explain query plan ${sql}`)) {
      const step = String(detail);
      if (step.startsWith("SCAN") && !ALLOWED_SCANS.some((allowed) => allowed.test(step)))
        faults.push(`${step}: ${sql}`);
      if (step.includes("AUTOMATIC")) faults.push(`${step}: ${sql}`);
    }
  }
  close();
  expect(faults).toEqual([]);
});

/** What a statement seeks by, without what it does in memory. */
function seeks(sql: string): string[] {
  const { db, close } = openSqliteLedger();
  const plan = db.all(`explain query plan ${sql}`).map((row) => String(row[3]));
  close();
  return plan
    .filter((step) => step.startsWith("SEARCH"))
    .map((step) => step.replace("SEARCH task USING COVERING INDEX ", ""));
}

test("a place in a line is found by steps in an index, also among equal ranks", () => {
  expect(seeks(ROWS.HEAD)).toEqual([
    "task_watch (watch=? AND watch_mode=? AND gate=? AND rank=? AND rowid>?)",
    "task_watch (watch=? AND watch_mode=? AND gate=? AND rank>?)",
  ]);
});

test("the lines at a node are found without walking through them", () => {
  expect(seeks(ROWS.NEXT_LINE)).toEqual([
    "task_watch (watch=? AND watch_mode=? AND gate>?)",
    "task_watch (watch=? AND watch_mode>?)",
  ]);
});

test("no statement of a turn compares pairs: SQLite would walk through all that have the first in common", () => {
  expect(DECIDING.filter((sql) => /\(\w+, \w+\) [<>]/.test(sql))).toEqual([]);
});
