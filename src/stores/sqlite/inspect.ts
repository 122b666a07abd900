/** What a store's file says of itself, for `doctor`. Reads only, and takes no lock that keeps anybody from writing. */
import { statSync } from "node:fs";
import { openDatabase } from "./driver.ts";
import { storeError } from "./errors.ts";
import { findLockHolder, type LockHolder } from "./lock-holder.ts";
import { Statements } from "./statements.ts";

export interface StoreFacts {
  /** Migrations it has had. */
  readonly schema: number;
  readonly minWriter: number;
  /** Bytes in use, and bytes of the file that are free for what comes. */
  readonly usedBytes: number;
  readonly freeBytes: number;
  readonly logBytes: number;
  /** Permission bits, 0o600 as it is made. */
  readonly mode: number;
  /** Milliseconds since boot of the last turn: of a process that sees another clock when it lies ahead. */
  readonly lastNowMs: number;
  /** Milliseconds since 1970 of the last turn that did something; 0 for none. */
  readonly lastWallMs: number;
  /** Whoever is writing at this moment, as far as the system tells. */
  readonly writer: LockHolder | null;
  /** What is wrong with its structure, when that was asked for. */
  readonly damage: readonly string[] | null;
}

/** Faults listed of one file. */
const DAMAGE_SHOWN = 10;

/** Throws STORE_… for what cannot be read. `isThorough` reads every page. */
export function inspectStore(file: string, options: { readonly isThorough: boolean }): StoreFacts {
  const writer = findLockHolder(file);
  const { mode } = statSync(file);
  let db: Statements | undefined;
  try {
    db = new Statements(openDatabase(file, { readOnly: true }));
    db.database.exec("pragma mmap_size = 0");
    const read = (sql: string): number => Number(db?.one(sql)?.[0] ?? 0);
    const pageBytes = read("pragma page_size");
    const freePages = read("pragma freelist_count");
    return {
      schema: read("pragma user_version"),
      minWriter: read("select min_writer from meta"),
      usedBytes: (read("pragma page_count") - freePages) * pageBytes,
      freeBytes: freePages * pageBytes,
      logBytes: statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0,
      mode: mode & 0o777,
      lastNowMs: read("select last_now_ms from meta"),
      lastWallMs: read("select wall_ms from event order by sequence desc limit 1"),
      writer,
      damage: options.isThorough ? damageOf(db) : null,
    };
  } catch (error) {
    throw storeError(error, file);
  } finally {
    db?.database.close();
  }
}

function damageOf(db: Statements): readonly string[] {
  const found = db.all(`pragma integrity_check(${DAMAGE_SHOWN})`).map(([what]) => String(what));
  return found.length === 1 && found[0] === "ok" ? [] : found;
}
