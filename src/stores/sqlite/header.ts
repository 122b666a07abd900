/**
 * A look at a file before SQLite opens it: whether it is a store of ours, or something that must be left as it is.
 * Format: https://sqlite.org/fileformat.html#the_database_header
 */
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
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
  if (read === 0) {
    // SQLite would throw the log away.
    const log = sizeOf(`${file}-wal`);
    if (log > 0) throw truncated(file, 0, HEADER_BYTES);
    return;
  }
  if (header.toString("latin1", 0, Math.min(read, MAGIC.length)) !== MAGIC.slice(0, read)) throw foreign(file);
  if (read < HEADER_BYTES) throw truncated(file, read, HEADER_BYTES);
  const id = header.readUInt32BE(68);
  // 0 until the first transaction that made the tables was copied from the WAL: then the open connection is asked.
  if (id !== APPLICATION_ID && id !== 0) throw foreign(file);
  refuseTruncated(file, header);
  refuseMissingLog(file);
}

/** Bytes 0-47 and 48-95 of the -shm are the header of the index of the log, twice; then how much of it was copied. */
const INDEX_BYTES = 100;
const IS_INITIALISED_AT = 12;
const FRAMES_AT = 16;
const COPIED_AT = 96;

/**
 * Whoever closes last takes both -wal and -shm away. An -shm that knows of frames that were never copied, without the -wal
 * that has them: somebody deleted or left behind what was acknowledged.
 * https://sqlite.org/walformat.html#wal_index_format
 */
function refuseMissingLog(file: string): void {
  if (existsSync(`${file}-wal`) || sizeOf(`${file}-shm`) < INDEX_BYTES) return;
  const index = Buffer.alloc(INDEX_BYTES);
  const descriptor = openSync(`${file}-shm`, "r");
  try {
    readSync(descriptor, index, 0, INDEX_BYTES, 0);
  } finally {
    closeSync(descriptor);
  }
  // In the byte order of the machine: wherever Node runs, the little end first.
  const lost = index.readUInt32LE(FRAMES_AT) - index.readUInt32LE(COPIED_AT);
  if (index[IS_INITIALISED_AT] !== 1 || lost <= 0) return;
  throw new LockyardError(
    "STORE_CORRUPT",
    `The store ${file} has lost its -wal, and with it ${lost.toLocaleString("en")} pages of what was acknowledged.`,
    { hint: `Put ${file}-wal back beside it. To go on without what was in it, delete ${file}-shm.` },
  );
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

/** While there is a WAL the file itself may be behind; what is missing is then found when it is read. */
function refuseTruncated(file: string, header: Buffer): void {
  const isCountValid = header.readUInt32BE(24) === header.readUInt32BE(92);
  const pageBytes = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
  const bytes = header.readUInt32BE(28) * pageBytes;
  const size = statSync(file).size;
  if (!isCountValid || size >= bytes || sizeOf(`${file}-wal`) > 0) return;
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
