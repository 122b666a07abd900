/** Opening: is this a place and a file for a store, is it ours, has it this program's schema, was there a boot since. */
import type { Clock } from "../../core/ports.ts";
import { currentBootId, firstFence, isAfterBoot, ownersBefore, restartTimes } from "./boot.ts";
import { Connection, type Tier } from "./connection.ts";
import { isBusy, storeError } from "./errors.ts";
import { refuseForeignFile } from "./header.ts";
import { checkFormat, migrate } from "./migrate.ts";
import { type Patience, untilFree } from "./patience.ts";
import { preparePlace, storeFile } from "./place.ts";
import { SqliteStore } from "./store.ts";

/** Opening has a patience of its own: making a file and recovering its log are done by one process while others wait. */
const OPEN_LIMIT_MS = 10_000;
const BUSY_LIMIT_MS = 30_000;
const BUSY_NOTICE_MS = 2_000;
/** Turns spent, while opening, on tasks of before the boot: more of them wait for `judgeOwners`. */
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
  /** For tests: identity of this boot of the machine. */
  readonly bootId?: string;
}

/** Opens the store of this user and machine. Throws STORE_… or NODE_TOO_OLD, with what to do. */
export async function openStore(options: OpenSqliteOptions): Promise<SqliteStore> {
  const {
    clock,
    tier = "process",
    onNotice = () => undefined,
    busyLimitMs = BUSY_LIMIT_MS,
    bootId = currentBootId(),
  } = options;
  const place = options.file === undefined ? storeFile() : { file: options.file, note: null };
  if (place.note !== null) onNotice(place.note);
  preparePlace(place.file);
  refuseForeignFile(place.file);
  const patience = { clock, file: place.file, limitMs: OPEN_LIMIT_MS, noticeMs: BUSY_NOTICE_MS, onNotice };
  const connection = await untilFree(patience, () => Connection.tryOpen(place.file, tier));
  try {
    await makeCurrent(connection, patience, bootId);
    const store = new SqliteStore({ connection, clock, onNotice, busyLimitMs, busyNoticeMs: BUSY_NOTICE_MS });
    if (bootId !== "") await loseOwnersBefore(store, connection, bootId);
    return store;
  } catch (error) {
    connection.close();
    throw storeError(error, place.file);
  }
}

/** Most openings only read here. */
async function makeCurrent(connection: Connection, patience: Patience, bootId: string): Promise<void> {
  const { db, file } = connection;
  const { clock } = patience;
  const isReady = (): boolean => checkFormat(db, file).isCurrent && !isAfterBoot(db, bootId, clock.nowMs());
  const isCurrent = await untilFree(patience, () => {
    try {
      return isReady() ? "yes" : "no";
    } catch (error) {
      if (isBusy(error)) return null;
      throw error;
    }
  });
  if (isCurrent === "yes") return;
  await untilFree(patience, () => {
    if (!connection.tryBegin()) return null;
    try {
      // Somebody else may have done it meanwhile: everything is looked at again under the lock.
      checkFormat(db, file);
      migrate(db, { fence: firstFence(clock), bootId });
      if (isAfterBoot(db, bootId, clock.nowMs())) restartTimes(db, clock, bootId);
      connection.commit();
      return true;
    } catch (error) {
      connection.rollback();
      throw error;
    }
  });
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
