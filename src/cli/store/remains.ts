/** What a command that looks at the store does first: it frees what dead processes had held. */
import { judgeOwners, OwnerJudge } from "../../edges/store.ts";
import type { Clock, Store } from "../../index.ts";

/** Milliseconds after which the rest is left for later: who only looks must not clean up after a hundred thousand tasks. */
const LIMIT_MS = 40;

/** Judges every owner of the store and frees what those that are gone had held. Safe at any time, by anybody. */
export async function freeWhatTheDeadHeld(store: Store, clock: Clock, limitMs: number = LIMIT_MS): Promise<void> {
  await judgeOwners({ store, clock, judge: new OwnerJudge({ clock }), limitMs });
}
