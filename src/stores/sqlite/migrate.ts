/**
 * Brings a file to this program's schema. Several processes may open one file at the same moment: all but one find it done.
 *
 * V1  what a newer program only added is used and kept: `user_version` may be greater than we know
 * V2  once the meaning has changed (`min_writer`), a program that does not know it changes nothing: it is refused when it
 *     opens the store and, for one that has it open, in every turn
 * V3  the meaning changes only while nobody of an older format works on the store
 */
import { LEASE } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import { APPLICATION_ID, foreign } from "./header.ts";
import { MIGRATIONS, type Migration } from "./migrations/list.ts";
import type { Statements } from "./statements.ts";

/** What this program understands. Raised when the meaning of what is stored changes; a column more does not. */
export const FORMAT = 1;

/** What a program knows about stores; tests make up newer ones. */
export interface Schema {
  readonly format: number;
  readonly migrations: readonly Migration[];
}

export const SCHEMA: Schema = { format: FORMAT, migrations: MIGRATIONS };

function numberOf(db: Statements, sql: string): number {
  return Number(db.one(sql)?.[0] ?? 0);
}

/** Throws STORE_FOREIGN, or STORE_TOO_NEW when a newer program has changed the meaning of what is stored. */
export function checkFormat(db: Statements, file: string, schema: Schema = SCHEMA): { readonly isCurrent: boolean } {
  const version = numberOf(db, "pragma user_version");
  const hasTables = db.one("select 1 from sqlite_schema limit 1") !== undefined;
  if (hasTables && numberOf(db, "pragma application_id") !== APPLICATION_ID) throw foreign(file);
  if (version > 0 && hasTables) {
    const minWriter = numberOf(db, "select min_writer from meta");
    if (minWriter > schema.format) {
      const release = version > 1 ? String(db.one("select min_writer_release from meta")?.[0] ?? "") : "";
      throw tooNew({ file, minWriter, format: schema.format, release });
    }
  }
  return { isCurrent: version >= schema.migrations.length };
}

interface TooNew {
  readonly file: string;
  readonly minWriter: number;
  readonly format: number;
  /** The first release that can; empty when the store does not say. */
  readonly release: string;
}

export function tooNew({ file, minWriter, format, release }: TooNew): LockyardError {
  return new LockyardError(
    "STORE_TOO_NEW",
    `The store ${file} needs format ${minWriter} and this Lockyard knows format ${format}.`,
    {
      hint:
        release === ""
          ? "Install the newest lockyard here too, or name another store."
          : `Install lockyard ${release} or later here too (npm i lockyard@${release}), or name another store.`,
    },
  );
}

/** Labels of the owners that must be gone before the meaning may change (V3); none when nothing changes it. */
export function olderOwners(db: Statements, nowMs: number, { migrations }: Schema = SCHEMA): readonly string[] {
  const version = numberOf(db, "pragma user_version");
  const wanted = Math.max(0, ...migrations.slice(version).map(({ raises }) => raises?.minWriter ?? 0));
  if (wanted === 0 || version === 0) return [];
  // Before the second schema owners did not say what they know.
  const format = version > 1 ? "format" : "1";
  return db
    .all(`select label, pid from owner where ${format} < ? and beat_at_ms >= ?`, wanted, nowMs - LEASE.timeToLiveMs)
    .map(([label, pid]) => `${String(label)}, pid ${Number(pid)}`);
}

interface Start {
  /** The first fence to be given out (L6). */
  readonly fence: number;
  readonly bootId: string;
}

/** Inside BEGIN IMMEDIATE. */
export function migrate(db: Statements, start: Start, { format, migrations }: Schema = SCHEMA): void {
  const version = numberOf(db, "pragma user_version");
  if (version >= migrations.length) return;
  for (const [index, { sql, raises }] of migrations.entries()) {
    if (index < version) continue;
    db.database.exec(sql);
    if (index === 0) {
      db.run(
        "insert into meta (one, format, min_writer, boot_id, last_now_ms, next_key, next_fence, carry) values (1, ?, 1, ?, 0, 1, ?, '')",
        format,
        start.bootId,
        start.fence,
      );
    }
    if (raises !== undefined) {
      db.run("update meta set min_writer = ?, min_writer_release = ?", raises.minWriter, raises.release);
    }
  }
  db.run("update meta set format = max(format, ?)", format);
  db.database.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${migrations.length}`);
}
