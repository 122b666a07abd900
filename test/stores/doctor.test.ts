/** What `doctor` says of a store's file. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkFile } from "../../src/cli/doctor/store-checks.ts";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newRow } from "../../src/testing/rows.ts";

let directory = "";
let file = "";
const clock = virtualClock({ startMs: 1_000_000 });

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-doctor-"));
  file = join(directory, "store.db");
  const store = await openSqliteStore({ clock, file, bootId: "" });
  for (let index = 0; index < 50; index++) {
    await store.turn([{ type: "submit", row: newRow({ taskId: `t${index}`, payload: "x".repeat(2_000) }) }]);
  }
  await store.close();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const change = (sql: string): void => {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
};
const look = (isThorough = false) => checkFile(file, { clock, isThorough });

test("a sound store gives no reason to speak, and says so when every page was read", () => {
  expect(look()).toEqual([]);
  expect(look(true)).toEqual([{ name: "store", status: "ok", what: "every page was read and none is damaged" }]);
});

test("damage that no command has met yet is found when every page is read", () => {
  const bytes = readFileSync(file);
  // In the middle of the file: pages of rows, which opening does not read.
  bytes.fill(0xff, Math.floor(bytes.length / 2), Math.floor(bytes.length / 2) + 8_192);
  writeFileSync(file, bytes);
  const [check] = look(true);
  expect(check).toMatchObject({ status: "fault", fix: expect.stringContaining("keep a copy") });
  expect(check?.what).toMatch(/damaged/);
});

test("a clock that was set back, and one that began elsewhere, are told apart", () => {
  change(`update event set wall_ms = ${clock.wallMs() + 3_600_000}`);
  expect(look()).toMatchObject([{ name: "clock", status: "warning", what: expect.stringContaining("1h") }]);
  change("update event set wall_ms = 0; update meta set last_now_ms = 90000000");
  expect(look()).toMatchObject([{ name: "clock", status: "fault", fix: expect.stringContaining("time namespace") }]);
});

test("a file that others may read is told", () => {
  chmodSync(file, 0o644);
  expect(look()).toMatchObject([{ status: "warning", what: expect.stringContaining("mode 644") }]);
});

test("a file that is not a store is named with what to do", () => {
  writeFileSync(file, "x".repeat(500));
  expect(look()).toMatchObject([{ status: "fault", what: expect.stringContaining(file), fix: expect.any(String) }]);
});
