/** Reaching into the store from another terminal: opened, told to the owners of tasks, closed. */
import { DEFAULTS } from "../../edges/basics.ts";
import type { Message, StoreView, TaskRow } from "../../edges/store.ts";
import type { Clock, JsonObject } from "../../index.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { noStoreText, openShared, type SharedStore } from "./shared-store.ts";

/** Opens the shared store for a command and closes it. Where there is none, that is what the command says. */
export async function withStore(
  type: string,
  { options, surroundings }: { readonly options: CommonOptions; readonly surroundings: Surroundings },
  use: (shared: SharedStore) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { out } = surroundings;
  const shared = await openShared(options, surroundings);
  if ("none" in shared) {
    if (options.json === true) out.json({ type, done: false, none: shared.none });
    else out.line(noStoreText(shared));
    return EXIT.failed;
  }
  try {
    return await use(shared);
  } finally {
    await shared.store.close();
  }
}

/** Tells the owner of each of these rows once. Answers with how many owners there were. */
export async function tellOwners({ store }: SharedStore, rows: readonly TaskRow[], message: Message): Promise<number> {
  const byOwner = new Map<string, TaskRow>();
  for (const row of rows) if (row.ownerId !== "" && !byOwner.has(row.ownerId)) byOwner.set(row.ownerId, row);
  const effects = await store.turn(
    [...byOwner.values()].map(({ key }) => ({
      type: "tell",
      key,
      message: message as unknown as JsonObject, // plain JSON, as every message is
    })),
  );
  return byOwner.size - effects.filter(({ type }) => type === "refused").length;
}

const LOOK_MS = 25;

/** Looks until it is so. False after `limitMs`: whoever was told may be busy or stopped. */
export async function until(
  { store, clock }: SharedStore,
  isSo: (view: StoreView) => boolean,
  limitMs: number = DEFAULTS.graceMs,
): Promise<boolean> {
  const endMs = clock.nowMs() + limitMs;
  while (!store.view(isSo)) {
    if (clock.nowMs() > endMs) return false;
    await sleep(clock, LOOK_MS);
  }
  return true;
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(ms, resolve);
  });
}
