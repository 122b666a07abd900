/** The session book in the store's file. Its writes are transactions of their own: no turn depends on them. */
import type { BookEntry, BookView, FileVersion, Session, SessionBook } from "../../core/session-book.ts";
import type { Connection } from "./connection.ts";
import { storeError } from "./errors.ts";
import { MetaRow } from "./meta-row.ts";
import { type Patience, untilFree } from "./patience.ts";
import * as SQL from "./sql/book.ts";
import type { Statements, Values } from "./statements.ts";

export class SqliteBook implements SessionBook {
  readonly #connection: Connection;
  readonly #patience: Patience;
  readonly #view: BookView;

  constructor(connection: Connection, patience: Patience) {
    this.#connection = connection;
    this.#patience = patience;
    this.#view = viewOf(connection.db);
  }

  look<T>(read: (view: BookView) => T): T {
    return this.#connection.read(() => read(this.#view));
  }

  async write(entries: readonly BookEntry[]): Promise<void> {
    const connection = this.#connection;
    await untilFree(this.#patience, () => {
      if (!connection.tryBegin()) return null;
      try {
        // Refuses a store whose meaning a newer program has changed.
        new MetaRow(connection.db).begin();
        for (const entry of entries) writeEntry(connection.db, entry);
        connection.commit();
        return true;
      } catch (error) {
        connection.rollback();
        throw storeError(error, connection.file);
      }
    });
  }
}

function writeEntry(db: Statements, entry: BookEntry): void {
  switch (entry.type) {
    case "session": {
      const { sessionId, seenWallMs } = entry.session;
      return db.run(SQL.PUT_SESSION, sessionId, seenWallMs, JSON.stringify(entry.session));
    }
    case "version": {
      const { sessionId, subagent, path, hash, seenWallMs, isPending, wroteHash, wroteWallMs, lines } = entry.version;
      const key = [sessionId, subagent, path] as const;
      return db.run(SQL.PUT_VERSION, ...key, hash, seenWallMs, Number(isPending), wroteHash, wroteWallMs, lines);
    }
    case "told":
      return db.run(SQL.PUT_TOLD, entry.sessionId, entry.topic);
    case "forget-versions":
      return db.run(SQL.DELETE_VERSIONS, entry.sessionId, entry.subagent);
    case "forget-sessions":
      for (const sql of SQL.DELETE_OLD) db.run(sql, entry.seenBeforeWallMs);
  }
}

function viewOf(db: Statements): BookView {
  return {
    session: (sessionId) => sessionOf(db.one(SQL.SELECT_SESSION, sessionId)),
    sessions: (limit) => db.all(SQL.SELECT_SESSIONS, limit).flatMap((values) => sessionOf(values) ?? []),
    version: (sessionId, subagent, path) => {
      const values = db.one(SQL.SELECT_VERSION, sessionId, subagent, path);
      return values === undefined ? undefined : versionOf(values);
    },
    versionsOf: (path) => db.all(SQL.SELECT_VERSIONS, path).map(versionOf),
    writtenBelow: (directory, limit) => {
      const below = directory === "/" ? "" : directory;
      return db.all(SQL.SELECT_WRITTEN, `${below}/`, `${below}0`, limit).map(versionOf);
    },
    isTold: (sessionId, topic) => db.one(SQL.SELECT_TOLD, sessionId, topic) !== undefined,
  };
}

function sessionOf(values: Values | undefined): Session | undefined {
  return values === undefined ? undefined : (JSON.parse(String(values[0])) as Session); // as it was written
}

function versionOf(values: Values): FileVersion {
  const [sessionId, subagent, path, hash, seenWallMs, isPending, wroteHash, wroteWallMs, lines] = values;
  return {
    sessionId: String(sessionId),
    subagent: String(subagent),
    path: String(path),
    hash: String(hash),
    seenWallMs: Number(seenWallMs),
    isPending: isPending === 1,
    wroteHash: String(wroteHash),
    wroteWallMs: Number(wroteWallMs),
    lines: lines instanceof Uint8Array ? lines : null,
  };
}
