/**
 * Rows of tasks within one transaction: each key is one object, changes are gathered and written before anything is asked
 * that they could change, and at the end. A row that is submitted and granted in one turn is written once. What was read
 * or written is known in the next transaction too, as long as nobody else has committed in between.
 */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { ResolvedClaim, WatchMode } from "../../core/claims.ts";
import type { Line } from "../../core/ledger.ts";
import { isBefore, isFinal, type NewRow, type TaskRow } from "../../core/row.ts";
import { headsAt } from "./lines.ts";
import { type Prompts, remainder } from "./prompts.ts";
import { claimsText, fixedOf, freshRow, payloadText, stateOf } from "./row-codec.ts";
import { RowReader } from "./row-reader.ts";
import * as SQL from "./sql/rows.ts";
import type { Statements } from "./statements.ts";

const NEW: readonly SQLOutputValue[] = [];
/** All state columns. */
const EVERYTHING = (1 << SQL.STATE_COUNT) - 1;
/** Statements that write a mask of columns: a kernel has some thirty transitions. */
const UPDATES_KNOWN = 64;
/** Rows known beyond their transaction: what a busy process works on. Above it they are read again. */
const ROWS_KNOWN = 4_096;
const NODES_KNOWN = 16_384;

interface Change {
  readonly state: readonly SQLInputValue[];
  /** Bits of the columns that changed. */
  readonly mask: number;
  readonly isEnd: boolean;
}

