/** Opening: is this a place and a file for a store, is it ours, has it this program's schema, was there a boot since. */
import type { Clock } from "../../core/ports.ts";
import { currentBootId, ownersBefore } from "./boot.ts";
import { Connection, type Tier } from "./connection.ts";
import { storeError } from "./errors.ts";
import { refuseForeignFile } from "./header.ts";
import { SCHEMA, type Schema } from "./migrate.ts";
import { untilFree } from "./patience.ts";
import { preparePlace, storeFile } from "./place.ts";
import type { Prompts } from "./prompts.ts";
import { SqliteStore } from "./store.ts";
import { makeCurrent } from "./upgrade.ts";

/** Opening has a patience of its own: making a file and recovering its log are done by one process while others wait. */
const OPEN_LIMIT_MS = 10_000;
const BUSY_LIMIT_MS = 30_000;
const BUSY_NOTICE_MS = 2_000;
/** Turns spent, while opening, on tasks of before the boot: more of them wait for the judge of owners. */
const OWNER_TURNS = 64;

export interface OpenSqliteOptions {
  readonly clock: Clock;
  /** Absolute path; default: `storeFile()`. */
  readonly file?: string;
  /** `process` (default): a commit outlives every process. `power`: the machine's power too, at the price of a flush each. */
  readonly tier?: Tier;
  /** One line for the user: the store lies elsewhere, or somebody keeps it from being written. */
  readonly onNotice?: (line: string) => void;
  /** Milliseconds after which a turn that cannot begin is rejected with STORE_BUSY; default 30,000. */
  readonly busyLimitMs?: number;
  /** How much of what tasks were told is kept; default `full`, for seven days. */
  readonly prompts?: Prompts;
  /** Bytes above which what ended is forgotten before its 14 days are over; default 200 MB. */
  readonly keptBytes?: number;
  /** For tests: identity of this boot of the machine. */
  readonly bootId?: string;
  /** For tests: what a later program knows. */
  readonly schema?: Schema;
}

/** Opens the store of this user and machine. Throws STORE_… or NODE_TOO_OLD, with what to do. */
export async function openStore(options: OpenSqliteOptions): Promise<SqliteStore> {
  const { clock, tier = "process", onNotice = () => undefined, busyLimitMs = BUSY_LIMIT_MS, schema = SCHEMA } = options;
  const { bootId = currentBootId(), prompts, keptBytes } = options;
  const place = options.file === undefined ? storeFile() : { file: options.file, note: null };
  if (place.note !== null) onNotice(place.note);
  const file = preparePlace(place.file);
  refuseForeignFile(file);
  const patience = { clock, file, limitMs: OPEN_LIMIT_MS, noticeMs: BUSY_NOTICE_MS, onNotice };
  const connection = await untilFree(patience, () => Connection.tryOpen(file, tier));
  try {
    await makeCurrent({ connection, patience, bootId, schema, upgradeLimitMs: busyLimitMs });
    const parts = { connection, clock, onNotice, busyLimitMs, busyNoticeMs: BUSY_NOTICE_MS, prompts, keptBytes };
    const store = new SqliteStore(parts);
    connection.keepRoom();
    if (bootId !== "") await loseOwnersBefore(store, connection, bootId);
    return store;
  } catch (error) {
    connection.close();
    throw storeError(error, file);
  }
}

/** L7: after a boot everything of before is proven gone. */
async function loseOwnersBefore(store: SqliteStore, connection: Connection, bootId: string): Promise<void> {
  let turns = 0;
  for (const ownerId of ownersBefore(connection.db, bootId)) {
    for (let isGone = false; !isGone && turns < OWNER_TURNS; turns++) {
      const effects = await store.turn([{ type: "owner-gone", ownerId, isProven: true }]);
      isGone = effects.some((effect) => effect.type === "owner-gone" && effect.owner.ownerId === ownerId);
    }
  }
}
