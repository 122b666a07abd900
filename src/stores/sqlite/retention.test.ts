import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { virtualClock } from "../../clock/virtual-clock.ts";
import { RETENTION } from "../../core/bounds.ts";
import type { Command, Effect } from "../../core/command.ts";
import { newOwner, newRow } from "../../testing/rows.ts";
import { type OpenSqliteOptions, openStore } from "./open.ts";
import type { SqliteStore } from "./store.ts";

const DAY_MS = 86_400_000;
let directory = "";
let file = "";
let clock = virtualClock();
const opened: SqliteStore[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-retention-"));
  file = join(directory, "store.db");
  clock = virtualClock();
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(over: Partial<OpenSqliteOptions> = {}): Promise<SqliteStore> {
  const store = await openStore({ clock, file, bootId: "", ...over });
  opened.push(store);
  // Not by `join`, which watches the file: here years pass.
  await store.turn([{ type: "owner-join", owner: newOwner() }]);
  return store;
}

function beside<T>(ask: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(file);
  try {
    return ask(database);
  } finally {
    database.close();
  }
}
const number = (sql: string): number =>
  beside((database) => Number(Object.values(database.prepare(sql).get() ?? {})[0]));

function endings(effects: readonly Effect[], result: unknown): Command[] {
  return effects.flatMap((effect): Command[] => {
    if (effect.type !== "admitted") return [];
    const { key, fence } = effect.row;
    return [{ type: "settle", key, fence, status: "succeeded", result }];
  });
}

/** Runs so many tasks to their end. */
async function work(store: SqliteStore, workflowId: string, count: number, result: unknown = null): Promise<void> {
  const submits = Array.from({ length: count }, (_, index): Command => {
    const payload = { description: `prompt ${index} of ${workflowId}` };
    return { type: "submit", row: newRow({ workflowId, taskId: `t${index}`, payload }) };
  });
  await store.turn(endings(await store.turn(submits), result));
}

/** Turns as they come when nothing much happens. */
async function quietTurns(store: SqliteStore, count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await clock.advance(RETENTION.stepMs);
    await store.turn([{ type: "tick" }]);
  }
}

describe("after 14 days", () => {
  test("what ended is forgotten with its results, a page a turn, and the counts say so", async () => {
    const store = await open();
    await work(store, "old", 200, { output: "x" });
    await clock.advance(15 * DAY_MS);
    await work(store, "new", 3);
    expect(number("select count(*) from task where workflow_id = 'old'")).toBeGreaterThan(
      200 - 3 * RETENTION.rowsPerStep,
    );
    await quietTurns(store, 4);
    expect(store.view((view) => view.workflows(9))).toEqual([{ workflowId: "new", total: 3, live: 0 }]);
    expect(number("select count(*) from task")).toBe(3);
    expect(number("select count(*) from result")).toBe(3);
    expect(number("select count(*) from tally where workflow_id = 'old'")).toBe(0);
  });

  test("a workflow that goes on keeps all its tasks, and does not keep others from being forgotten", async () => {
    const store = await open();
    await work(store, "long", 150);
    await store.turn([{ type: "submit", row: newRow({ workflowId: "long", taskId: "last" }) }]);
    await work(store, "short", 10);
    await clock.advance(20 * DAY_MS);
    await quietTurns(store, 8);
    expect(store.view((view) => view.workflows(9))).toEqual([{ workflowId: "long", total: 151, live: 1 }]);
    const last = store.view((view) => view.task("long", "last"));
    await store.turn([
      { type: "settle", key: last?.key ?? 0, fence: last?.fence ?? 0, status: "succeeded", result: null },
    ]);
    await clock.advance(15 * DAY_MS);
    await quietTurns(store, 8);
    expect(number("select count(*) from task")).toBe(0);
  });

  test("two processes that forget at the same time forget everything once", async () => {
    const [one, other] = [await open(), await open()];
    await work(one, "old", 500);
    await clock.advance(15 * DAY_MS);
    for (let turn = 0; turn < 12; turn++) {
      await clock.advance(RETENTION.stepMs);
      await Promise.all([one.turn([{ type: "tick" }]), other.turn([{ type: "tick" }])]);
    }
    expect(number("select count(*) from task")).toBe(0);
    expect(number("select count(*) from tally")).toBe(0);
    await work(one, "new", 3);
    expect(other.view((view) => view.count({ statuses: ["succeeded"] }))).toBe(3);
  });

  test("a task of the same name may come again in the process that knew the old one", async () => {
    const store = await open();
    await work(store, "again", 5);
    await clock.advance(15 * DAY_MS);
    await quietTurns(store, 3);
    await work(store, "again", 5);
    expect(store.view((view) => view.count({ workflowId: "again", statuses: ["succeeded"] }))).toBe(5);
  });
});

