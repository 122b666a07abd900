/** What a turn is asked to do, and what it answers. Commands come from owners; effects are outputs, never inputs. */
import type { Mode, ResolvedClaim } from "./claims.ts";
import type { ErrorCode } from "./errors.ts";
import type { NewRow, TaskRow } from "./row.ts";
import type { FinalStatus, HolderKind, JsonObject } from "./task.ts";

/** The living process behind waiting and running tasks. Its lease is renewed by `owner-beat`. */
export interface Owner {
  readonly ownerId: string;
  readonly pid: number;
  /** Clock ticks since boot at which the process started, from /proc; 0 where unknown. */
  readonly startTime: number;
  readonly bootId: string;
  readonly pidNamespace: string;
  readonly machine: string;
  /** `run refresh-docs`, `exec npm test`, `library`. */
  readonly label: string;
  beatAtMs: number;
}

export type CounterKind = "capacity" | "pool" | "rate" | "limit";

export interface Declaration {
  /** The owner it ends with; `default` for what exists from the start. */
  readonly by: string;
  /** Who said so, for people: a file, or `option resources`. */
  readonly source?: string;
  readonly capacity: number;
  /** From the user's own file: wins over every other number. */
  readonly authority: boolean;
  /** Rates only, else 0. */
  readonly intervalMs: number;
  /** Pools only, else empty. */
  readonly members: readonly string[];
}

/** Everything that is counted. */
export interface Counter {
  readonly node: string;
  readonly kind: CounterKind;
  /** Units, members, or the burst of a rate. */
  capacity: number;
  used: number;
  /**
   * Rates (GCRA): milliseconds between units, and the theoretical arrival time of the next. Limits: virtual milliseconds
   * between places, and where the next stands (shares.ts).
   */
  intervalMs: number;
  nextAtMs: number;
  /** When watchers of a rate, or of a pool with members out of order, are tested again; 0 for never. */
  dueAtMs: number;
  declarations: readonly Declaration[];
  /** Members of a pool, in order. */
  members: readonly string[];
  /** Members of a pool that something else on the machine uses: not given out before that time. */
  out: readonly { readonly member: string; readonly untilMs: number }[];
  /** Of a rate: its provider asked everybody to wait until then. `strain`: times the pace is halved, since when. */
  overload: { readonly untilMs: number; readonly strain: number; readonly sinceMs: number } | null;
}

