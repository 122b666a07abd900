/** Brings a file to this program's schema. Several processes may open one file at the same moment: all but one find it done. */
import { LockyardError } from "../../core/errors.ts";
import { APPLICATION_ID, foreign } from "./header.ts";
import { MIGRATIONS } from "./migrations/list.ts";
import type { Statements } from "./statements.ts";

/** What this program writes. Raised when the meaning of what is stored changes; a column more does not. */
export const FORMAT = 1;
/** Oldest program that understands what this one writes. */
const MIN_WRITER = 1;

function numberOf(db: Statements, sql: string): number {
  return Number(db.one(sql)?.[0] ?? 0);
}

/** Throws STORE_FOREIGN, or STORE_TOO_NEW when a newer program has changed the meaning of what is stored. */
export function checkFormat(db: Statements, file: string): { readonly isCurrent: boolean } {
  const version = numberOf(db, "pragma user_version");
  const hasTables = db.one("select 1 from sqlite_schema limit 1") !== undefined;
  if (hasTables && numberOf(db, "pragma application_id") !== APPLICATION_ID) throw foreign(file);
  if (version > 0 && hasTables) {
    const minWriter = numberOf(db, "select min_writer from meta");
    if (minWriter > FORMAT) {
      throw new LockyardError(
        "STORE_TOO_NEW",
        `The store ${file} needs format ${minWriter} and this Lockyard writes format ${FORMAT}.`,
        {
          hint: "Install the newest lockyard here too, or name another store.",
        },
      );
    }
  }
  return { isCurrent: version >= MIGRATIONS.length };
}

/** Inside BEGIN IMMEDIATE. `fence` is the first to be given out (L6). */
export function migrate(db: Statements, start: { readonly fence: number; readonly bootId: string }): void {
  const version = numberOf(db, "pragma user_version");
  if (version >= MIGRATIONS.length) return;
  for (const sql of MIGRATIONS.slice(version)) db.database.exec(sql);
  if (version === 0) {
    db.run(
      "insert into meta (one, format, min_writer, boot_id, last_now_ms, next_key, next_fence, carry) values (1, ?, ?, ?, 0, 1, ?, '')",
      FORMAT,
      MIN_WRITER,
      start.bootId,
      start.fence,
    );
  }
  db.database.exec(`pragma application_id = ${APPLICATION_ID}; pragma user_version = ${MIGRATIONS.length}`);
}
