/**
 * A look at a file before SQLite opens it: whether it is a store of ours, or something that must be left as it is.
 * Format: https://sqlite.org/fileformat.html#the_database_header
 */
import { closeSync, openSync, readSync, statSync } from "node:fs";
import { LockyardError } from "../../core/errors.ts";

/** `PRAGMA application_id` of our files: "LKYD". */
export const APPLICATION_ID = 0x4c4b5944;

const MAGIC = "SQLite format 3\u0000";
const HEADER_BYTES = 100;

/** Throws STORE_FOREIGN for a file that is not ours, STORE_CORRUPT for one that is shorter than it says. Empty is fine. */
export function refuseForeignFile(file: string): void {
  const header = Buffer.alloc(HEADER_BYTES);
  const descriptor = openSync(file, "r");
  let read: number;
  try {
    read = readSync(descriptor, header, 0, HEADER_BYTES, 0);
  } finally {
    closeSync(descriptor);
  }
  if (read === 0) return;
  if (header.toString("latin1", 0, Math.min(read, MAGIC.length)) !== MAGIC.slice(0, read)) throw foreign(file);
  if (read < HEADER_BYTES) throw truncated(file, read, HEADER_BYTES);
  const id = header.readUInt32BE(68);
  // 0 until the first transaction that made the tables was copied from the WAL: then the open connection is asked.
  if (id !== APPLICATION_ID && id !== 0) throw foreign(file);
  refuseTruncated(file, header);
}

/** While there is a WAL the file itself may be behind; what is missing is then found when it is read. */
function refuseTruncated(file: string, header: Buffer): void {
  const isCountValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const bytes = header.readUInt32BE(28) * pageBytes;
  const size = statSync(file).size;
  if (!isCountValid || size >= bytes || (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  throw truncated(file, size, bytes);
}

function truncated(file: string, size: number, bytes: number): LockyardError {
  const message = `The store ${file} is cut off: ${size.toLocaleString("en")} bytes of ${bytes.toLocaleString("en")}.`;
  return new LockyardError("STORE_CORRUPT", message, {
    hint: "Stop what uses it, keep a copy, then move it away together with its -wal and -shm; a new store is made.",
  });
}

export function foreign(file: string): LockyardError {
  return new LockyardError("STORE_FOREIGN", `The file ${file} is not a Lockyard store.`, {
    hint: "Name another file; this one was left as it is.",
  });
}
