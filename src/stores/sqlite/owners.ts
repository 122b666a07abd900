/**
 * Is the process behind an owner still there? Judged from outside, by facts of the system, never by a missed heartbeat
 * alone where the process can be seen.
 *
 * L7  gone and proven, its locks may be granted again; gone and unproven, what it held is quarantined
 * L8  identity is pid + start time + boot + pid namespace; another namespace counts as another machine: only its lease
 *     speaks, and a lapsed lease proves nothing
 */
import { BOUNDS, LEASE } from "../../core/bounds.ts";
import type { Command, Effect, Owner } from "../../core/command.ts";
import type { Clock, ProcessIdentity, Store } from "../../core/ports.ts";

/** `gone` is a proof; `unknown` when it cannot be judged from here. */
export type LivenessOf = (identity: ProcessIdentity) => "alive" | "gone" | "unknown";

export interface JudgeOwnersOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly livenessOf: LivenessOf;
  /** Owners of this process: never judged. */
  readonly selves?: ReadonlySet<string>;
  /**
   * Ends what a dead owner's tasks had started and answers whether all of it is gone. Without it, a dead process is taken
   * to have left nothing behind.
   */
  readonly sweep?: (owner: Owner) => Promise<boolean>;
}

/** `lapsed`: it cannot be seen and has not beaten for longer than its lease. */
export function judgeOwner(owner: Owner, livenessOf: LivenessOf, nowMs: number): "alive" | "gone" | "lapsed" {
  const liveness = livenessOf(owner);
  if (liveness !== "unknown") return liveness;
  return nowMs - owner.beatAtMs > LEASE.timeToLiveMs ? "lapsed" : "alive";
}

/**
 * Judges every other owner of the store and reports those that are gone, until all their rows are dealt with. Answers the
 * effects of it. Safe to call by everybody at any time: two that judge the same owner agree.
 */
export async function judgeOwners(options: JudgeOwnersOptions): Promise<readonly Effect[]> {
  const { store, clock, livenessOf, selves, sweep } = options;
  const effects: Effect[] = [];
  for (const owner of await store.view((view) => view.owners())) {
    if (selves?.has(owner.ownerId)) continue;
    const verdict = judgeOwner(owner, livenessOf, clock.nowMs());
    if (verdict === "alive") continue;
    const isProven = verdict === "gone" && (sweep === undefined || (await sweep(owner)));
    for (const effect of await reportGone(store, { type: "owner-gone", ownerId: owner.ownerId, isProven }))
      effects.push(effect);
  }
  return effects;
}

/** A turn deals with 64 rows; it is repeated while it finds more. */
async function reportGone(store: Store, command: Extract<Command, { type: "owner-gone" }>): Promise<readonly Effect[]> {
  const all: Effect[] = [];
  for (let turns = 0; turns < BOUNDS.tasksPerWorkflow; turns++) {
    const effects = await store.turn([command]);
    for (const effect of effects) all.push(effect);
    const isOver = effects.some((effect) => effect.type === "owner-gone" && effect.owner.ownerId === command.ownerId);
    const isWorking = effects.some((effect) => "row" in effect && effect.row.ownerId === command.ownerId);
    if (isOver || !isWorking) break;
  }
  return all;
}
