/** Files as they are found after accidents: each is a clear error or a store that works, and nothing acknowledged is lost unsaid. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { seededRandom, virtualClock } from "../../src/clock/virtual-clock.ts";
import type { Command } from "../../src/core/command.ts";
import { errorCode } from "../../src/core/errors.ts";
import { openSqliteStore, type SqliteStore } from "../../src/stores/sqlite/index.ts";
import { newOwner, newRow } from "../../src/testing/rows.ts";

const JOIN: Command = { type: "owner-join", owner: newOwner() };

const MAKER = new URL("../support/killed-store.ts", import.meta.url).pathname;
const ACKNOWLEDGED = 40;

let directory = "";
let file = "";
const opened: SqliteStore[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lockyard-damaged-"));
  file = join(directory, "store.db");
});
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  rmSync(directory, { recursive: true, force: true });
});

async function open(): Promise<SqliteStore> {
  const store = await openSqliteStore({ clock: virtualClock(), file, bootId: "" });
  opened.push(store);
  return store;
}

/** A process that was killed with its log not copied: all three files are there. Its tasks were acknowledged. */
function killed(): void {
  const { signal, stdout } = spawnSync(process.execPath, ["--no-warnings", MAKER, file, String(ACKNOWLEDGED)], {
    encoding: "utf8",
  });
  expect([signal, stdout]).toEqual(["SIGKILL", "acknowledged"]);
}

/** A store that was closed: one file. */
async function closed(): Promise<void> {
  killed();
  await (await open()).close();
  opened.length = 0;
  expect([existsSync(`${file}-wal`), existsSync(`${file}-shm`)]).toEqual([false, false]);
}

const tasksIn = (store: SqliteStore): number => store.view((view) => view.count({ statuses: ["succeeded"] }));

interface Case {
  readonly name: string;
  readonly from: "killed" | "closed" | "nothing";
  damage(): void;
  /** The error's code, or the acknowledged tasks that must be there. */
  readonly outcome: string | number;
  readonly hint?: RegExp;
}

const cases: readonly Case[] = [
  { name: "killed, and nothing else", from: "killed", damage: () => undefined, outcome: ACKNOWLEDGED },
  { name: "killed, -shm deleted", from: "killed", damage: () => unlinkSync(`${file}-shm`), outcome: ACKNOWLEDGED },
  {
    name: "killed, -wal deleted",
    from: "killed",
    damage: () => unlinkSync(`${file}-wal`),
    outcome: "STORE_CORRUPT",
    hint: /Put .*-wal back/,
  },
  {
    name: "killed, main file emptied",
    from: "killed",
    damage: () => truncateSync(file, 0),
    outcome: "STORE_CORRUPT",
    hint: /copy/,
  },
  {
    name: "killed, last frame of the log torn",
    from: "killed",
    damage: () => writeFileSync(`${file}-wal`, Buffer.alloc(3_000, 7), { flag: "a" }),
    outcome: ACKNOWLEDGED,
  },
  { name: "empty", from: "nothing", damage: () => writeFileSync(file, "", { mode: 0o600 }), outcome: 0 },
  { name: "missing", from: "nothing", damage: () => undefined, outcome: 0 },
  {
    name: "a text",
    from: "nothing",
    damage: () => writeFileSync(file, "dear diary, this is longer than the header of a database, by far ".repeat(3)),
    outcome: "STORE_FOREIGN",
    hint: /left as it is/,
  },
  {
    name: "one byte of something",
    from: "nothing",
    damage: () => writeFileSync(file, "x"),
    outcome: "STORE_FOREIGN",
  },
  {
    name: "half a header",
    from: "closed",
    damage: () => truncateSync(file, 50),
    outcome: "STORE_CORRUPT",
    hint: /copy/,
  },
  {
    name: "the last page cut off",
    from: "closed",
    damage: () => truncateSync(file, statSync(file).size - 4_096),
    outcome: "STORE_CORRUPT",
    hint: /copy/,
  },
  {
    name: "cut in the middle of a page",
    from: "closed",
    damage: () => truncateSync(file, statSync(file).size - 1_000),
    outcome: "STORE_CORRUPT",
  },
  {
    name: "all pages but the first zeroed",
    from: "closed",
    damage: () => writeFileSync(file, readFileSync(file).fill(0, 4_096)),
    outcome: "STORE_CORRUPT",
    hint: /copy/,
  },
  { name: "a directory", from: "nothing", damage: () => mkdirSync(file), outcome: "STORE_UNAVAILABLE" },
  {
    name: "a link to another place on this machine",
    from: "killed",
    damage: () => {
      mkdirSync(join(directory, "there"));
      for (const suffix of ["", "-wal", "-shm"])
        renameSync(file + suffix, join(directory, "there", `real.db${suffix}`));
      symlinkSync(join(directory, "there", "real.db"), file);
    },
    outcome: ACKNOWLEDGED,
  },
  {
    name: "a link to itself",
    from: "nothing",
    damage: () => symlinkSync(file, file),
    outcome: "STORE_UNAVAILABLE",
  },
  {
    name: "a link to nothing yet",
    from: "nothing",
    damage: () => symlinkSync(join(directory, "later.db"), file),
    outcome: 0,
  },
  { name: "readable by others", from: "closed", damage: () => chmodSync(file, 0o644), outcome: ACKNOWLEDGED },
];

