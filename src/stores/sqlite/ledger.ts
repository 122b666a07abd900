/**
 * The ledger over one SQLite connection, inside one transaction: `begin` after BEGIN IMMEDIATE, `end` before COMMIT. What
 * a turn asks it reads by key or through a partial index; nothing is loaded ahead and nothing kept between transactions.
 */
import {
  EXCLUSIVE,
  EXCLUSIVE_INSIDE,
  type ResolvedClaim,
  SHARED,
  SHARED_INSIDE,
  UNITS,
  UNITS_INSIDE,
  type WatchMode,
} from "../../core/claims.ts";
import type { Blocker, Counter, Owner } from "../../core/command.ts";
import type { CarryEntry, Ledger, Line, Place } from "../../core/ledger.ts";
import type { NewRow, TaskRow } from "../../core/row.ts";
import { CounterTable } from "./counter-table.ts";
import { HoldTable } from "./hold-table.ts";
import { MetaRow } from "./meta-row.ts";
import { FORMAT } from "./migrate.ts";
import { ownerOf } from "./owner-row.ts";
import type { Prompts } from "./prompts.ts";
import { RowTable } from "./row-table.ts";
import * as SQL from "./sql/counters.ts";
import type { Statements } from "./statements.ts";

const WITH_READERS: readonly WatchMode[] = [SHARED, SHARED_INSIDE, EXCLUSIVE, EXCLUSIVE_INSIDE];
const TAKERS: readonly WatchMode[] = [UNITS, UNITS_INSIDE];
const WRITERS: readonly WatchMode[] = [EXCLUSIVE, EXCLUSIVE_INSIDE];

/** As long as results: two weeks. */
const NOTES_KEPT_MS = 14 * 24 * 3_600_000;

export class SqliteLedger implements Ledger {
  readonly #db: Statements;
  readonly #rows: RowTable;
  readonly #counters: CounterTable;
  readonly #holds: HoldTable;
  readonly #meta: MetaRow;
  #wallMs = 0;

  constructor(db: Statements, prompts: Prompts = "full") {
    this.#db = db;
    this.#rows = new RowTable(db, prompts);
    this.#counters = new CounterTable(db);
    this.#holds = new HoldTable({ db, rows: this.#rows, counters: this.#counters });
    this.#meta = new MetaRow(db);
  }

  /**
   * A transaction has begun. `wallMs` is what finished rows are stamped with. `isUnchanged`: nobody has written since this
   * ledger's last transaction, which committed.
   */
  begin(wallMs: number, isUnchanged = false): void {
    this.#wallMs = wallMs;
    this.#rows.begin(wallMs, isUnchanged);
    this.#counters.begin();
    this.#meta.begin();
  }

  /** See RowTable. */
  get editedKey(): number {
    return this.#rows.editedKey;
  }

  /**
   * Puts the books of a row into the shape that ending it expects, whatever they say. Its timer goes: a turn that began
   * with it would break again.
   */
  mend(key: number): void {
    const row = this.#rows.get(key);
    if (row === undefined) return;
    this.#rows.edit(row);
    row.dueAtMs = 0;
    this.#rows.put(row);
    if (row.holdsClaims) this.#holds.mend(row);
    for (const node of row.holdsLimits ? row.limits : []) {
      const counter = this.#counters.get(node);
      if (counter === undefined || counter.used > 0) continue;
      counter.used = 1;
      this.#counters.put(counter);
    }
  }

  /** Writes what is left; the transaction may commit. */
  end(): void {
    this.#rows.end();
    this.#counters.end();
    this.#meta.end();
  }

  insert(row: NewRow, key: number, nowMs: number): TaskRow | undefined {
    return this.#rows.insert(row, key, nowMs);
  }
  get(key: number): TaskRow | undefined {
    return this.#rows.get(key);
  }
  find(workflowId: string, taskId: string): TaskRow | undefined {
    return this.#rows.find(workflowId, taskId);
  }
  edit(row: TaskRow): void {
    this.#rows.edit(row);
  }
  put(row: TaskRow): void {
    this.#rows.put(row);
  }
  nextKey(): number {
    return this.#meta.nextKey();
  }
  nextFence(): number {
    return this.#meta.nextFence();
  }
  requestsOf(holderKey: number): readonly TaskRow[] {
    return this.#rows.requestsOf(holderKey);
  }
  waitingInside(): readonly TaskRow[] {
    return this.#rows.waitingInside();
  }
  rowsOf(ownerId: string, limit: number, afterKey: number): readonly TaskRow[] {
    return this.#rows.rowsOf(ownerId, limit, afterKey);
  }