describe("too big", () => {
  test("the oldest goes first, and the file gets smaller", async () => {
    const store = await open({ keptBytes: 3_000_000 });
    for (let round = 0; round < 8; round++) {
      await work(store, `w${round}`, 60, { output: "x".repeat(20_000) });
      await clock.advance(RETENTION.leastMs);
    }
    // Nobody has had a reason to look while nothing had ended long enough ago.
    await quietTurns(store, 150);
    const left = store.view((view) => view.workflows(9).map(({ workflowId }) => workflowId));
    expect(left).toContain("w7");
    expect(left).not.toContain("w0");
    beside((database) => database.exec("pragma wal_checkpoint(truncate)"));
    expect(statSync(file).size).toBeLessThan(3_000_000 + RETENTION.freePages * 4_096 + 100_000);
    expect(beside((database) => database.prepare("pragma integrity_check").get())).toEqual({ integrity_check: "ok" });
  });

  test("what is unfinished stays, however big, and so does what has just ended", async () => {
    const store = await open({ keptBytes: 1 });
    await store.turn([{ type: "submit", row: newRow({ taskId: "runs", payload: "x".repeat(900_000) }) }]);
    await work(store, "just", 5);
    await quietTurns(store, 3);
    expect(number("select count(*) from task")).toBe(6);
    await clock.advance(RETENTION.leastMs * 2);
    await quietTurns(store, 3);
    expect(store.view((view) => [view.count({}), view.workflows(9).length])).toEqual([1, 1]);
  });
});

describe("prompts", () => {
  const payloads = () =>
    beside((database) => database.prepare("select payload from task order by key").all()).map(({ payload }) => payload);

  test("are kept for 7 days after the end, and results longer", async () => {
    const store = await open();
    await work(store, "w", 100, { output: 1 });
    await store.turn([{ type: "submit", row: newRow({ taskId: "runs", payload: "still needed" }) }]);
    await clock.advance(6 * DAY_MS);
    await quietTurns(store, 4);
    expect(payloads().filter((text) => text === "")).toHaveLength(0);
    await clock.advance(2 * DAY_MS);
    await quietTurns(store, 4);
    expect(payloads().filter((text) => text !== "")).toEqual(['"still needed"']);
    expect(store.view((view) => view.result("w", "t99"))).toEqual({ output: 1 });
  });

  test("a clock that was a year ahead for a while does not keep any for longer", async () => {
    const store = await open();
    await work(store, "w", 3);
    beside((database) => database.exec(`update meta set prompts_forgotten_until_ms = 9e15`));
    await clock.advance(8 * DAY_MS);
    await quietTurns(store, 2);
    expect(payloads()).toEqual(["", "", ""]);
  });

  test("none: a task that only its own process can run is never written, a plan's task until it ends", async () => {
    const store = await open({ prompts: "none" });
    const effects = await store.turn([
      { type: "submit", row: newRow({ taskId: "a", payload: { description: "secret" } }) },
      { type: "submit", row: newRow({ taskId: "b", payload: { description: "secret" }, orphan: "suspend" }) },
    ]);
    expect(payloads()).toEqual(["", '{"description":"secret"}']);
    await store.turn(endings(effects, null));
    expect(payloads()).toEqual(["", ""]);
    expect(store.view((view) => view.task("workflow", "a")?.payload)).toBeUndefined();
  });

  test("hash: equal ones can be told, and no more", async () => {
    const store = await open({ prompts: "hash" });
    const submit = (taskId: string, description: string, over = {}): Command => {
      return { type: "submit", row: newRow({ taskId, payload: { description }, ...over }) };
    };
    const effects = await store.turn([submit("a", "x"), submit("b", "x", { orphan: "suspend" }), submit("c", "y")]);
    await store.turn(endings(effects, null));
    const [a, b, c] = payloads();
    expect(a).toMatch(/^\{"sha256":"[0-9a-f]{64}"\}$/);
    expect([b === a, c === a]).toEqual([true, false]);
  });
});

test("the limit of a manager that is gone goes too, unless a task that it left behind still names it", async () => {
  const store = await open();
  const declare = (owner: string): readonly Command[] => [
    { type: "owner-join", owner: newOwner({ ownerId: owner }) },
    { type: "declare", node: `l:${owner}:slots`, kind: "limit", capacity: 1, by: owner, authority: true },
  ];
  const left = newRow({ taskId: "left", ownerId: "two", limits: ["l:two:slots"], orphan: "suspend" });
  await store.turn([...declare("one"), ...declare("two"), { type: "submit", row: left }]);
  await store.turn(["one", "two"].map((ownerId) => ({ type: "owner-gone", ownerId, isProven: true })));
  await clock.advance(RETENTION.restMs);
  await quietTurns(store, 2);
  const nodes = beside((database) => database.prepare("select node from counter where kind = 'limit'").all());
  expect(nodes.map(({ node }) => node)).toEqual(["l:two:slots"]);
});
