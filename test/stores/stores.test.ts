/**
 * A store that any earlier program made is opened, brought up to date and worked on by this one. `schema-N.db.gz` was made
 * by the last program of schema N (make.ts); a migration more needs the file of the schema before it.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gunzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, resolvedClaim, UNITS } from "../../src/core/claims.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { MIGRATIONS } from "../../src/stores/sqlite/migrations/list.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const CORPUS = readdirSync(new URL(".", import.meta.url))
  .filter((name) => /^schema-\d+\.db\.gz$/.test(name))
  .sort();

let directory = "";
let file = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-corpus-"));
  file = join(directory, "store.db");
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function unpack(name: string): void {
  writeFileSync(file, gunzipSync(readFileSync(new URL(name, import.meta.url))), { mode: 0o600 });
}

test("there is a store of every schema before this one", () => {
  const wanted = Array.from({ length: MIGRATIONS.length - 1 }, (_, index) => `schema-${index + 1}.db.gz`);
  expect(CORPUS).toEqual(expect.arrayContaining(wanted));
});

describe.each(CORPUS)("%s", (name) => {
  const clock = virtualClock({ startMs: 1_000_000 });

  test("is opened, and everything in it is as it was", async () => {
    unpack(name);
    const store = await openSqliteStore({ clock, file, bootId: "corpus" });
    store.view((view) => {
      const statusOf = (taskId: string) => view.task("workflow", taskId)?.status;
      expect(["done-1", "bad", "writer", "waits", "blocked", "reader"].map(statusOf)).toEqual([
        "succeeded",
        "failed",
        "running",
        "waiting",
        "blocked",
        "succeeded",
      ]);
      expect(view.task("workflow", "writer")?.payload).toEqual({
        description: "prompt of writer",
        contextData: { files: ["ä.md"] },
      });
      expect(view.result("workflow", "bad")).toEqual({ output: "failed" });
      expect(view.owners().map(({ ownerId, label }) => [ownerId, label])).toEqual([
        ["alpha", "run alpha"],
        ["beta", "run beta"],
      ]);
      expect(view.holds({}).map(({ row, members }) => [row.taskId, ...members])).toEqual([
        ["writer"],
        ["ports", "3000"],
        ["build"],
        ["theirs"],
      ]);
      expect(view.counters().map(({ node, capacity, used }) => [node, capacity, used])).toEqual([
        ["c:build", 2, 2],
        ["l:beta", 3, 1],
        ["p:port", 2, 1],
        ["r:api", 2, 0],
      ]);
      expect(view.workflows(9).map(({ workflowId, total, live }) => [workflowId, total, live])).toEqual([
        ["other", 2, 1],
        ["workflow", 11, 7],
        ["yesterday", 1, 0],
      ]);
    });
    await store.close();
    const database = new DatabaseSync(file);
    expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    expect(database.prepare("pragma user_version").get()).toEqual({ user_version: MIGRATIONS.length });
    expect(database.prepare("pragma auto_vacuum").get()).toEqual({ auto_vacuum: 2 });
    database.close();
  });

  test("is worked on: what waited is granted, what was noticed is told, fences go on growing", async () => {
    unpack(name);
    const store = await openSqliteStore({ clock, file, bootId: "corpus" });
    await store.join(newOwner({ ownerId: "alpha", bootId: "corpus" }), () => undefined);
    const holder = (taskId: string) => {
      const row = store.view((view) => view.task("workflow", taskId));
      if (row === undefined) throw new Error(`there is no ${taskId}`);
      return { type: "settle", key: row.key, fence: row.fence, status: "succeeded", result: null } as const;
    };
    const writer = holder("writer");
    const effects = await store.turn([
      writer,
      holder("build"),
      { type: "submit", row: newRow({ taskId: "new", claims: [resolvedClaim("p:port", UNITS)] }) },
    ]);
    const admitted = effects.flatMap((effect) => (effect.type === "admitted" ? [effect.row] : []));
    expect(admitted.map(({ taskId }) => taskId)).toEqual(["waits", "waits-for-build", "new"]);
    expect(admitted.every(({ fence }) => fence > writer.fence)).toBe(true);
    // A place was kept in line, before whoever comes now.
    await store.turn([
      {
        type: "submit",
        row: newRow({ taskId: "back", rank: 7, placeKey: "tty", claims: [resolvedClaim("f:/shop", EXCLUSIVE)] }),
      },
    ]);
    expect(store.view((view) => view.task("workflow", "back")?.rank)).toBe(0);
    await store.close();
  });

  test("after a boot everything of before is over", async () => {
    unpack(name);
    const store = await openSqliteStore({ clock, file, bootId: "later" });
    expect(store.view((view) => [view.owners().length, view.holds({}).length])).toEqual([0, 0]);
    await store.close();
  });
});