export class RowTable {
  readonly #db: Statements;
  readonly #prompts: Prompts;
  readonly #reader: RowReader;
  readonly #rows = new Map<number, TaskRow>();
  /** State columns as the file has them; NEW for a row it does not have yet. */
  readonly #stored = new Map<number, readonly SQLOutputValue[]>();
  readonly #dirty = new Set<TaskRow>();
  readonly #freshIds = new Map<string, TaskRow>();
  /** Changes of the number of tasks by workflow and status. */
  readonly #tally = new Map<string, Map<string, number>>();
  /** Rows that have ended in this transaction: nobody will ask for them again. */
  readonly #ended: number[] = [];
  readonly #updates = new Map<number, string>([
    [EVERYTHING, SQL.updateSql(EVERYTHING, false)],
    [-EVERYTHING, SQL.updateSql(EVERYTHING, true)],
  ]);
  #wallMs = 0;
  /** A row that waits, as long as it does; null when none does, undefined when that has to be asked. */
  #waiting: TaskRow | null | undefined;
  /** Nodes that were asked for: false when nobody watches them. True may be out of date, which costs one look more. */
  readonly #watchedNodes = new Map<string, boolean>();
  #reservations: readonly TaskRow[] | undefined;
  #mayHaveRequests: boolean | undefined;
  #edited: TaskRow | undefined;

  constructor(db: Statements, prompts: Prompts) {
    this.#db = db;
    this.#prompts = prompts;
    this.#reader = new RowReader(db);
  }

  /** A transaction begins. Forgets everything, or, when the file is as the last one left it, only what was of that one. */
  begin(wallMs: number, isUnchanged: boolean): void {
    if (!isUnchanged || this.#rows.size > ROWS_KNOWN) {
      this.#rows.clear();
      this.#stored.clear();
      this.#waiting = undefined;
      this.#watchedNodes.clear();
    }
    this.#dirty.clear();
    this.#freshIds.clear();
    this.#ended.length = 0;
    this.#tally.clear();
    this.#wallMs = wallMs;
    if (this.#waiting === null) this.#waiting = undefined;
    this.#reservations = undefined;
    this.#mayHaveRequests = undefined;
    this.#edited = undefined;
  }

  insert(newRow: NewRow, key: number, nowMs: number): TaskRow | undefined {
    if (this.find(newRow.workflowId, newRow.taskId) !== undefined) return undefined;
    const row = freshRow(newRow, key, nowMs);
    this.#rows.set(key, row);
    this.#stored.set(key, NEW);
    this.#freshIds.set(idOf(row.workflowId, row.taskId), row);
    this.#dirty.add(row);
    if (row.kind === "request") this.#mayHaveRequests = true;
    return row;
  }

  get(key: number): TaskRow | undefined {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const found = this.#reader.read(key);
    if (found === undefined) return undefined;
    this.#rows.set(key, found.row);
    this.#stored.set(key, found.state);
    return found.row;
  }

  find(workflowId: string, taskId: string): TaskRow | undefined {
    const fresh = this.#freshIds.get(idOf(workflowId, taskId));
    if (fresh !== undefined) return fresh;
    const found = this.#db.one(SQL.FIND_KEY, workflowId, taskId);
    return found === undefined ? undefined : this.get(Number(found[0]));
  }

  /** The row that was edited last, 0 when it was new: when an invariant broke, it broke over this row. */
  get editedKey(): number {
    return this.#edited !== undefined && this.#stored.get(this.#edited.key) !== NEW ? this.#edited.key : 0;
  }

  edit(row: TaskRow): void {
    this.#edited = row;
    if (row.reserved) this.#reservations = undefined;
  }

  put(row: TaskRow): void {
    if (row.watch !== "") {
      this.#waiting ??= row;
      this.#watchedNodes.set(row.watch, true);
    }
    if (row.reserved) this.#reservations = undefined;
    this.#dirty.add(row);
  }

  forget(row: TaskRow): void {
    this.flush();
    // An effect of this very turn may tell of it: what it was told is read while it is there.
    void row.payload;
    this.#count(row.workflowId, row.status, -1);
    this.#db.run(SQL.DELETE_RESULT, row.key);
    this.#db.run(SQL.DELETE_ROW, row.key);
    this.#rows.delete(row.key);
    this.#stored.delete(row.key);
    this.#freshIds.delete(idOf(row.workflowId, row.taskId));
  }

  reclaim(row: TaskRow, claims: readonly ResolvedClaim[]): void {
    (row as { claims: readonly ResolvedClaim[] }).claims = claims; // rows made by the codec are plain objects
    // A row that is not written yet takes them along.
    this.flush();
    this.#db.run(SQL.UPDATE_CLAIMS, claimsText(claims), row.key);
  }

  requestsOf(holderKey: number): readonly TaskRow[] {
    if (!this.#hasRequests()) return [];
    return this.#ask(SQL.REQUESTS_OF, holderKey);
  }

  /** Asked at every end of a task, and nearly always there are none. */
  #hasRequests(): boolean {
    this.#mayHaveRequests ??= this.#db.one(SQL.HAS_REQUESTS) !== undefined;
    return this.#mayHaveRequests;
  }

  waitingInside(): readonly TaskRow[] {
    return this.hasWaiting() ? this.#ask(SQL.WAITING_INSIDE) : [];
  }

  rowsOf(ownerId: string, limit: number, afterKey: number): readonly TaskRow[] {
    return this.#ask(SQL.ROWS_OF, ownerId, limit, afterKey);
  }

  head({ node, mode, gate }: Line, afterRank: number, afterKey: number): TaskRow | undefined {
    if (afterRank === Number.NEGATIVE_INFINITY) return this.#ask(SQL.FIRST, node, mode, gate)[0];
    return this.#ask(SQL.HEAD, node, mode, gate, afterRank, afterKey)[0];
  }

  /** The first of each line at the nodes, by rank; of lines in these modes when some are given. */
  firsts(nodes: readonly string[], modes?: readonly WatchMode[]): readonly TaskRow[] {
    const rows: TaskRow[] = [];
    for (const node of this.#watched(nodes)) {
      for (const { line, key } of this.#headsAt(node)) {
        if (modes !== undefined && !modes.includes(line.mode)) continue;
        const row = this.get(key);
        if (row !== undefined) rows.push(row);
      }
    }
    return rows.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  hasWaiting(): boolean {
    if (this.#waiting === null) return false;
    if (this.#waiting === undefined || this.#waiting.watch === "") {
      this.flush();
      this.#waiting = this.#ask(SQL.ONE_WAITING)[0] ?? null;
    }
    return this.#waiting !== null;
  }

  lines(nodes: readonly string[]): readonly Line[] {
    return this.#watched(nodes).flatMap((node) => this.#headsAt(node).map(({ line }) => line));
  }

  #headsAt(node: string): ReturnType<typeof headsAt> {
    this.flush();
    const heads = headsAt(this.#db, node);
    if (heads.length === 0) this.#watchedNodes.set(node, false);
    return heads;
  }

  /** Nearly all nodes of a path are watched by nobody: one look leaves them out, and is remembered. */
  #watched(nodes: readonly string[]): readonly string[] {
    if (nodes.length < 2) return nodes;
    const unknown = nodes.filter((node) => !this.#watchedNodes.has(node));
    if (unknown.length > 0) {
      this.flush();
      if (this.#watchedNodes.size > NODES_KNOWN) this.#watchedNodes.clear();
      for (const node of unknown) this.#watchedNodes.set(node, false);
      for (const [node] of this.#db.all(SQL.WATCHED, JSON.stringify(unknown)))
        this.#watchedNodes.set(String(node), true);
    }
    return nodes.filter((node) => this.#watchedNodes.get(node) !== false);
  }

  reservations(): readonly TaskRow[] {
    this.#reservations ??= this.#ask(SQL.RESERVATIONS);
    return this.#reservations;
  }

  nextToReserve(): TaskRow | undefined {
    return this.#ask(SQL.NEXT_TO_RESERVE)[0];
  }

  dueRows(nowMs: number, limit: number): readonly TaskRow[] {
    return this.#ask(SQL.DUE_ROWS, nowMs, limit);
  }

  /** Writes what is left, and how many tasks there are of each status. */
  end(): void {
    this.flush();
    for (const key of this.#ended) {
      this.#rows.delete(key);
      this.#stored.delete(key);
    }
    this.#ended.length = 0;
    for (const [workflowId, statuses] of this.#tally) {
      for (const [status, step] of statuses) if (step !== 0) this.#db.run(SQL.ADD_TALLY, workflowId, status, step);
    }
    this.#tally.clear();
  }

  #ask(sql: string, ...values: readonly SQLInputValue[]): readonly TaskRow[] {
    this.flush();
    const rows: TaskRow[] = [];
    for (const key of this.#db.keys(sql, ...values)) {
      const row = this.get(key);
      if (row !== undefined) rows.push(row);
    }
    return rows;
  }

  /** Writes what was put. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const row of this.#dirty) this.#write(row);
    this.#dirty.clear();
  }

  #write(row: TaskRow): void {
    const state = stateOf(row);
    const stored = this.#stored.get(row.key) ?? NEW;
    const hasEnded = isFinal(row.status);
    if (stored === NEW) {
      const text = payloadText(row.payload);
      const finishedWallMs = hasEnded ? this.#wallMs : 0;
      this.#db.run(
        SQL.INSERT_ROW,
        ...fixedOf(row),
        ...state,
        hasEnded ? 0 : 1,
        finishedWallMs,
        this.#keepsPrompt(row) && !hasEnded ? text : remainder(text, this.#prompts),
      );
      this.#count(row.workflowId, row.status, 1);
    } else {
      let mask = 0;
      for (let index = 0; index < state.length; index++) if (state[index] !== stored[index]) mask |= 1 << index;
      if (mask === 0) return;
      const before = String(stored[SQL.STATUS_AT]);
      this.#update(row, { state, mask, isEnd: hasEnded && before !== row.status });
      if (before !== row.status) {
        this.#count(row.workflowId, before, -1);
        this.#count(row.workflowId, row.status, 1);
      }
    }
    if (hasEnded) this.#ended.push(row.key);
    this.#stored.set(row.key, state as readonly SQLOutputValue[]); // numbers and texts only
  }

  #update(row: TaskRow, { state, mask, isEnd }: Change): void {
    const id = isEnd ? -mask : mask;
    let sql = this.#updates.get(id);
    if (sql === undefined) {
      // Few of the many masks ever come; beyond that every column is written, which is always right.
      if (this.#updates.size >= UPDATES_KNOWN) return this.#update(row, { state, mask: EVERYTHING, isEnd });
      sql = SQL.updateSql(mask, isEnd);
      this.#updates.set(id, sql);
    }
    const values = mask === EVERYTHING ? [...state] : state.filter((_, index) => (mask & (1 << index)) !== 0);
    if (isEnd) values.push(this.#wallMs);
    this.#db.run(sql, ...values, row.key);
    if (isEnd && this.#prompts !== "full" && this.#keepsPrompt(row)) this.#forgetPrompt(row.key);
  }

  #forgetPrompt(key: number): void {
    const text = this.#prompts === "none" ? "" : String(this.#db.one(SQL.SELECT_PAYLOAD, key)?.[0] ?? "");
    this.#db.run(SQL.UPDATE_PAYLOAD, remainder(text, this.#prompts), key);
  }

  /** What another process may take up again must be able to read what it was told. */
  #keepsPrompt({ orphan }: TaskRow): boolean {
    return this.#prompts === "full" || orphan === "suspend";
  }

  #count(workflowId: string, status: string, step: number): void {
    const statuses = this.#tally.get(workflowId) ?? new Map<string, number>();
    this.#tally.set(workflowId, statuses);
    statuses.set(status, (statuses.get(status) ?? 0) + step);
  }
}

function idOf(workflowId: string, taskId: string): string {
  return `${workflowId}\u0000${taskId}`;
}
