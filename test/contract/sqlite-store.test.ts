/** What only a store in a file can do wrong: files that are not ours, full disks, boots, other versions, and what is kept. */
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { BOUNDS } from "../../src/core/bounds.ts";
import { EXCLUSIVE, RATE, resolvedClaim, SHARED, UNITS } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import type { NewRow, TaskRow } from "../../src/core/row.ts";
import { Connection } from "../../src/stores/sqlite/connection.ts";
import { openSqliteStore, type SqliteStore, sqliteStore } from "../../src/stores/sqlite/index.ts";
import { SqliteStore as Store } from "../../src/stores/sqlite/store.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

let directory = "";
let file = "";
const clock = virtualClock();
const open: SqliteStore[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-sqlite-"));
  file = join(directory, "state", "lockyard", "store.db");
});

afterEach(async () => {
  for (const store of open.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function openStore(options: Partial<Parameters<typeof openSqliteStore>[0]> = {}): Promise<SqliteStore> {
  const store = await openSqliteStore({ clock, file, ...options });
  open.push(store);
  return store;
}

/** A connection beside the store, for what no store would do. */
function beside<T>(work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const submit = (over: Partial<NewRow>): Command => ({ type: "submit", row: newRow(over) });
const settle = ({ key, fence }: TaskRow, result: unknown = null): Command => ({
  type: "settle",
  key,
  fence,
  status: "succeeded",
  result,
});
const writes = (path: string) => [resolvedClaim(`f:${path}`, EXCLUSIVE)];
const typesOf = (effects: readonly Effect[]) => effects.map(({ type }) => type).filter((type) => type !== "waited");

function admitted(effects: readonly Effect[]): TaskRow {
  for (const effect of effects) if (effect.type === "admitted") return effect.row;
  throw new Error("nothing was admitted");
}

describe("what is kept", () => {
  test("everything acknowledged is there when the file is opened again, and fences go on growing", async () => {
    const first = await openStore();
    await first.join(newOwner(), () => undefined);
    const row = admitted(
      await first.turn([submit({ taskId: "a", claims: writes("/x"), payload: { prompt: "ä\u0000😀" } })]),
    );
    await first.turn([settle(row, { answer: [1, "two"] }), submit({ taskId: "b", claims: writes("/x") })]);
    await first.close();
    const second = await openStore();
    second.view((view) => {
      expect(view.result("workflow", "a")).toEqual({ answer: [1, "two"] });
      expect(view.task("workflow", "a")).toMatchObject({ status: "succeeded", payload: { prompt: "ä\u0000😀" } });
      expect(view.holds({}).map((hold) => hold.row.taskId)).toEqual(["b"]);
      expect(view.tasks({ statuses: ["succeeded"] }).map(({ taskId }) => taskId)).toEqual(["a"]);
      expect(view.tasks({ statuses: ["failed", "cancelled"] })).toEqual([]);
      expect(view.workflows(9)).toEqual([{ workflowId: "workflow", total: 2, live: 1 }]);
    });
    const next = admitted(await second.turn([submit({ taskId: "c" })]));
    expect(next.fence).toBeGreaterThan(row.fence);
  });

  test("only its user can read the file and its directory", async () => {
    await openStore();
    expect([
      statSync(dirname(file)).mode & 0o777,
      statSync(file).mode & 0o777,
      statSync(`${file}-wal`).mode & 0o777,
    ]).toEqual([0o700, 0o600, 0o600]);
  });

  test("describing a store opens nothing", async () => {
    const descriptor = sqliteStore({ file });
    expect(existsSync(file)).toBe(false);
    const store = await descriptor.open({ clock });
    expect([store.kind, store.scope, store.location, existsSync(file)]).toEqual(["sqlite", "machine", file, true]);
    await store.close();
  });
});

describe("an owner that was judged gone and lives", () => {
  test("joins again with what it submits, so that its tasks are never nobody's", async () => {
    const alpha = await openStore();
    const beta = await openStore();
    await alpha.join(newOwner({ ownerId: "alpha" }), () => undefined);
    await beta.join(newOwner({ ownerId: "beta" }), () => undefined);
    await beta.turn([{ type: "owner-gone", ownerId: "alpha", isProven: true }]);
    const names = () => beta.view((view) => view.owners().map(({ ownerId }) => ownerId));
    expect(names()).toEqual(["beta"]);
    await alpha.turn([submit({ taskId: "late", ownerId: "alpha" })]);
    expect([...names()].sort()).toEqual(["alpha", "beta"]);
  });
});

describe("files that are not ours", () => {
  test("a text is refused and left as it is", async () => {
    file = join(directory, "notes.txt");
    writeFileSync(file, "dear diary, this is longer than a header of a database would have to be, by far, to be read");
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_FOREIGN" });
    expect(readFileSync(file, "utf8").startsWith("dear diary")).toBe(true);
  });

  test("somebody else's database is refused and left as it is", async () => {
    file = join(directory, "other.db");
    beside((database) => database.exec("create table things (name text)"));
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_FOREIGN" });
    expect(beside((database) => database.prepare("select count(*) as n from sqlite_schema").get()?.n)).toBe(1);
  });

  test("a file that was cut off is refused", async () => {
    await (await openStore()).close();
    truncateSync(file, statSync(file).size - 4_096);
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_CORRUPT", hint: expect.stringContaining("copy") });
    truncateSync(file, 50);
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });

  test("pages of rubbish are an error, never an answer", async () => {
    await (await openStore()).close();
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.fill(0xa5, 4_096));
    const failure = openStore().then((store) => store.turn([submit({ taskId: "a" })]));
    await expect(failure).rejects.toMatchObject({ code: "STORE_CORRUPT" });
  });

  test("a file moved away while it is in use is noticed before the next turn", async () => {
    const store = await openStore();
    renameSync(file, `${file}.old`);
    await expect(store.turn([{ type: "tick" }])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    renameSync(`${file}.old`, file);
    expect(await store.turn([{ type: "tick" }])).toEqual([]);
  });
});

describe("other versions", () => {
  test("a store whose meaning has changed is refused with what to install", async () => {
    await (await openStore()).close();
    beside((database) => database.exec("update meta set min_writer = 2"));
    await expect(openStore()).rejects.toMatchObject({ code: "STORE_TOO_NEW", hint: expect.stringContaining("newest") });
  });

  test("a store to which a newer version has added is used, and what it added is kept", async () => {
    await (await openStore()).close();
    beside((database) =>
      database.exec("alter table task add column colour text not null default 'red'; pragma user_version = 9"),
    );
    const store = await openStore();
    await store.join(newOwner(), () => undefined);
    await store.turn([submit({ taskId: "a" })]);
    expect(beside((database) => database.prepare("select colour from task").get()?.colour)).toBe("red");
  });

  test("a hold in a mode nobody knows counts as held", async () => {
    const store = await openStore();
    await store.join(newOwner(), () => undefined);
    const row = admitted(await store.turn([submit({ taskId: "a", claims: [resolvedClaim("f:/x", SHARED)] })]));
    beside((database) => database.prepare("update hold set mode = 77 where row_key = ?").run(row.key));
    const effects = await store.turn([submit({ taskId: "b", claims: [resolvedClaim("f:/x/y", SHARED)] })]);
    expect(typesOf(effects)).toEqual(["submitted", "waiting"]);
  });
});

describe("a full or locked disk", () => {
  function limited(): { readonly store: Store; limit(pages: number): void } {
    const connection = Connection.tryOpen(file, "process");
    if (connection === null) throw new Error("the file is busy");
    const store = new Store({ connection, clock, busyLimitMs: 1_000, busyNoticeMs: 100, onNotice: () => undefined });
    open.push(store);
    return { store, limit: (pages) => connection.db.database.exec(`pragma max_page_count = ${pages}`) };
  }

  test("a full disk refuses what is new and keeps what was acknowledged", async () => {
    await (await openStore()).close();
    const { store, limit } = limited();
    await store.join(newOwner(), () => undefined);
    await store.turn([submit({ taskId: "kept", claims: writes("/x") })]);
    limit(1);
    const big = submit({ taskId: "big", payload: "x".repeat(200_000) });
    await expect(store.turn([big])).rejects.toMatchObject({
      code: "STORE_FULL",
      hint: expect.stringContaining("space"),
    });
    expect(store.view((view) => view.tasks({}).map(({ taskId }) => taskId))).toEqual(["kept"]);
    limit(100_000);
    expect(typesOf(await store.turn([big]))).toEqual(["submitted", "admitted"]);
  });

  test("a list of commands that runs into a full disk says of each whether it was carried out", async () => {
    await (await openStore()).close();
    const { store, limit } = limited();
    await store.join(newOwner(), () => undefined);
    const rows = Array.from({ length: 130 }, (_, index) =>
      submit({ taskId: `t${index}`, payload: index < 64 ? null : "x".repeat(50_000) }),
    );
    limit(Number(beside((database) => database.prepare("pragma page_count").get()?.page_count)) + 60);
    const effects = await store.turn(rows);
    const submitted = effects.flatMap((effect) => (effect.type === "submitted" ? [effect.index] : []));
    const refused = effects.flatMap((effect) => (effect.type === "refused" ? [[effect.index, effect.code]] : []));
    expect(submitted).toEqual(Array.from({ length: 64 }, (_, index) => index));
    expect(refused).toEqual(Array.from({ length: 66 }, (_, index) => [index + 64, "STORE_FULL"]));
    expect(store.view((view) => view.count({}))).toBe(64);
  });
});

describe("after a boot", () => {
  test("owners of before are gone, times start again, and fences still grow", async () => {
    const before = virtualClock({ startMs: 900_000_000 });
    const first = await openSqliteStore({ clock: before, file, bootId: "one" });
    await first.join(newOwner({ bootId: "one" }), () => undefined);
    await first.turn([
      { type: "declare", node: "r:api", kind: "rate", capacity: 1, intervalMs: 60_000, by: "file", authority: true },
      submit({ taskId: "held", claims: writes("/x") }),
      submit({ taskId: "rate", claims: [resolvedClaim("r:api", RATE)] }),
      submit({ taskId: "suspends", orphan: "suspend", claims: writes("/x"), queueTimeoutMs: 5_000 }),
    ]);
    const fence = first.view((view) => view.task("workflow", "held")?.fence ?? 0);
    await first.close();

    const after = virtualClock({ startMs: 2_000, wallMs: Date.UTC(2026, 0, 2) });
    const second = await openSqliteStore({ clock: after, file, bootId: "two" });
    open.push(second);
    second.view((view) => {
      expect(view.owners()).toEqual([]);
      expect(view.task("workflow", "held")?.status).toBe("failed");
      expect(view.task("workflow", "suspends")?.status).toBe("suspended");
      expect(view.holds({})).toEqual([]);
    });
    await second.join(newOwner({ bootId: "two" }), () => undefined);
    const next = admitted(await second.turn([submit({ taskId: "next", claims: writes("/x") })]));
    expect(next.admittedAtMs).toBe(2_000);
    expect(next.fence).toBeGreaterThan(fence + 1_000_000);
    // What was left of the rate's interval is left still, not sixty days.
    await second.turn([submit({ taskId: "again", claims: [resolvedClaim("r:api", RATE)] })]);
    expect(second.nextDueAtMs()).toBeGreaterThan(2_000);
    expect(second.nextDueAtMs() <= 62_000).toBe(true);
  });

  test("the same boot is no reason to judge anybody", async () => {
    const first = await openStore({ bootId: "one" });
    await first.join(newOwner({ bootId: "one" }), () => undefined);
    await first.turn([submit({ taskId: "a", claims: writes("/x") })]);
    const second = await openStore({ bootId: "one" });
    expect(second.view((view) => [view.owners().length, view.holds({}).length])).toEqual([1, 1]);
    const third = await openStore({ bootId: "" });
    expect(third.view((view) => view.owners().length)).toBe(1);
  });
});

describe("turns", () => {
  test("what is asked for together is committed together", async () => {
    const store = await openStore();
    await Promise.all(["a", "b", "c"].map((taskId) => store.turn([submit({ taskId })])));
    expect(beside((database) => database.prepare("select count(*) as n from event").get()?.n)).toBe(1);
  });

  test("what a turn left to test is tested without being asked for, and its owner is told", async () => {
    const store = await openStore();
    const told: Effect[] = [];
    await store.join(newOwner(), (effects) => told.push(...effects));
    const writer = admitted(await store.turn([submit({ taskId: "writer", claims: writes("/x") })]));
    const readers = Array.from({ length: 150 }, (_, index) =>
      submit({ taskId: `r${index}`, claims: [resolvedClaim("f:/x", SHARED)] }),
    );
    await store.turn(readers);
    const first = await store.turn([settle(writer)]);
    await clock.advance(0);
    const count = (effects: readonly Effect[]) => effects.filter(({ type }) => type === "admitted").length;
    expect([count(first), count(told)]).toEqual([64, 86]);
    expect(store.nextDueAtMs()).toBe(0);
  });

  test("what is not plain JSON is refused alone", async () => {
    const store = await openStore();
    await store.join(newOwner(), () => undefined);
    const cycle: unknown[] = [];
    cycle.push(cycle);
    const [good, bad] = await Promise.all([
      store.turn([submit({ taskId: "a" })]),
      store.turn([submit({ taskId: "b", payload: cycle })]),
    ]);
    expect(typesOf(good)).toEqual(["submitted", "admitted"]);
    expect(bad).toMatchObject([{ type: "refused", code: "INVALID_CONTEXT" }]);
  });

  test("a listener that throws is nobody else's problem", async () => {
    const notices: string[] = [];
    const store = await openStore({ onNotice: (line) => notices.push(line) });
    await store.join(newOwner(), () => {
      throw new Error("my own fault");
    });
    const other = await openStore();
    await other.join(newOwner({ ownerId: "beta" }), () => undefined);
    const row = admitted(await store.turn([submit({ taskId: "a" })]));
    await other.turn([{ type: "cancel", key: row.key, status: "cancelled", result: null }]);
    await clock.advance(50);
    expect(notices).toEqual(["A listener of alpha failed: my own fault"]);
    expect(typesOf(await store.turn([settle(row)]))).toEqual(["ended"]);
  });

  test("what an owner was told is forgotten with its next turn, and the journal keeps so many turns", async () => {
    const [store, other] = [await openStore(), await openStore()];
    await store.join(newOwner(), () => undefined);
    await other.join(newOwner({ ownerId: "beta" }), () => undefined);
    const row = admitted(await store.turn([submit({ taskId: "a" })]));
    const notices = () => beside((database) => database.prepare("select count(*) as n from notice").get()?.n);
    await other.turn([{ type: "cancel", key: row.key, status: "cancelled", result: null }]);
    expect(notices()).toBe(1);
    await clock.advance(50);
    await store.turn([{ type: "tick" }]);
    expect(notices()).toBe(0);
    beside((database) => database.exec(`insert into event values (${BOUNDS.journalTurns * 2 - 1}, 0, 0, '[]')`));
    for (const taskId of ["b", "c"]) await store.turn([submit({ taskId })]);
    for (let index = 0; index < 256; index++) await store.turn([submit({ taskId: `d${index}` })]);
    const oldest = beside((database) => database.prepare("select min(sequence) as n from event").get()?.n);
    expect(Number(oldest)).toBeGreaterThan(BOUNDS.journalTurns - 1);
  });
});

describe("a broken invariant", () => {
  const twice = [resolvedClaim("c:x", UNITS, 2), resolvedClaim("c:x", UNITS, 2)];
  const capacity: Command = {
    type: "declare",
    node: "c:x",
    kind: "capacity",
    capacity: 3,
    by: "file",
    authority: true,
  };

  test("a waiter that cannot be granted is ended by whoever meets it, and nobody else notices", async () => {
    const store = await openStore();
    await store.join(newOwner(), () => undefined);
    const holder = admitted(
      await store.turn([capacity, submit({ taskId: "holder", claims: [resolvedClaim("c:x", UNITS, 3)] })]),
    );
    // Two claims on one node are added up at the edge; left apart, each fits and both together do not.
    await store.turn([
      submit({ taskId: "poison", claims: twice }),
      submit({ taskId: "next", rank: 1, claims: [resolvedClaim("c:x", UNITS)] }),
    ]);
    const effects = await store.turn([settle(holder)]);
    expect(typesOf(effects)).toEqual(["ended", "ended", "admitted"]);
    store.view((view) => {
      const statusOf = (taskId: string) => view.task("workflow", taskId)?.status;
      expect(["holder", "poison", "next"].map(statusOf)).toEqual(["succeeded", "failed", "running"]);
      expect(view.counters().map(({ used }) => used)).toEqual([1]);
    });
  });

  test("one that breaks when its time has come does not stop the others either", async () => {
    const store = await openStore();
    await store.join(newOwner(), () => undefined);
    const row = admitted(await store.turn([submit({ taskId: "held", claims: writes("/x") })]));
    beside((database) =>
      database.exec(`delete from hold; update task set due_at_ms = 1, status = 'starting' where key = ${row.key}`),
    );
    const effects = await store.turn([submit({ taskId: "next" })]);
    expect(effects.flatMap((effect) => (effect.type === "admitted" ? [effect.row.taskId] : []))).toEqual(["next"]);
  });
});
