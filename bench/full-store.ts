/**
 * A store as it is on a bad day, for the benches that start cold: 100,000 live tasks and 1,000,000 finished ones, and
 * some of everything else (owners, holds, limits, a capacity, a rate, tasks inside tasks, events). Made once for each
 * schema, in .cache/bench, by the store's own statements; a bench that writes much works on a copy.
 *
 * Of the live ones 1,000 run, each holding a name; the rest wait for one of these, a hundred in a line. Every second waiter
 * also wants `n:bench:hot`, which nobody holds.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/clock/system-clock.ts";
import { BOUNDS } from "../src/core/bounds.ts";
import { EXCLUSIVE, EXCLUSIVE_INSIDE, resolvedClaim } from "../src/core/claims.ts";
import type { NewRow, TaskRow } from "../src/core/row.ts";
import { ownIdentity } from "../src/process/identity.ts";
import { openSqliteStore } from "../src/stores/sqlite/index.ts";
import { fixedOf, freshRow, payloadText, stateOf } from "../src/stores/sqlite/row-codec.ts";
import { INSERT_HOLD } from "../src/stores/sqlite/sql/holds.ts";
import { ADD_TALLY, INSERT_ROW } from "../src/stores/sqlite/sql/rows.ts";
import { newOwner, newRow } from "../src/testing/rows.ts";

const SCALE = Number(process.env.LOCKYARD_BENCH_SCALE ?? 1);
export const LIVE = 100_000 * SCALE;
export const FINISHED = 1_000_000 * SCALE;
const RUNNING = 1_000 * SCALE;
const OWNERS = 200;
const INSIDE = 100;
const WORKFLOW = 1_000;
const PAGE = 20_000;

const FOLDER = fileURLToPath(new URL("../.cache/bench/", import.meta.url));
/** What the content depends on: a change of one of these makes a new file. */
const SOURCES = [
  "./full-store.ts",
  "../src/stores/sqlite/migrations/list.ts",
  "../src/stores/sqlite/row-codec.ts",
  "../src/stores/sqlite/sql/rows.ts",
];

function fingerprint(): string {
  const hash = createHash("sha256").update(String(SCALE));
  for (const source of SOURCES) hash.update(readFileSync(new URL(source, import.meta.url)));
  return hash.digest("hex").slice(0, 12);
}

/**
 * The file, with this very process standing behind all its owners: whoever judges them sees them alive for as long as
 * this process lives.
 */
export async function fullStore(): Promise<string> {
  const file = join(FOLDER, `store-${fingerprint()}.db`);
  if (!existsSync(file)) await make(file);
  const { pid, startTime, bootId, pidNamespace } = ownIdentity();
  const db = new DatabaseSync(file);
  db.prepare("update owner set pid = ?, start_time = ?, boot_id = ?, pid_namespace = ?, beat_at_ms = ?").run(
    pid,
    startTime,
    bootId,
    pidNamespace,
    systemClock().nowMs(),
  );
  db.prepare("update meta set boot_id = ?").run(bootId);
  db.exec("pragma wal_checkpoint(truncate)");
  db.close();
  return file;
}

async function make(file: string): Promise<void> {
  mkdirSync(FOLDER, { recursive: true });
  const partial = `${file}.${process.pid}`;
  const clock = systemClock();
  const store = await openSqliteStore({ clock, file: partial });
  await store.join(newOwner({ ownerId: "owner-0", ...ownIdentity(), beatAtMs: clock.nowMs() }), () => undefined);
  const by = "owner-0";
  await store.turn([
    { type: "declare", node: "l:filled", kind: "limit", capacity: RUNNING + INSIDE, by, authority: true },
    { type: "declare", node: "c:build", kind: "capacity", capacity: 4, by, authority: false },
    { type: "declare", node: "r:anthropic", kind: "rate", capacity: 50, intervalMs: 1_200, by, authority: false },
  ]);
  for (let at = 1; at < OWNERS; at++) {
    await store.turn([
      {
        type: "owner-join",
        owner: newOwner({ ownerId: `owner-${at}`, ...ownIdentity(), label: `run plan-${at}`, beatAtMs: clock.nowMs() }),
      },
    ]);
  }
  await store.close();
  const db = new DatabaseSync(partial);
  db.exec("pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -200000");
  new Filler(db, clock.nowMs()).fill();
  db.exec("pragma journal_mode = wal");
  db.close();
  rmSync(`${partial}-wal`, { force: true });
  rmSync(`${partial}-shm`, { force: true });
  renameSync(partial, file);
}

class Filler {
  readonly #db: DatabaseSync;
  readonly #nowMs: number;
  readonly #insert: StatementSync;
  readonly #hold: StatementSync;
  readonly #tally: StatementSync;
  readonly #result: StatementSync;
  #key: number;

