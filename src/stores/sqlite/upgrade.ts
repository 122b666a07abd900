/** Brings an opened store to this program's schema and to this boot of the machine. */
import { LockyardError } from "../../core/errors.ts";
import { firstFence, isAfterBoot, restartTimes } from "./boot.ts";
import type { Connection } from "./connection.ts";
import { isBusy } from "./errors.ts";
import { checkFormat, migrate, olderOwners, type Schema } from "./migrate.ts";
import { type Patience, untilFree } from "./patience.ts";

/** How often it is looked whether the last older process has gone. */
const LOOK_MS = 250;
/** A file of the first schema up to this many bytes is written anew, so that it can be made smaller later on. */
const CONVERTED_BYTES = 64 * 1024 * 1024;

export interface Upgrade {
  readonly connection: Connection;
  readonly patience: Patience;
  readonly bootId: string;
  readonly schema: Schema;
  /** Milliseconds to wait for older programs to end before STORE_BUSY. */
  readonly upgradeLimitMs: number;
}

/** Most openings only read here. Throws STORE_TOO_NEW, STORE_FOREIGN, STORE_BUSY. */
export async function makeCurrent(upgrade: Upgrade): Promise<void> {
  const { connection, patience, bootId, schema } = upgrade;
  const { db, file } = connection;
  const isCurrent = await untilFree(patience, () => {
    try {
      const { isCurrent } = checkFormat(db, file, schema);
      return isCurrent && !isAfterBoot(db, bootId, patience.clock.nowMs()) ? "yes" : "no";
    } catch (error) {
      if (isBusy(error)) return null;
      throw error;
    }
  });
  if (isCurrent === "yes") return;
  const { clock, onNotice } = patience;
  const startMs = clock.nowMs();
  for (let older = await tryUpgrade(upgrade), hasNotice = false; older.length > 0; older = await tryUpgrade(upgrade)) {
    const waitedMs = clock.nowMs() - startMs;
    const message = `The store ${file} waits to be changed for this release until older ones have ended: ${older.join("; ")}.`;
    if (waitedMs >= upgrade.upgradeLimitMs) {
      throw new LockyardError("STORE_BUSY", `${message} Waited ${Math.round(waitedMs).toLocaleString("en")} ms.`, {
        hint: "Let them end or end them, then try again; or use the release they use.",
      });
    }
    if (!hasNotice) onNotice(message);
    hasNotice = true;
    await new Promise<void>((resolve) => clock.setTimer(LOOK_MS, resolve));
  }
  convert(connection);
}

/** Whoever has to end first; nobody when it is done. */
function tryUpgrade({ connection, patience, bootId, schema }: Upgrade): Promise<readonly string[]> {
  const { db, file } = connection;
  const { clock } = patience;
  return untilFree(patience, () => {
    if (!connection.tryBegin()) return null;
    try {
      // Somebody else may have done it meanwhile: everything is looked at again under the lock.
      checkFormat(db, file, schema);
      const older = olderOwners(db, clock.nowMs(), schema);
      // What lived before this boot does not live now.
      if (older.length > 0 && !isAfterBoot(db, bootId, clock.nowMs())) {
        connection.rollback();
        return older;
      }
      migrate(db, { fence: firstFence(clock), bootId }, schema);
      if (isAfterBoot(db, bootId, clock.nowMs())) restartTimes(db, clock, bootId);
      connection.commit();
      return [];
    } catch (error) {
      connection.rollback();
      throw error;
    }
  });
}

/**
 * Files of before could not be made smaller (auto_vacuum is chosen when a file is made, or while it is written anew).
 * Others at work, or no room for a copy: then it stays as it is, and its free pages are used again all the same.
 */
function convert({ db }: Connection): void {
  const [pages, pageBytes] = [db.one("pragma page_count")?.[0], db.one("pragma page_size")?.[0]].map(Number);
  const isIncremental = Number(db.one("pragma auto_vacuum")?.[0]) === 2;
  if (isIncremental || (pages ?? 0) * (pageBytes ?? 0) > CONVERTED_BYTES) return;
  try {
    db.database.exec("pragma auto_vacuum = incremental; vacuum");
  } catch {
    // See above.
  }
}
