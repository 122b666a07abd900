/** The one place that loads `node:sqlite`, and only when a store is opened. */
import type { DatabaseSync } from "node:sqlite";
import { LockyardError } from "../../core/errors.ts";

/** First SQLite in which several processes may write and checkpoint one WAL file without damaging it. */
const FIRST_SAFE = [3, 51, 3] as const;

const HINT = "Use Node 22.23 or later, 24.15 or later, or 26 (their SQLite is safe for several processes).";

/** Opens a connection. Throws NODE_TOO_OLD when this Node has no SQLite, or one that several processes would damage. */
export function openDatabase(file: string, options: { readonly readOnly?: boolean } = {}): DatabaseSync {
  const { DatabaseSync: Driver } = loadDriver();
  const database = new Driver(file, { timeout: 0, readOnly: options.readOnly ?? false });
  try {
    const version = String(database.prepare("select sqlite_version() as version").get()?.version);
    refuseUnsafe(version);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Throws NODE_TOO_OLD for a SQLite before 3.51.3. */
export function refuseUnsafe(version: string): void {
  const parts = version.split(".").map(Number);
  for (const [index, least] of FIRST_SAFE.entries()) {
    const part = parts[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new LockyardError(
        "NODE_TOO_OLD",
        `Node ${process.versions.node} has SQLite ${version} and a shared store needs ${FIRST_SAFE.join(".")}.`,
        { hint: HINT },
      );
    }
  }
}

function loadDriver(): typeof import("node:sqlite") {
  const restore = silence("SQLite is an experimental feature");
  try {
    const driver = process.getBuiltinModule?.("node:sqlite");
    if (driver !== undefined) return driver;
  } finally {
    restore();
  }
  throw new LockyardError("NODE_TOO_OLD", `Node ${process.versions.node} has no built-in SQLite.`, { hint: HINT });
}

/** Node 22 warns when the module is loaded. People can do nothing about it, so just that one warning is left out. */
function silence(start: string): () => void {
  const original = process.emitWarning;
  const filtered = (warning: string | Error, ...rest: unknown[]): void => {
    if (String(warning).includes(start)) return;
    Reflect.apply(original, process, [warning, ...rest]);
  };
  process.emitWarning = filtered as typeof process.emitWarning; // its overloads only differ in what `rest` may be
  return () => {
    process.emitWarning = original;
  };
}
