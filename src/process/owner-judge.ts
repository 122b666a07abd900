/**
 * The one judge of owners: which of them are gone, and whether everything they started is gone too. Only then may what they
 * held be granted again. Used by every manager that waits, by commands that look at the store, by simulation and tests.
 *
 *  L7 gone and proven: its process is dead and so is all it left. Gone and unproven: quarantined
 *  L8 a process that can be seen is judged by pid, start time, boot and pid namespace, whatever its lease says. One that
 *     cannot be seen (another namespace counts as another machine) is judged by its lease, and a lapsed lease proves nothing
 *  J1 looking for remains begins after every owner in question was seen dead: the dead start nothing
 *  J2 two judges of one owner only repeat each other: signals go to the same processes, the second report finds no rows
 *  J3 an owner that could not be proven gone is looked at again without waiting: it never holds up the judging of others
 */
import { BOUNDS, LEASE } from "../core/bounds.ts";
import type { Command, Effect, Owner } from "../core/command.ts";
import type { Clock, DeadOwner, ProcessIdentity, Store } from "../core/ports.ts";
import { type Liveness, livenessHere } from "./identity.ts";
import { endRemains } from "./remains.ts";

export type LivenessOf = (identity: ProcessIdentity) => Liveness;

export interface OwnerJudgeOptions {
  readonly clock: Clock;
  /** Default: what this machine's process table says. */
  readonly livenessOf?: LivenessOf;
  /**
   * Ends what dead owners left running and answers whose remains still live. `isAgain`: they withstood it before, so do not
   * wait for them. Default: by the markers their processes carry.
   */
  readonly endRemains?: (owners: readonly Owner[], isAgain: boolean) => Promise<ReadonlySet<string>>;
}

/** `lapsed`: it cannot be seen, and has not beaten for longer than its lease. */
export type Verdict = "alive" | "gone" | "lapsed";

export function verdictOn(owner: Owner, nowMs: number, livenessOf: LivenessOf): Verdict {
  const liveness = livenessOf(owner);
  if (liveness !== "unknown") return liveness;
  return nowMs - owner.beatAtMs > LEASE.timeToLiveMs ? "lapsed" : "alive";
}

export class OwnerJudge {
  readonly #clock: Clock;
  readonly #livenessOf: LivenessOf | undefined;
  readonly #endRemains: (owners: readonly Owner[], isAgain: boolean) => Promise<ReadonlySet<string>>;
  /** Owners whose remains withstood a whole sweep. */
  readonly #stuck = new Set<string>();

  constructor(options: OwnerJudgeOptions) {
    this.#clock = options.clock;
    this.#livenessOf = options.livenessOf;
    this.#endRemains =
      options.endRemains ?? ((owners, isAgain) => endRemains(owners, { clock: options.clock, isAgain }));
  }

  /** The dead among them, after what they left was ended, as far as it can be. The living cost one look each. */
  async findDead(owners: readonly Owner[]): Promise<readonly DeadOwner[]> {
    const nowMs = this.#clock.nowMs();
    const livenessOf = this.#livenessOf ?? livenessHere();
    const dead: DeadOwner[] = [];
    const fresh: Owner[] = [];
    const again: Owner[] = [];
    for (const owner of owners) {
      const verdict = verdictOn(owner, nowMs, livenessOf);
      if (verdict === "lapsed") dead.push({ ownerId: owner.ownerId, isProven: false });
      else if (verdict === "gone") (this.#stuck.has(owner.ownerId) ? again : fresh).push(owner);
    }
    for (const [group, isAgain] of [
      [fresh, false],
      [again, true],
    ] as const) {
      if (group.length === 0) continue;
      const unproven = await this.#endRemains(group, isAgain);
      for (const { ownerId } of group) {
        const isProven = !unproven.has(ownerId);
        if (isProven) this.#stuck.delete(ownerId);
        else if (this.#stuck.size < BOUNDS.stuckOwners) this.#stuck.add(ownerId);
        dead.push({ ownerId, isProven });
      }
    }
    return dead;
  }
}

/**
 * Reports dead owners to a store, each until all its rows are dealt with: a turn deals with a page of them. Answers the
 * effects. With `limitMs`, what is not dealt with by then is left for whoever looks next.
 */
export async function reportDead(
  store: Pick<Store, "turn">,
  dead: readonly DeadOwner[],
  { clock, limitMs = Number.POSITIVE_INFINITY }: { readonly clock: Clock; readonly limitMs?: number },
): Promise<readonly Effect[]> {
  const all: Effect[] = [];
  const endMs = clock.nowMs() + limitMs;
  for (const { ownerId, isProven } of dead) {
    const command: Command = { type: "owner-gone", ownerId, isProven };
    for (let turns = 0; turns < BOUNDS.tasksPerWorkflow && clock.nowMs() < endMs; turns++) {
      const effects = await store.turn([command]);
      for (const effect of effects) all.push(effect);
      const isOver = effects.some((effect) => effect.type === "owner-gone" && effect.owner.ownerId === ownerId);
      const isWorking = effects.some((effect) => "row" in effect && effect.row.ownerId === ownerId);
      if (isOver || !isWorking) break;
    }
  }
  return all;
}

export interface JudgeOwnersOptions {
  readonly store: Pick<Store, "turn" | "view">;
  readonly judge: OwnerJudge;
  readonly clock: Clock;
  /** Owners of this process: never judged. */
  readonly selves?: ReadonlySet<string>;
  readonly limitMs?: number;
}

/** Judges every owner of a store and frees what those that are gone had held. Safe at any time, by anybody. */
export async function judgeOwners(options: JudgeOwnersOptions): Promise<readonly Effect[]> {
  const { store, judge, clock, selves, limitMs } = options;
  const owners = await store.view((view) => view.owners());
  const others = selves === undefined ? owners : owners.filter(({ ownerId }) => !selves.has(ownerId));
  const dead = await judge.findDead(others);
  return reportDead(store, dead, { clock, ...(limitMs === undefined ? undefined : { limitMs }) });
}
