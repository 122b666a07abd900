/**
 * What is over is kept for 14 days or as long as the store has 200 MB, whichever ends first; what tasks were told, for 7
 * days. The work is done a little at a time inside turns that run anyway, by whichever process runs one.
 *
 * K1  only finished tasks go, and only of workflows of which nothing is unfinished: live work is never touched
 * K2  a step looks at a page of rows and moves a page of the file, whatever is stored
 * K3  nothing is remembered between processes but what is in the file: two may do it at once, each in its own turn
 */
import { RETENTION } from "../../core/bounds.ts";
import * as SQL from "./sql/retention.ts";
import type { Statements } from "./statements.ts";

export interface Times {
  /** Milliseconds since boot: when to look. */
  readonly nowMs: number;
  /** Milliseconds since 1970: what is old. */
  readonly wallMs: number;
}

interface Finished {
  readonly key: number;
  readonly workflowId: string;
  readonly status: string;
  readonly endedMs: number;
}

export class Retention {
  readonly #db: Statements;
  readonly #keptBytes: number;
  #nextAtMs = 0;
  /** Rows until here were looked at in this pass; those that are left belong to workflows that go on. */
  #afterMs = 0;
  #afterKey = 0;

  constructor(db: Statements, keptBytes: number = RETENTION.bytes) {
    this.#db = db;
    this.#keptBytes = keptBytes;
  }

  /** Inside a transaction. Answers whether rows were deleted or changed: what is known of them is to be read again. */
  step({ nowMs, wallMs }: Times): boolean {
    if (nowMs < this.#nextAtMs) return false;
    const hasForgotten = this.#forgetPrompts(wallMs - RETENTION.promptsMs) || this.#dropLimits();
    const { used, free } = this.#size();
    const isTooBig = used > this.#keptBytes;
    const untilMs = isTooBig ? wallMs - RETENTION.leastMs : wallMs - RETENTION.ageMs;
    const page = this.#page(untilMs);
    const deleted = this.#delete(page);
    if (page.length === 0) this.#afterMs = this.#afterKey = 0;
    const isShrinking = free > RETENTION.freePages && this.#shrink(free - RETENTION.freePages);
    const isWorking = page.length > 0 || hasForgotten || isShrinking;
    this.#nextAtMs = nowMs + (isWorking ? RETENTION.stepMs : RETENTION.restMs);
    return deleted > 0 || hasForgotten;
  }

  #dropLimits(): boolean {
    this.#db.run(SQL.DELETE_LIMITS, RETENTION.rowsPerStep);
    return Number(this.#db.one(SQL.CHANGES)?.[0] ?? 0) > 0;
  }

  #size(): { readonly used: number; readonly free: number } {
    const [pages = 0, free = 0, pageBytes = 0] = (this.#db.one(SQL.PAGES) ?? []).map(Number);
    return { used: (pages - free) * pageBytes, free };
  }

  /** The next rows that are old enough, up to so many and so many bytes. */
  #page(untilMs: number): readonly Finished[] {
    const page: Finished[] = [];
    let room: number = RETENTION.bytesPerStep;
    const found = this.#db.all(SQL.FINISHED_FROM, this.#afterMs, this.#afterKey, untilMs, RETENTION.rowsPerStep);
    for (const [key, workflowId, status, endedMs, bytes] of found) {
      if (room <= 0) break;
      room -= Number(bytes);
      page.push({ key: Number(key), workflowId: String(workflowId), status: String(status), endedMs: Number(endedMs) });
    }
    return page;
  }

  #delete(page: readonly Finished[]): number {
    const last = page.at(-1);
    if (last === undefined) return 0;
    this.#afterMs = last.endedMs;
    this.#afterKey = last.key;
    const goesOn = new Map<string, boolean>();
    const over = page.filter(({ workflowId }) => {
      const known = goesOn.get(workflowId) ?? this.#db.one(SQL.HAS_UNFINISHED, workflowId) !== undefined;
      goesOn.set(workflowId, known);
      return !known;
    });
    if (over.length === 0) return 0;
    const keys = JSON.stringify(over.map(({ key }) => key));
    this.#db.run(SQL.DELETE_RESULTS, keys);
    this.#db.run(SQL.DELETE_ROWS, keys);
    const counts = new Map<string, { readonly workflowId: string; readonly status: string; tasks: number }>();
    for (const { workflowId, status } of over) {
      const id = `${status} ${workflowId}`;
      const count = counts.get(id) ?? { workflowId, status, tasks: 0 };
      count.tasks++;
      counts.set(id, count);
    }
    for (const { workflowId, status, tasks } of counts.values()) {
      this.#db.run(SQL.LESS_TALLY, tasks, workflowId, status);
      this.#db.run(SQL.EMPTY_TALLY, workflowId);
    }
    return over.length;
  }

  /** Each page of ends is gone through once, ever: how far that went is in the file. */
  #forgetPrompts(untilMs: number): boolean {
    const until = Number(this.#db.one(SQL.FORGOTTEN_UNTIL)?.[0] ?? 0);
    // A clock that was wrong for a while: from the beginning then, and nothing is left out.
    const fromMs = until > untilMs ? 0 : until;
    const next = this.#db.one(SQL.NEXT_ENDS, fromMs, untilMs, RETENTION.rowsPerStep)?.[0];
    if (typeof next !== "number") return false;
    this.#db.run(SQL.FORGET_PROMPTS, fromMs, next);
    this.#db.run(SQL.SET_FORGOTTEN_UNTIL, next);
    return true;
  }

  /** Gives pages back to the file system. False for a file of the first schema that could not be converted. */
  #shrink(pages: number): boolean {
    const before = Number(this.#db.one("pragma freelist_count")?.[0] ?? 0);
    this.#db.all(`pragma incremental_vacuum(${Math.min(pages, RETENTION.pagesPerStep)})`);
    return Number(this.#db.one("pragma freelist_count")?.[0] ?? 0) < before;
  }
}
