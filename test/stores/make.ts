/**
 * Makes one store of the corpus: `node test/stores/make.ts FILE` writes what a day of work leaves in every table, as the
 * program of this very commit stores it. Run once whenever a migration is added, the result is kept for ever as
 * `schema-N.db.gz`: what any release has stored every later one must open (stores.test.ts).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { gzipSync } from "node:zlib";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, RATE, resolvedClaim, SHARED, UNITS } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import type { NewRow, TaskRow } from "../../src/core/row.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const [target = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "lockyard-corpus-"));
const file = join(folder, "store.db");
const clock = virtualClock({ startMs: 1_000_000 });
const store = await openSqliteStore({ clock, file, bootId: "corpus" });
const later = await openSqliteStore({ clock, file, bootId: "corpus" });
const owner = (ownerId: string) =>
  newOwner({ ownerId, bootId: "corpus", pid: 4_242, label: `run ${ownerId}`, beatAtMs: clock.nowMs() });
await store.join(owner("alpha"), () => undefined);
await later.join(owner("beta"), () => undefined);
await later.turn([{ type: "declare", node: "l:beta", kind: "limit", capacity: 3, by: "beta", authority: false }]);

const submit = (over: Partial<NewRow>): Command => ({
  type: "submit",
  row: newRow({ ...over, payload: { description: `prompt of ${over.taskId}`, contextData: { files: ["ä.md"] } } }),
});
const writes = (path: string) => [resolvedClaim(`f:${path}`, EXCLUSIVE)];
const admitted = (effects: readonly Effect[]): TaskRow[] =>
  effects.flatMap((effect) => (effect.type === "admitted" ? [effect.row] : []));
const settle = ({ key, fence }: TaskRow, status: "succeeded" | "failed"): Command => ({
  type: "settle",
  key,
  fence,
  status,
  result: { output: status },
});

await store.turn([
  { type: "declare", node: "c:build", kind: "capacity", capacity: 2, by: "alpha", authority: true },
  {
    type: "declare",
    node: "p:port",
    kind: "pool",
    capacity: 2,
    members: ["3000", "3001"],
    by: "alpha",
    authority: false,
  },
  { type: "declare", node: "r:api", kind: "rate", capacity: 2, intervalMs: 60_000, by: "alpha", authority: false },
]);
const ended = admitted(await store.turn(["done-1", "done-2", "bad"].map((taskId) => submit({ taskId }))));
await store.turn(ended.map((row) => settle(row, row.taskId === "bad" ? "failed" : "succeeded")));
const old = admitted(await store.turn([submit({ workflowId: "yesterday", taskId: "old" })]));
await store.turn(old.map((row) => settle(row, "succeeded")));
await store.turn([
  submit({ taskId: "writer", claims: writes("/shop/src") }),
  submit({ taskId: "ports", claims: [resolvedClaim("p:port", UNITS)] }),
  submit({ taskId: "build", claims: [resolvedClaim("c:build", UNITS, 2)] }),
  submit({ taskId: "rated", claims: [resolvedClaim("r:api", RATE)] }),
  submit({ taskId: "waits", claims: writes("/shop/src/api"), queueTimeoutMs: 500_000 }),
  submit({ taskId: "waits-for-build", claims: [resolvedClaim("c:build", UNITS)] }),
  submit({ taskId: "blocked", status: "blocked" }),
  submit({ taskId: "reader", claims: [resolvedClaim("f:/docs", SHARED)], orphan: "suspend" }),
]);
await later.turn([
  submit({ workflowId: "other", taskId: "theirs", ownerId: "beta", limits: ["l:beta"], claims: writes("/docs/a.md") }),
  submit({
    workflowId: "other",
    taskId: "exec",
    ownerId: "beta",
    orphan: "vanish",
    placeKey: "tty",
    claims: writes("/shop"),
  }),
]);
// Its place in line is kept.
const gone = later.view((view) => view.task("other", "exec"));
if (gone !== undefined) await later.turn([{ type: "cancel", key: gone.key, status: "cancelled", result: null }]);
// A notice that nobody has read yet.
const reader = store.view((view) => view.task("workflow", "reader"));
if (reader === undefined) throw new Error("a task is missing");
await store.turn([settle(reader, "succeeded")]);
await store.close();
await later.close();
const database = new DatabaseSync(file);
database.exec("pragma journal_mode = delete; vacuum; pragma journal_mode = wal");
database.close();
writeFileSync(target, gzipSync(readFileSync(file), { level: 9 }));
rmSync(folder, { recursive: true });
