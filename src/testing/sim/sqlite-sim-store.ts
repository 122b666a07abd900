/**
 * The production SQLite ledger behind the simulation's port: every owner has a connection of its own to one file, as
 * processes have. The file serves many seeds, emptied in between; nothing is flushed, because no loss of power is simulated.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Command, Effect, Owner } from "../../core/command.ts";
import type { Clock } from "../../core/ports.ts";
import { Connection } from "../../stores/sqlite/connection.ts";
import { SqliteLedger } from "../../stores/sqlite/ledger.ts";
import { migrate } from "../../stores/sqlite/migrate.ts";
import { Notices } from "../../stores/sqlite/notices.ts";
import { RowReader } from "../../stores/sqlite/row-reader.ts";
import type { Statements, Values } from "../../stores/sqlite/statements.ts";
import { TurnRunner } from "../../stores/sqlite/turn-runner.ts";
import { SqliteView } from "../../stores/sqlite/view.ts";
import { dumpOf, seenOf } from "./memory-sim-store.ts";
import type { Seen, SimStore, TurnFault } from "./sim-store.ts";

const EVERYTHING = 1_000_000;
const TICK: readonly Command[] = [{ type: "tick" }];
/** SQLITE_FULL. */
const FULL = 13;

/** One file and its connections, for as many seeds as one likes. */
export class SqliteSimFile {
  readonly #directory: string;
  readonly #connections: Connection[] = [];
  readonly #meta: Values;
  readonly #tables: readonly string[];

  constructor() {
    this.#directory = mkdtempSync(join(tmpdir(), "lockyard-sim-"));
    const { db } = this.connection(0);
    db.run("begin immediate");
    migrate(db, { fence: 1_001, bootId: "" });
    db.run("commit");
    this.#meta = db.one("select * from meta") ?? [];
    this.#tables = db
      .all("select name from sqlite_schema where type = 'table' order by name")
      .map(([name]) => String(name));
  }

  /** The first is the observer's, the others are the processes'. */
  connection(index: number): Connection {
    for (;;) {
      const known = this.#connections[index];
      if (known !== undefined) return known;
      const opened = Connection.tryOpen(join(this.#directory, "store.db"), "process");
      if (opened === null) throw new Error("the simulation's own file is busy");
      opened.db.database.exec("pragma synchronous = off");
      this.#connections.push(opened);
    }
  }

  /** A store as on its first day. */
  openStore(): SqliteSimStore {
    const { db } = this.connection(0);
    db.run("begin immediate");
    for (const table of this.#tables) db.run(`delete from ${table}`);
    db.run(`insert into meta values (${this.#meta.map(() => "?").join(", ")})`, ...this.#meta);
    db.run("commit");
    return new SqliteSimStore(this);
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface Member {
  readonly runner: TurnRunner;
  readonly notices: Notices;
  readonly db: Statements;
  readonly onEffects: (effects: readonly Effect[]) => void;
}

export class SqliteSimStore implements SimStore {
  readonly kind = "sqlite";
  readonly inside = { carries: 0, bugs: 0 };
  readonly faults: string[] = [];
  readonly #file: SqliteSimFile;
  readonly #members = new Map<string, Member>();
  readonly #view: SqliteView;
  readonly #observer: Connection;
  readonly #ledger: SqliteLedger;
  readonly #clock: Clock;
  #nowMs = 0;
  #frozen = 0;
  #fault: TurnFault | null = null;

  constructor(file: SqliteSimFile) {
    this.#file = file;
    this.#observer = file.connection(0);
    this.#view = new SqliteView(this.#observer.db, new RowReader(this.#observer.db));
    this.#ledger = new SqliteLedger(this.#observer.db);
    this.#clock = {
      nowMs: () => this.#nowMs,
      wallMs: () => this.#nowMs,
      setTimer: () => ({ cancel: () => undefined }),
      random: () => 0,
    };
  }

  listen(owner: Owner, nowMs: number, onEffects: (effects: readonly Effect[]) => void): readonly Effect[] {
    const connection = this.#file.connection(this.#members.size + 1);
    const { db } = connection;
    const notices = new Notices(db, new RowReader(db));
    const runner = new TurnRunner({ connection, clock: this.#clock, notices });
    this.#members.set(owner.ownerId, { runner, notices, db, onEffects });
    // Joining waits for whoever is inside a turn; the simulation lets it in at once.
    const frozen = this.#frozen;
    if (frozen > 0) this.#observer.rollback();
    const effects = this.turnNow(owner.ownerId, [{ type: "owner-join", owner }], nowMs);
    if (frozen > 0) this.#observer.tryBegin();
    return effects ?? [];
  }

  turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    const fault = this.#fault;
    this.#fault = null;
    if (fault === null || this.#frozen > 0) return this.turnNow(callerId, commands, nowMs);
    const before = this.dump();
    const { db } = this.#member(callerId);
    const mend = failAtWrite(db, fault.atWrite);
    try {
      return this.turnNow(callerId, commands, nowMs);
    } catch (error) {
      const after = this.dump();
      if (after !== before) this.faults.push("a turn was undone and left something behind");
      throw error;
    } finally {
      mend();
    }
  }

  turnNow(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null {
    this.#nowMs = nowMs;
    const { runner } = this.#member(callerId);
    const caller = { callerId: () => callerId, isHere: (ownerId: string) => ownerId === callerId };
    const outcome = runner.tryRun([commands], caller);
    if (outcome === null) return null;
    const effects = [...outcome.effects.flat()];
    let { hasCarry } = outcome;
    while (hasCarry) {
      this.inside.carries++;
      const more = runner.tryRun([TICK], caller);
      if (more === null) break;
      effects.push(...more.effects.flat());
      hasCarry = more.hasCarry;
    }
    return effects;
  }

  #member(ownerId: string): Member {
    const member = this.#members.get(ownerId);
    if (member === undefined) throw new Error(`${ownerId} has not joined`);
    return member;
  }

  poll(ownerId: string): void {
    const member = this.#members.get(ownerId);
    if (member === undefined) return;
    for (let told = member.notices.take(ownerId); told.length > 0; told = member.notices.take(ownerId))
      member.onEffects(told);
  }

  freeze(): () => void {
    if (++this.#frozen === 1) this.#observer.tryBegin();
    return () => {
      if (--this.#frozen === 0) this.#observer.rollback();
    };
  }

  failNext(fault: TurnFault): void {
    this.#fault = fault;
  }

  rowsOf(ownerId: string): readonly Seen[] {
    return this.#view.tasks({ ownerId, limit: EVERYTHING }).map(seenOf);
  }

  find(workflowId: string, taskId: string): Seen | undefined {
    const row = this.#view.task(workflowId, taskId);
    return row === undefined ? undefined : seenOf(row);
  }

  owners(): readonly Owner[] {
    return this.#view.owners();
  }

  nextDueAtMs(): number {
    return this.#ledger.nextDueAtMs();
  }

  dump(): string {
    return dumpOf(this.#view);
  }

  liveCount(): number {
    return this.#view.count({});
  }

  close(): void {
    this.#observer.rollback();
  }
}

/** The n-th write from now on finds the disk full. Answers how to mend it. */
function failAtWrite(db: Statements, atWrite: number): () => void {
  const original = db.run;
  let writes = 0;
  db.run = (sql, ...values) => {
    const isWrite = !/^(begin|rollback)/.test(sql);
    if (isWrite && ++writes === atWrite) throw Object.assign(new Error("database or disk is full"), { errcode: FULL });
    original.call(db, sql, ...values);
  };
  return () => {
    db.run = original;
  };
}
