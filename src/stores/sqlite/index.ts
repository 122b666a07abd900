/** `lockyard/sqlite`: the store of a user and machine. Importing it loads no driver. */
import type { StoreDescriptor } from "../../core/ports.ts";
import type { Tier } from "./connection.ts";
import type { OpenSqliteOptions } from "./open.ts";
import type { Prompts } from "./prompts.ts";
import type { SqliteStore } from "./store.ts";

export type { Tier } from "./connection.ts";
export type { OpenSqliteOptions } from "./open.ts";
export { type StorePlace, type StorePlaceOptions, storeFile } from "./place.ts";
export type { Prompts } from "./prompts.ts";
export type { SqliteStore } from "./store.ts";

export interface SqliteStoreOptions {
  /** Absolute path; default `$XDG_STATE_HOME/lockyard/store.db`, else `~/.local/state/lockyard/store.db`. */
  readonly file?: string;
  /** `process` (default): a commit outlives every process. `power`: the machine's power too. */
  readonly tier?: Tier;
  /**
   * How much of what tasks were told (description, context) is kept: `full` for seven days, default; `hash` or `none` as
   * soon as nobody needs it to run the task.
   */
  readonly prompts?: Prompts;
  /** One line for the user: the store lies elsewhere, or somebody keeps it from being written. */
  readonly onNotice?: (line: string) => void;
}

/**
 * The store every process of this user and machine shares: one SQLite file, no daemon. Nothing is loaded before it is
 * opened, which throws STORE_… or NODE_TOO_OLD (it needs Node 22.23, 24.15 or 26).
 */
export function sqliteStore(options: SqliteStoreOptions = {}): StoreDescriptor {
  return { open: ({ clock }) => openSqliteStore({ ...options, clock }) };
}

/** Opens the store now. See `sqliteStore`. */
export async function openSqliteStore(options: OpenSqliteOptions): Promise<SqliteStore> {
  const { openStore } = await import("./open.ts");
  return openStore(options);
}