  hold(row: TaskRow): void {
    this.#holds.hold(row);
  }
  drop(row: TaskRow): void {
    this.#holds.drop(row);
  }
  reclaim(row: TaskRow, claims: readonly ResolvedClaim[]): void {
    this.#rows.reclaim(row, claims);
  }
  conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    return this.#holds.conflict(claim, except);
  }
  holders(claim: ResolvedClaim, except: readonly number[], limit: number): readonly Blocker[] {
    return this.#holds.holders(claim, except, limit);
  }
  unitsHeld(node: string, row: TaskRow): number {
    return this.#holds.unitsHeld(node, row);
  }
  heldInside(node: string, holderKey: number): readonly TaskRow[] {
    return this.#holds.heldInside(node, holderKey);
  }
  takeOver(row: TaskRow, node: string): boolean {
    return this.#holds.takeOver(row, node);
  }

  counter(node: string): Counter | undefined {
    return this.#counters.get(node);
  }
  putCounter(counter: Counter): void {
    this.#counters.put(counter);
  }
  countersDeclaredBy(by: string): readonly Counter[] {
    return this.#counters.declaredBy(by);
  }

  head(line: Line, afterRank: number, afterKey: number): TaskRow | undefined {
    return this.#rows.head(line, afterRank, afterKey);
  }
  first(node: string): TaskRow | undefined {
    return this.#rows.firsts([node])[0];
  }
  hasWaiting(): boolean {
    return this.#rows.hasWaiting();
  }
  lines(nodes: Iterable<string>): readonly Line[] {
    return this.#rows.lines([...nodes]);
  }
  heads(claim: ResolvedClaim): readonly TaskRow[] {
    if (claim.mode === UNITS) return this.#rows.firsts([claim.node], TAKERS);
    const nodes = [claim.node, ...claim.ancestors].flatMap((node) => [node, `${node}/`]);
    return this.#rows.firsts(nodes, claim.mode === EXCLUSIVE ? WITH_READERS : WRITERS);
  }
  reservations(): readonly TaskRow[] {
    return this.#rows.reservations();
  }
  nextToReserve(): TaskRow | undefined {
    return this.#rows.nextToReserve();
  }
  carry(): readonly CarryEntry[] {
    return this.#meta.carry();
  }
  setCarry(entries: readonly CarryEntry[]): void {
    this.#meta.setCarry(entries);
  }

  place(placeKey: string): Place | undefined {
    const found = this.#db.one(SQL.SELECT_PLACE, placeKey);
    return found === undefined ? undefined : { placeKey, rank: Number(found[0]), untilMs: Number(found[1]) };
  }
  putPlace({ placeKey, rank, untilMs }: Place): void {
    this.#db.run(SQL.FORGET_PLACES, this.lastNowMs());
    this.#db.run(SQL.PUT_PLACE, placeKey, rank, untilMs);
  }
  dropPlace(placeKey: string): void {
    this.#db.run(SQL.DELETE_PLACE, placeKey);
  }

  dueRows(nowMs: number, limit: number): readonly TaskRow[] {
    return this.#rows.dueRows(nowMs, limit);
  }
  dueCounters(nowMs: number): readonly Counter[] {
    return this.#counters.due(nowMs);
  }
  nextDueAtMs(): number {
    this.#rows.flush();
    this.#counters.end();
    return Number(this.#db.one(SQL.NEXT_DUE)?.[0] ?? 0);
  }
  lastNowMs(): number {
    return this.#meta.lastNowMs();
  }
  setLastNowMs(nowMs: number): void {
    this.#meta.setLastNowMs(nowMs);
  }

  owner(ownerId: string): Owner | undefined {
    const found = this.#db.one(SQL.SELECT_OWNER, ownerId);
    return found === undefined ? undefined : ownerOf(found);
  }
  putOwner(owner: Owner): void {
    const { ownerId, pid, startTime, bootId, pidNamespace, machine, label, beatAtMs } = owner;
    this.#db.run(SQL.PUT_OWNER, ownerId, pid, startTime, bootId, pidNamespace, machine, label, beatAtMs, FORMAT);
  }
  dropOwner(ownerId: string): void {
    this.#db.run(SQL.DELETE_OWNER, ownerId);
  }

  putResult(row: TaskRow, result: unknown): void {
    this.#db.run(SQL.PUT_RESULT, row.key, JSON.stringify(result) ?? "null");
  }
  forget(row: TaskRow): void {
    this.#rows.forget(row);
  }
  putNote(topic: string, note: unknown): void {
    if (note === null) return void this.#db.run(SQL.DELETE_NOTE, topic);
    this.#db.run(SQL.FORGET_NOTES, this.#wallMs - NOTES_KEPT_MS);
    this.#db.run(SQL.PUT_NOTE, topic, JSON.stringify(note) ?? "null", this.#wallMs);
  }
}
