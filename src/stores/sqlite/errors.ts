/** What SQLite answers → what we tell people: the code, the thing, what to do. Nothing acknowledged is lost by any of them. */
import { type ErrorCode, errorCode, LockyardError } from "../../core/errors.ts";

/** Primary result codes (the low byte of an extended one), https://sqlite.org/rescode.html */
const PRIMARY = {
  error: 1,
  perm: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  io: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
};

/** SQLite's primary result code, 0 for anything that does not come from SQLite. */
function primaryCode(error: unknown): number {
  return typeof error === "object" && error !== null && "errcode" in error && typeof error.errcode === "number"
    ? error.errcode & 0xff
    : 0;
}

/** Another connection holds what this one needs: worth another try. */
export function isBusy(error: unknown): boolean {
  const code = primaryCode(error);
  return code === PRIMARY.busy || code === PRIMARY.locked;
}

interface Verdict {
  readonly code: ErrorCode;
  readonly what: string;
  readonly hint: string;
}

function verdictOf(primary: number): Verdict | undefined {
  switch (primary) {
    case PRIMARY.full:
      return {
        code: "STORE_FULL",
        what: "cannot grow: the disk is full",
        hint: "Free some space; what was acknowledged is kept. Then run the command again.",
      };
    case PRIMARY.readOnly:
    case PRIMARY.perm:
      return {
        code: "STORE_READ_ONLY",
        what: "cannot be written",
        hint: "Make the file and its directory writable, or name another store.",
      };
    case PRIMARY.corrupt:
      return {
        code: "STORE_CORRUPT",
        what: "is damaged",
        hint: "Stop what uses it, keep a copy of the file with its -wal, then move all three files away; a new store is made.",
      };
    case PRIMARY.notADatabase:
      return {
        code: "STORE_FOREIGN",
        what: "is not a Lockyard store",
        hint: "Name another file; this one was left as it is.",
      };
    case PRIMARY.cannotOpen:
    case PRIMARY.io:
      return {
        code: "STORE_UNAVAILABLE",
        what: "cannot be opened, read or written",
        hint: "Look at the directory's permissions and the disk's health, or name another store.",
      };
    case PRIMARY.busy:
    case PRIMARY.locked:
      return { code: "STORE_BUSY", what: "is kept by another process", hint: "Try again." };
    default:
      return undefined;
  }
}

/** The typed error for whatever SQLite threw; anything else comes back as it is. */
export function storeError(error: unknown, file: string): unknown {
  const primary = primaryCode(error);
  if (primary === 0) return error;
  const reason = error instanceof Error ? error.message : "unknown";
  // Our statements fit our tables: whatever is missing was damaged.
  const isSchemaDamaged = primary === PRIMARY.error && /^no such |has no column/.test(reason);
  const verdict = verdictOf(isSchemaDamaged ? PRIMARY.corrupt : primary);
  if (verdict === undefined) {
    return new LockyardError("BUG", `A statement on the store ${file} failed: ${reason}.`, {
      hint: "This is a bug in Lockyard; please report it.",
      cause: error,
    });
  }
  return new LockyardError(verdict.code, `The store ${file} ${verdict.what} (${reason}).`, {
    hint: verdict.hint,
    cause: error,
  });
}

/** Whether the store, and not one command, is the reason: then every command of the transaction fares the same. */
export function isStoreFailure(error: unknown): boolean {
  return errorCode(error)?.startsWith("STORE_") ?? false;
}
