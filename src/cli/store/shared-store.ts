/** The shared store, opened by commands that look at it or reach into it. */
import { existsSync } from "node:fs";
import { chooseStore } from "../../config/store-choice.ts";
import { errorCode, LockyardError, systemClock } from "../../edges/basics.ts";
import { openSqliteStore, type SqliteStore, storeFile } from "../../edges/store.ts";
import type { Clock } from "../../index.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { freeWhatTheDeadHeld } from "./remains.ts";

export interface SharedStore {
  readonly store: SqliteStore;
  readonly clock: Clock;
}

/** Why there is nothing to look at. */
export type NoStore = { readonly none: "memory" | "off" | "missing"; readonly location: string };

/**
 * Opens it, and first frees what dead processes held, so that nobody is shown as running who is not. Makes no file where
 * there is none. Throws STORE_… and NODE_TOO_OLD.
 */
export async function openShared(
  options: CommonOptions,
  { env, cwd, err }: Surroundings,
): Promise<SharedStore | NoStore> {
  const choice = chooseStore(options.store, { env, cwd });
  if (choice.kind === "memory") return { none: choice.because === null ? "memory" : "off", location: "memory" };
  const { file, note } = choice.file === undefined ? storeFile() : { file: choice.file, note: null };
  if (note !== null) err.line(`lockyard: ${note}`);
  if (!existsSync(file)) return { none: "missing", location: file };
  const clock = systemClock();
  const store = await openHere(file, { clock, say: (line) => err.line(`lockyard: ${line}`) });
  try {
    await freeWhatTheDeadHeld(store, clock);
    return { store, clock };
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function openHere(
  file: string,
  { clock, say }: { readonly clock: Clock; readonly say: (line: string) => void },
): Promise<SqliteStore> {
  try {
    return await openSqliteStore({ clock, file, onNotice: say });
  } catch (error) {
    if (errorCode(error) !== "NODE_TOO_OLD") throw error;
    throw new LockyardError(
      "NODE_TOO_OLD",
      `Node ${process.versions.node} cannot share locks between processes (needs 22.23, 24.15 or 26), so there is nothing it could look at.`,
      { hint: "nvm install 24, then run this again.", cause: error },
    );
  }
}

/** One sentence for people. */
export function noStoreText({ none, location }: NoStore): string {
  switch (none) {
    case "memory":
      return "A memory store belongs to one process; from here there is nothing to see in it.";
    case "off":
      return "LOCKYARD=off: Lockyard is turned off in this shell.";
    case "missing":
      return `Nothing runs, nothing waits (there is no store at ${location} yet). Try: lockyard init`;
  }
}
