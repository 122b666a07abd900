/** Programs of two releases on one store at the same time. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { LEASE } from "../../src/core/bounds.ts";
import type { Command } from "../../src/core/command.ts";
import { type OpenSqliteOptions, openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/index.ts";
import { FORMAT } from "../../src/stores/sqlite/migrate.ts";
import { MIGRATIONS } from "../../src/stores/sqlite/migrations/list.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const JOIN: Command = { type: "owner-join", owner: newOwner() };

let directory = "";
let file = "";
let clock = virtualClock({ startMs: 50_000 });
const opened: SqliteStore[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-versions-"));
  file = join(directory, "store.db");
  clock = virtualClock({ startMs: 50_000 });
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(over: Partial<OpenSqliteOptions> = {}): Promise<SqliteStore> {
  const store = await openSqliteStore({ clock, file, bootId: "", ...over });
  opened.push(store);
  return store;
}

/** A later program that only adds. */
const ADDS = {
  format: FORMAT,
  migrations: [...MIGRATIONS, { sql: "alter table task add column colour text not null default 'red'" }],
};
/** A later program that gives what is stored another meaning. */
const CHANGES = {
  format: FORMAT + 1,
  migrations: [
    ...MIGRATIONS,
    { sql: "update meta set carry = carry", raises: { minWriter: FORMAT + 1, release: "7.1.0" } },
  ],
};
const meta = () => {
  const database = new DatabaseSync(file);
  try {
    return database.prepare("select format, min_writer, min_writer_release from meta").get();
  } finally {
    database.close();
  }
};

test("what a later release added is used by both, in turns", async () => {
  const older = await open();
  const newer = await open({ schema: ADDS });
  await older.turn([JOIN, { type: "submit", row: newRow({ taskId: "a" }) }]);
  await newer.turn([JOIN, { type: "submit", row: newRow({ taskId: "b" }) }]);
  const again = await open();
  expect(again.view((view) => view.count({}))).toBe(2);
  expect(meta()).toMatchObject({ format: FORMAT, min_writer: 1 });
});

test("a change of meaning waits while an older program works, names it, and happens when it has left", async () => {
  const older = await open();
  await older.join(newOwner({ label: "run docs", pid: 4_242, beatAtMs: clock.nowMs() }), () => undefined);
  const notices: string[] = [];
  const newer = clock.run(open({ schema: CHANGES, onNotice: (line) => notices.push(line) }));
  const left = clock.advance(1_000).then(() => older.turn([{ type: "owner-leave", ownerId: "alpha" }]));
  await Promise.all([left, newer]);
  expect(notices).toEqual([expect.stringMatching(/until older ones have ended: run docs, pid 4242\.$/)]);
  expect(meta()).toEqual({ format: FORMAT + 1, min_writer: FORMAT + 1, min_writer_release: "7.1.0" });
});

test("it gives up with who is in its way, and has changed nothing", async () => {
  const older = await open();
  await older.join(newOwner({ label: "run docs", beatAtMs: clock.nowMs() }), () => undefined);
  const newer = clock.run(open({ schema: CHANGES, busyLimitMs: 3_000 }));
  await expect(newer).rejects.toMatchObject({
    code: "STORE_BUSY",
    message: expect.stringContaining("run docs, pid 1"),
  });
  expect(meta()).toMatchObject({ min_writer: 1 });
  await older.turn([{ type: "submit", row: newRow() }]);
});

test("an older program whose lease has lapsed is not waited for, and can change nothing when it wakes", async () => {
  const older = await open();
  await older.join(newOwner({ beatAtMs: clock.nowMs() }), () => undefined);
  await clock.advance(LEASE.timeToLiveMs + 1);
  await open({ schema: CHANGES });
  await expect(older.turn([{ type: "submit", row: newRow() }])).rejects.toMatchObject({
    code: "STORE_TOO_NEW",
    hint: expect.stringContaining("lockyard@7.1.0"),
  });
  expect(older.view((view) => view.count({}))).toBe(0);
});

test("whoever comes with an older release is told which one to install", async () => {
  await (await open({ schema: CHANGES })).close();
  await expect(open()).rejects.toMatchObject({
    code: "STORE_TOO_NEW",
    message: `The store ${file} needs format ${FORMAT + 1} and this Lockyard knows format ${FORMAT}.`,
    hint: expect.stringContaining("Install lockyard 7.1.0 or later"),
  });
});
