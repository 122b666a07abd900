/** One entry of the ghost's own books. */
import type { NewRow } from "../../../core/row.ts";
import type { FinalStatus } from "../../../core/task.ts";

export interface GhostClaim {
  readonly node: string;
  readonly what: "lock" | "units" | "rate";
  readonly isExclusive: boolean;
  readonly units: number;
}

export type GhostState = "blocked" | "waiting" | "held" | "retrying" | "suspended" | "ended";

export interface GhostTask {
  readonly key: number;
  readonly taskId: string;
  ownerId: string;
  readonly isRequest: boolean;
  readonly wantsSlot: boolean;
  readonly parentKey: number;
  readonly ancestors: readonly number[];
  /** Under whose name its locks stand. */
  readonly holderKey: number;
  claims: readonly GhostClaim[];
  readonly limits: readonly string[];
  readonly queueTimeoutMs: number;
  readonly placeKey: string;
  readonly isGuest: boolean;
  /** How long its hold lasts after the last sign of life; 0 for ever. */
  leaseMs: number;
  signOfLifeMs: number;
  rank: number;
  state: GhostState;
  status: FinalStatus | null;
  fence: number;
  isConfirmed: boolean;
  isQuarantined: boolean;
  hasSlot: boolean;
  /** Units taken, node by node: what its ancestors did not hold already. */
  taken: Record<string, number> | null;
  members: Readonly<Record<string, readonly string[]>> | null;
  waitingSinceMs: number;
  heldSinceMs: number;
  /** Its reservation was announced and it has waited ever since. */
  hasReserved: boolean;
  /** The turn in which its rank was last changed. */
  rankedIn: number;
  /** Those in its way when its present wait behind younger ones began; null while something else keeps it. */
  epoch: ReadonlySet<number> | null;
  /** How many such waits it has sat through. */
  passes: number;
}

export function ghostTask(row: NewRow, key: number, nowMs: number): GhostTask {
  return {
    key,
    taskId: row.taskId,
    ownerId: row.ownerId,
    isRequest: row.kind === "request",
    wantsSlot: row.wants === "slot",
    parentKey: row.parentKey,
    ancestors: row.ancestors,
    holderKey: row.kind === "request" ? row.parentKey : key,
    claims: row.claims.map(ghostClaim),
    limits: row.limits,
    queueTimeoutMs: row.queueTimeoutMs,
    placeKey: row.placeKey,
    isGuest: row.holder === "guest",
    leaseMs: row.leaseMs ?? 0,
    signOfLifeMs: 0,
    rank: row.rank,
    state: row.status,
    status: null,
    fence: 0,
    isConfirmed: false,
    isQuarantined: false,
    hasSlot: false,
    taken: null,
    members: null,
    waitingSinceMs: nowMs,
    heldSinceMs: 0,
    hasReserved: false,
    rankedIn: 0,
    epoch: null,
    passes: 0,
  };
}

/** From the words people use: a path or name is locked, a capacity or pool counted, a rate metered. */
export function ghostClaim({
  node,
  mode,
  units,
}: {
  readonly node: string;
  readonly mode: number;
  readonly units: number;
}): GhostClaim {
  const kind = node[0];
  const what = kind === "f" || kind === "n" ? "lock" : kind === "r" ? "rate" : "units";
  return { node, what, isExclusive: mode === 2, units };
}

export function isOlder(a: GhostTask, b: GhostTask): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.key < b.key);
}

/** What this holder has never stands in the task's way: it is its own, or that of a task it runs inside of. */
export function isOwnOrAbove(task: GhostTask, holder: GhostTask): boolean {
  return task.holderKey === holder.holderKey || task.ancestors.includes(holder.holderKey);
}

const relations = (): Map<string, Map<string, boolean>> => new Map();

/** What conflicts, worked out from the names alone; remembered, because the same few names meet again and again. */
export class GhostNames {
  readonly #related = relations();

  /** The same, or one lies below the other. */
  areRelated(a: string, b: string): boolean {
    let known = this.#related.get(a);
    if (known === undefined) {
      known = new Map();
      this.#related.set(a, known);
    }
    let answer = known.get(b);
    if (answer === undefined) {
      answer = a === b || `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
      known.set(b, answer);
    }
    return answer;
  }

  conflict(a: readonly GhostClaim[], b: readonly GhostClaim[]): boolean {
    for (const mine of a) {
      if (mine.what !== "lock") continue;
      for (const theirs of b) {
        if (theirs.what !== "lock" || !(mine.isExclusive || theirs.isExclusive)) continue;
        if (this.areRelated(mine.node, theirs.node)) return true;
      }
    }
    return false;
  }
}