export type Command =
  | { readonly type: "submit"; readonly row: NewRow }
  /** A blocked, suspended or retrying task becomes eligible. */
  | {
      readonly type: "enqueue";
      readonly key: number;
      readonly rank: number /** Adopts a suspended task. */;
      readonly ownerId?: string;
    }
  | { readonly type: "rerank"; readonly key: number; readonly rank: number }
  /** The owner starts what another process admitted for it. */
  | { readonly type: "confirm"; readonly key: number; readonly fence: number }
  | {
      readonly type: "settle";
      readonly key: number;
      readonly fence: number;
      readonly status: FinalStatus;
      readonly result: unknown;
    }
  /** The attempt ended and another will follow: locks and slot go, the task leaves the line until `enqueue`. */
  | { readonly type: "retry"; readonly key: number; readonly fence: number }
  | { readonly type: "need-input"; readonly key: number; readonly fence: number }
  /** A guest goes on with what it holds: it lapses `leaseMs` from now. */
  | { readonly type: "renew"; readonly key: number; readonly fence: number; readonly leaseMs: number }
  /** A running task gives its slot back while it waits for tasks it started. */
  | { readonly type: "give-slot"; readonly key: number; readonly fence: number }
  /** Being stopped, proof pending: keeps locks, gives the slot back. */
  | { readonly type: "ending"; readonly key: number; readonly fence: number }
  | { readonly type: "quarantine"; readonly key: number; readonly fence: number }
  /**
   * What was granted cannot be used as it is: members of pools that something else uses, paths that lead elsewhere by now
   * (`claims`: what they are now). Back in line at its rank.
   */
  | {
      readonly type: "put-back";
      readonly key: number;
      readonly fence: number;
      readonly taken: readonly { readonly node: string; readonly members: readonly string[] }[];
      readonly claims: readonly ResolvedClaim[] | null;
    }
  /** The provider behind a rate is overloaded and gives nothing for so long. */
  | { readonly type: "slow-down"; readonly node: string; readonly forMs: number }
  /** A person frees what a quarantined holder held; by `force` also what one holds that lives. */
  | { readonly type: "unlock"; readonly key: number; readonly force?: boolean }
  /** Takes a task that has not started out of the line, until `enqueue`. Its owner stays. */
  | { readonly type: "suspend"; readonly key: number }
  /** Hands a message to the owner of a live task, wherever it lives. Opaque to the kernel. */
  | { readonly type: "tell"; readonly key: number; readonly message: JsonObject }
  /** Remembers something for people and later processes, under a name; null forgets it. Opaque to the kernel. */
  | { readonly type: "note"; readonly topic: string; readonly note: unknown }
  /** Ends a request for more and drops what it got. */
  | { readonly type: "release"; readonly key: number }
  /** Ends a task that has not started; asks the owner to stop one that has. */
  | {
      readonly type: "cancel";
      readonly key: number;
      readonly status: "cancelled" | "timed_out" | "skipped";
      readonly result: unknown;
    }
  | {
      readonly type: "declare";
      readonly node: string;
      readonly kind: CounterKind;
      readonly capacity: number;
      readonly by: string;
      readonly source?: string;
      readonly authority: boolean;
      readonly intervalMs?: number;
      readonly members?: readonly string[];
    }
  | { readonly type: "withdraw"; readonly by: string /** Only there, instead of everywhere. */; readonly node?: string }
  | { readonly type: "owner-join"; readonly owner: Owner }
  | { readonly type: "owner-beat"; readonly ownerId: string }
  | { readonly type: "owner-leave"; readonly ownerId: string }
  /** Somebody proved the owner's process dead, and everything it owned. Unproven, its holders are quarantined. */
  | { readonly type: "owner-gone"; readonly ownerId: string; readonly isProven: boolean }
  /** Takes no action of its own: lets due timers and the carry run. */
  | { readonly type: "tick" }
  /** Last resort after BUG twice: ends the task whatever its books say. */
  | { readonly type: "condemn"; readonly key: number };

/** A holder that stands in somebody's way. */
export interface Blocker {
  readonly key: number;
  readonly workflowId: string;
  readonly taskId: string;
  readonly label: string;
  readonly node: string;
  readonly mode: Mode;
  readonly units: number;
  readonly holder: HolderKind;
  readonly sinceMs: number;
  readonly quarantined: boolean;
}

export type Effect =
  | { readonly type: "submitted"; readonly index: number; readonly row: TaskRow }
  /** The command at `index` was not carried out; nothing changed by it. */
  | {
      readonly type: "refused";
      readonly index: number;
      readonly code: ErrorCode;
      readonly message: string;
      readonly blockers: readonly Blocker[];
    }
  /** Began to wait, on `row.watch`. */
  | { readonly type: "waiting"; readonly row: TaskRow }
  /** Granted. `running` when its owner ran this turn, else `starting` until the owner confirms. */
  | { readonly type: "admitted"; readonly row: TaskRow }
  | { readonly type: "confirmed"; readonly row: TaskRow }
  /** Stopped waiting on a lock, capacity or rate after `waitedMs`. */
  | { readonly type: "waited"; readonly node: string; readonly waitedMs: number }
  | { readonly type: "reserved"; readonly row: TaskRow }
  /** Not confirmed in time: back in line at its rank. */
  | { readonly type: "requeued"; readonly row: TaskRow }
  | { readonly type: "stop-requested"; readonly row: TaskRow }
  | {
      readonly type: "ended";
      readonly row: TaskRow;
      readonly status: FinalStatus;
      readonly code: ErrorCode | null;
      /** A sentence for people, when the code alone does not say it. */
      readonly message?: string;
    }
  | { readonly type: "suspended"; readonly row: TaskRow }
  | { readonly type: "quarantined"; readonly row: TaskRow }
  /** For the owner of the row. */
  | { readonly type: "told"; readonly row: TaskRow; readonly message: JsonObject }
  | { readonly type: "owner-gone"; readonly owner: Owner }
  | { readonly type: "limit-changed"; readonly node: string; readonly capacity: number };
