/** A disk that is really full: a memory disk of 4 MB. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { virtualClock } from "../../src/clock/virtual-clock.ts";
import { EXCLUSIVE, resolvedClaim } from "../../src/core/claims.ts";
import type { Command, Effect } from "../../src/core/command.ts";
import { errorCode } from "../../src/core/errors.ts";
import type { TaskRow } from "../../src/core/row.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

let directory = "";
let disk = "";
let file = "";
const opened: SqliteStore[] = [];

/** Only root may mount. Elsewhere `sqlite-store.test.ts` limits the file's pages instead. */
const mayMount = process.getuid?.() === 0 && process.platform === "linux";

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-full-"));
  disk = join(directory, "disk");
  file = join(disk, "store.db");
  mkdirSync(disk);
  if (mayMount) execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", disk]);
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  if (mayMount) execFileSync("umount", [disk]);
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<SqliteStore> {
  const store = await openSqliteStore({ clock: virtualClock(), file, bootId: "" });
  opened.push(store);
  return store;
}

/** Somebody else's file takes what is left, to the last byte. */
function fillDisk(): void {
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "other"), Buffer.alloc(bavail * bsize));
  expect(statfsSync(disk).bavail).toBe(0);
}

const submit = (taskId: string, bytes = 3_000): Command => {
  const payload = { description: "x".repeat(bytes) };
  return { type: "submit", row: newRow({ taskId, claims: [resolvedClaim(`f:/${taskId}`, EXCLUSIVE)], payload }) };
};
const settle = ({ key, fence }: TaskRow): Command => {
  return { type: "settle", key, fence, status: "succeeded", result: { output: "done" } };
};
const admitted = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === "admitted" ? [effect.row] : []));

/** Submits until the disk refuses; answers what was acknowledged. */
async function submitUntilFull(store: SqliteStore): Promise<readonly TaskRow[]> {
  const rows: TaskRow[] = [];
  for (let index = 0; index < 10_000; index++) {
    try {
      rows.push(...admitted(await store.turn([submit(`t${index}`)])));
    } catch (error) {
      expect(error).toMatchObject({
        code: "STORE_FULL",
        message: expect.stringContaining(`The store ${file} cannot grow: the disk is full`),
        hint: expect.stringContaining("Free some space"),
      });
      return rows;
    }
  }
  throw new Error("the disk was never full");
}

describe.runIf(mayMount)("a full disk", () => {
  test("refuses what is new, loses nothing acknowledged, and works again when there is space", async () => {
    const store = await open();
    await store.join(newOwner(), () => undefined);
    const rows = await submitUntilFull(store);
    expect(rows.length).toBeGreaterThan(10);
    const names = rows.map(({ taskId }) => taskId);
    expect(store.view((view) => view.tasks({ limit: 10_000 }).map(({ taskId }) => taskId))).toEqual(names);
    execFileSync("mount", ["-o", "remount,size=32m", disk]);
    await store.turn([submit("after")]);
    await store.close();
    const again = await open();
    expect(again.view((view) => view.count({}))).toBe(rows.length + 1);
    const database = new DatabaseSync(file);
    expect(database.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    database.close();
  });

  test("lets running tasks end and free their locks, with the room that was kept for it", async () => {
    const store = await open();
    expect(existsSync(`${file}-ballast`)).toBe(true);
    await store.join(newOwner(), () => undefined);
    const rows = admitted(await store.turn(Array.from({ length: 24 }, (_, index) => submit(`r${index}`, 10))));
    fillDisk();
    const first = rows[0];
    if (first === undefined) throw new Error("nothing was admitted");
    // What frees is carried out, what is new beside it is refused, each with its answer.
    await submitUntilFull(store);
    const mixed = await store.turn([settle(first), submit("new", 200_000)]);
    expect(mixed.flatMap((effect) => (effect.type === "refused" ? [[effect.index, effect.code]] : []))).toEqual([
      [1, "STORE_FULL"],
    ]);
    for (const row of rows.slice(1)) await store.turn([settle(row)]);
    expect(existsSync(`${file}-ballast`)).toBe(false);
    store.view((view) => {
      expect(rows.map(({ taskId }) => view.result("workflow", taskId))).toEqual(rows.map(() => ({ output: "done" })));
      expect(view.holds({ limit: 100 }).filter(({ row }) => row.taskId.startsWith("r"))).toEqual([]);
    });
    rmSync(join(disk, "other"));
    expect(admitted(await store.turn([submit("new")]))).toHaveLength(1);
    execFileSync("mount", ["-o", "remount,size=16m", disk]);
    await (await open()).close();
    expect(existsSync(`${file}-ballast`)).toBe(true);
  });

  test("a store that cannot be made is an error with what to do", async () => {
    fillDisk();
    const code = await open().then(
      () => "made",
      (error: unknown) => errorCode(error),
    );
    expect(code).toBe("STORE_FULL");
    rmSync(join(disk, "other"));
    await (await open()).turn([submit("a")]);
  });
});