describe("found", () => {
  test.each(cases)("$name: $outcome", async ({ from, damage, outcome, hint }) => {
    if (from === "killed") killed();
    if (from === "closed") await closed();
    damage();
    if (typeof outcome === "string") {
      const facts = lstatSync(file);
      const failure = open().then((store) => store.turn([JOIN, { type: "submit", row: newRow({ taskId: "next" }) }]));
      await expect(failure).rejects.toMatchObject({
        code: outcome,
        message: expect.stringContaining(file),
        hint: expect.stringMatching(hint ?? /\w/),
      });
      // Left as it was, for whoever wants to save what is in it.
      expect(lstatSync(file).size).toBe(facts.size);
      return;
    }
    const store = await open();
    expect(tasksIn(store)).toBe(outcome);
    await store.turn([JOIN, { type: "submit", row: newRow({ taskId: "next" }) }]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  test("a link and what it leads to are one store", async () => {
    mkdirSync(join(directory, "there"));
    const real = join(directory, "there", "real.db");
    symlinkSync(real, file);
    const store = await open();
    expect(store.location).toBe(real);
    file = real;
    const other = await open();
    await store.turn([JOIN, { type: "submit", row: newRow({ taskId: "a" }) }]);
    expect(other.view((view) => view.count({}))).toBe(1);
  });
});

describe.runIf(process.getuid?.() === 0)("of somebody else", () => {
  test("another user's store is refused, also by root", async () => {
    await closed();
    chownSync(file, 65_534, 65_534);
    await expect(open()).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining("belongs to user 65534 and this is user 0"),
    });
  });

  test("a read-only disk is named, and what is on it stays", async () => {
    await closed();
    const mounted = join(directory, "mounted");
    mkdirSync(mounted);
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", mounted]);
    try {
      copyFileSync(file, join(mounted, "store.db"));
      execFileSync("mount", ["-o", "remount,ro", mounted]);
      file = join(mounted, "store.db");
      await expect(open()).rejects.toMatchObject({
        code: "STORE_READ_ONLY",
        hint: expect.stringContaining("writable"),
      });
    } finally {
      execFileSync("umount", [mounted]);
    }
  });
});

describe("while it is open", () => {
  test.each(["", "-wal", "-shm"])("store.db%s deleted: the next turn says so, and changes nothing", async (suffix) => {
    const store = await open();
    await store.turn([JOIN, { type: "submit", row: newRow({ taskId: "a" }) }]);
    renameSync(file + suffix, `${file}${suffix}.kept`);
    await expect(store.turn([{ type: "tick" }])).rejects.toMatchObject({
      code: "STORE_UNAVAILABLE",
      message: expect.stringContaining(`${file}${suffix} was moved or deleted`),
    });
    renameSync(`${file}${suffix}.kept`, file + suffix);
    await store.turn([JOIN, { type: "submit", row: newRow({ taskId: "b" }) }]);
    expect(store.view((view) => view.count({}))).toBe(2);
  });
});

test("a flipped bit is an error with a code, or harms nobody; never a crash and never another error", async () => {
  await closed();
  const bytes = readFileSync(file);
  const random = seededRandom(7);
  const outcomes = new Map<string, number>();
  for (let flip = 0; flip < 300; flip++) {
    const at = Math.floor(random() * bytes.length);
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    writeFileSync(file, changed);
    let outcome = "works";
    try {
      const store = await open();
      tasksIn(store);
      const row = store.view((view) => view.task("workflow", "t1"));
      if (row !== undefined) void row.payload;
      store.view((view) => [view.owners(), view.counters(), view.holds({}), view.workflows(10)]);
      const effects = await store.turn([JOIN, { type: "submit", row: newRow({ taskId: "next" }) }]);
      if (effects.some(({ type }) => type === "refused")) outcome = "refused";
    } catch (error) {
      outcome = errorCode(error) ?? String(error);
      if (outcome === "BUG") outcome = String(error);
    }
    for (const store of opened.splice(0)) await store.close();
    for (const suffix of ["-wal", "-shm"]) rmSync(file + suffix, { force: true });
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  }
  const known = ["works", "refused", "STORE_CORRUPT", "STORE_FOREIGN", "STORE_TOO_NEW", "STORE_UNAVAILABLE"];
  expect([...outcomes.keys()].filter((outcome) => !known.includes(outcome))).toEqual([]);
  expect(outcomes.get("STORE_CORRUPT")).toBeGreaterThan(0);
});