  constructor(db: DatabaseSync, nowMs: number) {
    this.#db = db;
    this.#nowMs = nowMs;
    this.#insert = db.prepare(INSERT_ROW);
    this.#hold = db.prepare(INSERT_HOLD);
    this.#tally = db.prepare(ADD_TALLY);
    this.#result = db.prepare("insert into result (key, body) values (?, ?)");
    this.#key = Number(db.prepare("select next_key from meta").get()?.next_key);
  }

  fill(): void {
    this.#inPages(FINISHED, (at) => this.#finished(at));
    const firstRunning = this.#key;
    this.#inPages(RUNNING, (at) => this.#running(at));
    this.#inPages(INSIDE, (at) => this.#inside(at, firstRunning + (at % RUNNING)));
    this.#inPages(LIVE - RUNNING - INSIDE, (at) => this.#waiting(at));
    this.#inPages(BOUNDS.journalTurns, (at) => this.#event(at));
    this.#db.prepare("update counter set used = ? where node = 'l:filled'").run(RUNNING);
    this.#db
      .prepare("update meta set next_key = ?, next_fence = next_fence + ?, last_now_ms = ?")
      .run(this.#key, RUNNING, this.#nowMs);
    this.#db.exec("analyze; delete from sqlite_stat1");
  }

  #inPages(count: number, one: (at: number) => void): void {
    for (let at = 0; at < count; ) {
      this.#db.exec("begin");
      for (const end = Math.min(count, at + PAGE); at < end; at++) one(at);
      this.#db.exec("commit");
    }
  }

  #row(over: Partial<NewRow>): TaskRow {
    const key = this.#key++;
    const owner = `owner-${key % OWNERS}`;
    const payload = { agentId: "agent_1", taskType: "edit", description: "one of many" };
    return freshRow(
      newRow({
        taskId: `task-${key}`,
        ownerId: owner,
        rank: key,
        label: `task ${key}`,
        limits: ["l:filled"],
        payload,
        ...over,
      }),
      key,
      this.#nowMs,
    );
  }

  #write(row: TaskRow, isLive: boolean): void {
    const finishedWallMs = isLive ? 0 : Date.now();
    this.#insert.run(
      ...fixedOf(row),
      ...stateOf(row),
      isLive ? 1 : 0,
      finishedWallMs,
      isLive ? payloadText(row.payload) : "",
    );
    this.#tally.run(row.workflowId, row.status, 1);
  }

  #finished(at: number): void {
    const row = this.#row({
      workflowId: `done-${Math.floor(at / WORKFLOW)}`,
      claims: [resolvedClaim(`n:bench:done${at % 5_000}`, EXCLUSIVE)],
    });
    row.status = "succeeded";
    row.fence = 1;
    this.#write(row, false);
    this.#result.run(row.key, '{"success":true,"status":"succeeded","output":1}');
  }

  #running(at: number): void {
    const row = this.#row({ workflowId: "live", claims: [resolvedClaim(`n:bench:held${at}`, EXCLUSIVE)] });
    Object.assign(row, {
      status: "running",
      holdsClaims: true,
      holdsLimits: true,
      fence: at + 1,
      admittedAtMs: this.#nowMs,
    });
    this.#write(row, true);
    for (const { node, mode, units } of row.claims) this.#hold.run(node, row.key, row.holderKey, mode, units, "");
  }

  #waiting(at: number): void {
    const node = `n:bench:held${at % RUNNING}`;
    const second = at % 2 === 0 ? "n:bench:hot" : `n:bench:own${at}`;
    const row = this.#row({
      workflowId: "live",
      claims: [resolvedClaim(node, EXCLUSIVE), resolvedClaim(second, EXCLUSIVE)],
    });
    Object.assign(row, { watch: node, watchMode: EXCLUSIVE, watchSinceMs: this.#nowMs });
    this.#write(row, true);
  }

  /** A task that a running one started, and that waits for what another holds. */
  #inside(at: number, parentKey: number): void {
    const node = `n:bench:held${(at + 1) % RUNNING}`;
    const row = this.#row({
      workflowId: "live",
      parentKey,
      ancestors: [parentKey],
      claims: [resolvedClaim(node, EXCLUSIVE)],
    });
    Object.assign(row, { watch: node, watchMode: EXCLUSIVE_INSIDE, watchSinceMs: this.#nowMs });
    this.#write(row, true);
  }

  #event(at: number): void {
    const body = JSON.stringify([
      { type: "submitted", key: at, workflowId: "live", taskId: `task-${at}`, fence: 0 },
      { type: "waiting", key: at, workflowId: "live", taskId: `task-${at}`, watch: `n:bench:held${at % RUNNING}` },
    ]);
    this.#db.prepare("insert into event (at_ms, wall_ms, body) values (?, ?, ?)").run(this.#nowMs, Date.now(), body);
  }
}
