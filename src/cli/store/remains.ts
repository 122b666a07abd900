/** What a command that looks at the store does first: it frees what dead processes had held. */
import { findDeadOwners } from "../../edges/store.ts";
import type { Clock, Store } from "../../index.ts";

/** Milliseconds after which the rest is left for later: who only looks must not clean up after a hundred thousand tasks. */
const LIMIT_MS = 40;

/** Judges every owner of the store and frees what those that are gone had held. Safe at any time, by anybody. */
export async function freeWhatTheDeadHeld(store: Store, clock: Clock): Promise<void> {
  const endMs = clock.nowMs() + LIMIT_MS;
  const owners = await store.view((view) => view.owners());
  for (const { ownerId, isProven } of await findDeadOwners(owners, clock)) {
    // One turn deals with a page of its rows: again, while there are more.
    for (let isWorking = true; isWorking && clock.nowMs() < endMs; ) {
      const effects = await store.turn([{ type: "owner-gone", ownerId, isProven }]);
      const isOver = effects.some((effect) => effect.type === "owner-gone" && effect.owner.ownerId === ownerId);
      isWorking = !isOver && effects.some((effect) => "row" in effect && effect.row.ownerId === ownerId);
    }
  }
}
