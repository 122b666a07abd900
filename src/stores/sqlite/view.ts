/** Looks at a store, for status and `why`. Rows unfinished unless finished statuses are asked for by name. */

import { BOUNDS } from "../../core/bounds.ts";
import { ancestorsOf } from "../../core/claims.ts";
import type { Counter, Owner } from "../../core/command.ts";
import type { Hold, StoreQuery, StoreView } from "../../core/ports.ts";
import { FINAL_STATUSES, isBefore, isFinal, LIVE_STATUSES, type TaskRow } from "../../core/row.ts";
import type { TaskStatus } from "../../core/task.ts";
import { counterOf } from "./counter-table.ts";
import { linesAt } from "./lines.ts";
import { ownerOf } from "./owner-row.ts";
import type { RowReader } from "./row-reader.ts";
import { ALL_COUNTERS, ALL_OWNERS, SELECT_NOTE } from "./sql/counters.ts";
import { FIND_KEY } from "./sql/rows.ts";
import * as SQL from "./sql/view.ts";
import type { Statements } from "./statements.ts";

export class SqliteView implements StoreView {
  readonly #db: Statements;
  readonly #reader: RowReader;
  /** What was read in this look: the holders in the way of a hundred waiters are mostly the same few. */
  #rows: Map<number, TaskRow | undefined> | undefined;
  #counters: readonly Counter[] | undefined;

  constructor(db: Statements, reader: RowReader) {
    this.#db = db;
    this.#reader = reader;
  }

  /** One look at one moment, inside a transaction: nothing is read twice. */
  look<T>(read: (view: StoreView) => T): T {
    this.#rows = new Map();
    try {
      return read(this);
    } finally {
      this.#rows = undefined;
      this.#counters = undefined;
    }
  }

  #row(key: number): TaskRow | undefined {
    if (this.#rows === undefined) return this.#reader.read(key)?.row;
    let row = this.#rows.get(key);
    if (row === undefined && !this.#rows.has(key)) {
      row = this.#reader.read(key)?.row;
      this.#rows.set(key, row);
    }
    return row;
  }

  #all(keys: readonly number[]): readonly TaskRow[] {
    return keys.map((key) => this.#row(key)).filter((row) => row !== undefined);
  }

  tasks({ workflowId, ownerId, statuses = LIVE_STATUSES, limit = BOUNDS.statusRows }: StoreQuery): readonly TaskRow[] {
    const wanted = JSON.stringify(statuses);
    if (workflowId !== undefined) {
      const most = ownerId === undefined ? limit : BOUNDS.tasksPerWorkflow;
      const rows = this.#all(this.#db.keys(SQL.ROWS_OF_WORKFLOW, workflowId, wanted, most));
      return ownerId === undefined ? rows : rows.filter((row) => row.ownerId === ownerId).slice(0, limit);
    }
    if (ownerId !== undefined) return this.#all(this.#db.keys(SQL.LIVE_ROWS_OF_OWNER, ownerId, wanted, limit));
    const keys: number[] = [];
    if (statuses.some(isFinal)) {
      const sql = statuses.includes("succeeded") ? SQL.FINISHED_ROWS : SQL.UNSUCCESSFUL_ROWS;
      keys.push(...this.#db.keys(sql, wanted, limit));
    }
    if (!statuses.every(isFinal)) keys.push(...this.#db.keys(SQL.LIVE_ROWS, wanted, limit));
    return this.#all(keys.slice(0, limit));
  }

  count({ workflowId, ownerId, statuses = LIVE_STATUSES }: StoreQuery): number {
    const wanted: readonly TaskStatus[] = statuses;
    const text = JSON.stringify(wanted);
    if (workflowId !== undefined && ownerId !== undefined) {
      return this.tasks({ workflowId, ownerId, statuses, limit: BOUNDS.tasksPerWorkflow }).length;
    }
    const found =
      ownerId !== undefined
        ? this.#db.one(SQL.COUNT_ROWS_OF_OWNER, ownerId, text)
        : workflowId !== undefined
          ? this.#db.one(SQL.COUNT_ROWS_OF_WORKFLOW, workflowId, text)
          : this.#db.one(SQL.COUNT_ROWS, text);
    return Number(found?.[0] ?? 0);
  }

  hasLiveRows(ownerId: string): boolean {
    return this.#db.one(SQL.HAS_LIVE_ROWS, ownerId) !== undefined;
  }

  task(workflowId: string, taskId: string): TaskRow | undefined {
    const found = this.#db.one(FIND_KEY, workflowId, taskId);
    return found === undefined ? undefined : this.#row(Number(found[0]));
  }

  result(workflowId: string, taskId: string): unknown {
    const found = this.#db.one(SQL.SELECT_RESULT, workflowId, taskId);
    return found === undefined ? undefined : JSON.parse(String(found[0]));
  }

  typicalRunMs({ agentId, taskId }: Pick<TaskRow, "agentId" | "taskId">): number | null {
    const times = this.#db.all(SQL.RUN_TIMES, agentId, taskId).map(([ms]) => Number(ms));
    const sorted = times.filter((ms) => ms >= 0).sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }

  note(topic: string): unknown {
    const found = this.#db.one(SELECT_NOTE, topic);
    return found === undefined ? undefined : JSON.parse(String(found[0]));
  }

  holds({ node, limit = BOUNDS.statusRows }: { readonly node?: string; readonly limit?: number }): readonly Hold[] {
    const found =
      node === undefined
        ? this.#db.all(SQL.ALL_HOLDS, limit)
        : this.#db.all(SQL.HOLDS_AROUND, JSON.stringify([node, ...ancestorsOf(node)]), node, limit);
    const holds: Hold[] = [];
    for (const [key, held, members] of found) {
      const row = this.#row(Number(key));
      const claim = row?.claims.find((other) => other.node === held);
      if (row !== undefined && claim !== undefined)
        holds.push({ row, claim, members: members === "" ? [] : (JSON.parse(String(members)) as string[]) });
    }
    return holds;
  }

  watchers(node: string, limit: number): readonly TaskRow[] {
    const lines = linesAt(this.#db, node);
    const keys = lines.flatMap(({ mode, gate }) => this.#db.keys(SQL.WATCHERS, node, mode, gate, limit));
    return [...this.#all(keys)].sort((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, limit);
  }

  position({ watch, rank, key }: TaskRow): number {
    let before = 0;
    for (const { mode, gate } of linesAt(this.#db, watch)) {
      before += Number(this.#db.one(SQL.PLACE_IN_LINE, watch, mode, gate, rank, key)?.[0] ?? 0);
    }
    return before;
  }

  counters(): readonly Counter[] {
    if (this.#counters !== undefined) return this.#counters;
    const counters = this.#db.all(ALL_COUNTERS).map(counterOf);
    if (this.#rows !== undefined) this.#counters = counters;
    return counters;
  }

  owners(): readonly Owner[] {
    return this.#db.all(ALL_OWNERS).map(ownerOf);
  }

  workflows(limit: number): readonly { readonly workflowId: string; readonly total: number; readonly live: number }[] {
    return this.#db.all(SQL.WORKFLOWS, JSON.stringify(FINAL_STATUSES), limit).map(([workflowId, total, live]) => ({
      workflowId: String(workflowId),
      total: Number(total),
      live: Number(live),
    }));
  }
}
