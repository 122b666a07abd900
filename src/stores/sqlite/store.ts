/**
 * The store of a user and machine in one file, shared by every process. Turns of this process run one after another;
 * those of others are kept out by SQLite's write lock, which is asked for again and again and never waited for.
 */
import type { Command, Effect, Owner } from "../../core/command.ts";
import { LockyardError } from "../../core/errors.ts";
import type { Clock, StoreView } from "../../core/ports.ts";
import type { SessionStore } from "../../core/session-book.ts";
import { ChangeWatcher } from "./change-watcher.ts";
import type { Connection } from "./connection.ts";
import { hasRow, Notices } from "./notices.ts";
import type { Prompts } from "./prompts.ts";
import { RowReader } from "./row-reader.ts";
import { NEXT_TURN } from "./sql/view.ts";
import { SqliteBook } from "./sqlite-book.ts";
import { TurnRunner } from "./turn-runner.ts";
import { Turns } from "./turns.ts";
import { SqliteView } from "./view.ts";

export interface SqliteStoreParts {
  readonly connection: Connection;
  readonly clock: Clock;
  /** Milliseconds after which a turn that cannot begin is rejected with STORE_BUSY. */
  readonly busyLimitMs: number;
  /** Milliseconds after which it says who keeps the file. */
  readonly busyNoticeMs: number;
  readonly onNotice: (line: string) => void;
  /** See `TurnRunnerParts`. */
  readonly prompts?: Prompts | undefined;
  readonly keptBytes?: number | undefined;
}

interface Joined {
  readonly owner: Owner;
  readonly onEffects: (effects: readonly Effect[]) => void;
}

export class SqliteStore implements SessionStore {
  readonly kind = "sqlite";
  readonly scope = "machine";
  readonly location: string;
  readonly book: SqliteBook;
  readonly #connection: Connection;
  readonly #onNotice: (line: string) => void;
  readonly #notices: Notices;
  readonly #turns: Turns;
  readonly #view: SqliteView;
  readonly #watcher: ChangeWatcher;
  readonly #owners = new Map<string, Joined>();
  #callerId = "";
  #closing: Promise<void> | undefined;

  constructor(parts: SqliteStoreParts) {
    const { connection, clock, busyLimitMs, busyNoticeMs, onNotice, prompts, keptBytes } = parts;
    const { file } = connection;
    this.location = file;
    this.#connection = connection;
    this.#onNotice = onNotice;
    const reader = new RowReader(connection.db);
    this.#notices = new Notices(connection.db, reader);
    this.#view = new SqliteView(connection.db, reader);
    const patience = { clock, file, limitMs: busyLimitMs, noticeMs: busyNoticeMs, onNotice };
    this.book = new SqliteBook(connection, patience);
    this.#turns = new Turns({
      runner: new TurnRunner({ connection, clock, notices: this.#notices, prompts, keptBytes }),
      patience,
      caller: {
        callerId: () => this.#callerId,
        isHere: (ownerId) => this.#owners.has(ownerId),
        owner: (ownerId) => this.#owners.get(ownerId)?.owner,
      },
      onCommit: (effects) => this.#tellOthersHere(effects),
      makeRoom: () => connection.makeRoom(),
      onFollowUp: (effects) => this.#tell(this.#callerId, effects),
    });
    this.#watcher = new ChangeWatcher({
      clock,
      file: `${file}-wal`,
      dataVersion: () => connection.dataVersion(),
      hasLiveRows: () => [...this.#owners.keys()].some((ownerId) => this.#view.hasLiveRows(ownerId)),
      onChange: () => this.#tellOwners(),
    });
  }

  /**
   * Carries the commands out once or not at all, in the name of the owner that joined first. More than 64 take several
   * transactions; when one after the first fails, the rest is refused with its code. Rejects with STORE_…, or CLOSED.
   */
  turn(commands: readonly Command[]): Promise<readonly Effect[]> {
    if (this.#closing !== undefined) return Promise.reject(this.#closed());
    // Not for a beat: a process that only lives would look 66 times a second for ever.
    if (commands.some(({ type }) => type === "submit" || type === "enqueue")) this.#watcher.wake();
    return this.#turns.ask(commands);
  }

  /** Rejects as `turn` does. Owners that share this very object hear of each other at once. */
  async join(owner: Owner, onEffects: (effects: readonly Effect[]) => void): Promise<void> {
    this.#owners.set(owner.ownerId, { owner, onEffects });
    if (this.#callerId === "") this.#callerId = owner.ownerId;
    try {
      await this.turn([{ type: "owner-join", owner }]);
    } catch (error) {
      this.#owners.delete(owner.ownerId);
      if (this.#callerId === owner.ownerId) this.#callerId = "";
      throw error;
    }
    this.#watcher.start();
  }

  nextDueAtMs(): number {
    if (this.#closing !== undefined) return 0;
    const { db } = this.#connection;
    return this.#connection.read(() => Number(db.one(NEXT_TURN)?.[0] ?? 0));
  }

  /** Throws STORE_… when the file cannot be read, CLOSED when the store is closed. */
  view<T>(read: (view: StoreView) => T): T {
    if (this.#closing !== undefined) throw this.#closed();
    return this.#connection.read(() => this.#view.look(read));
  }

  /** What was asked for before is carried out first. Twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await this.#turns.idle();
    this.#watcher.stop();
    this.#owners.clear();
    this.#connection.close();
  }

  #closed(): LockyardError {
    return new LockyardError("CLOSED", `The store ${this.location} is closed.`);
  }

  /** Something was committed elsewhere: owners here are told what was done to their rows. */
  #tellOwners(): void {
    for (const ownerId of this.#owners.keys()) {
      for (let effects = this.#notices.take(ownerId); effects.length > 0; effects = this.#notices.take(ownerId)) {
        this.#tell(ownerId, effects);
      }
    }
  }

  #tellOthersHere(effects: readonly Effect[]): void {
    if (this.#owners.size < 2) return;
    for (const ownerId of this.#owners.keys()) if (ownerId !== this.#callerId) this.#tell(ownerId, effects);
  }

  /** An owner hears of its own rows. A listener that throws is not noticed by the others. */
  #tell(ownerId: string, effects: readonly Effect[]): void {
    const own = effects.filter((effect) => hasRow(effect) && effect.row.ownerId === ownerId);
    if (own.length === 0) return;
    try {
      this.#owners.get(ownerId)?.onEffects(own);
    } catch (error) {
      this.#onNotice(`A listener of ${ownerId} failed: ${error instanceof Error ? error.message : "unknown"}`);
    }
  }
}
