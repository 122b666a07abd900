/**
 * When the write-ahead log is copied into the file. SQLite's own rule (after every commit that finds 1,000 pages in the
 * log) holds for one process: with several that write all the time the log is never quite empty, so it is never begun anew,
 * and from then on *every* commit copies and flushes. Here a process copies when 1,000 pages are new since anybody copied,
 * and a log that has grown to eight times that is begun anew, for which the other writers are kept out for a moment.
 */
import type { Statements } from "./statements.ts";

/** Pages, about 4 MB: no commit has much to copy. */
const COPY_PAGES = 1_000;
const RESTART_FACTOR = 8;
/** After a full disk the log is begun anew with every commit for so long: it must not take the room the file itself needs. */
const TIGHT_COMMITS = 256;
/** Asking costs as much as a small statement: not after every commit. */
const ASK_EVERY = 8;
/** Milliseconds this process stands still at most for a new beginning of the log. */
const RESTART_PATIENCE_MS = 50;

export class WriteAheadLog {
  readonly #db: Statements;
  readonly #copyPages: number;
  #commits = 0;
  #tightCommits = 0;

  constructor(db: Statements, copyPages: number = COPY_PAGES) {
    this.#db = db;
    this.#copyPages = copyPages;
  }

  /** After a commit. Never throws: the commit stands, and what is wrong with the file the next transaction tells. */
  committed(): void {
    if (this.#tightCommits > 0) {
      this.#tightCommits--;
      return this.#tryRestart();
    }
    if (++this.#commits % ASK_EVERY !== 0) return;
    try {
      const { pages, copied } = this.pages();
      if (pages - copied < this.#copyPages) return;
      if (pages < RESTART_FACTOR * this.#copyPages) this.#db.one("pragma wal_checkpoint(passive)");
      else this.#restart();
    } catch {
      // Another process copies, or reads what would be overwritten: later then.
    }
  }

  /** On a full disk: what can be copied is, so that the log's own room is used again. Never throws. */
  reuse(): void {
    this.#tightCommits = TIGHT_COMMITS;
    this.#tryRestart();
  }

  #tryRestart(): void {
    try {
      this.#restart();
    } catch {
      // The disk is full, or somebody reads: then there is no room to be had here.
    }
  }

  /** Pages in the log, and how many of them are in the file too. */
  pages(): { readonly pages: number; readonly copied: number } {
    const [, pages, copied] = this.#db.one("pragma wal_checkpoint(noop)") ?? [];
    return { pages: Number(pages ?? 0), copied: Number(copied ?? 0) };
  }

  #restart(): void {
    this.#db.run(`pragma busy_timeout = ${RESTART_PATIENCE_MS}`);
    try {
      this.#db.one("pragma wal_checkpoint(restart)");
    } finally {
      this.#db.run("pragma busy_timeout = 0");
    }
  }
}
