/**
 * The row of a task: all that decides about it. Rows are the truth; memory keeps them as objects, SQLite as table rows.
 *
 * Only the kernel (turn.ts and what it calls) writes into a row, between `ledger.edit(row)` and `ledger.put(row)`.
 */
import { RATE, type ResolvedClaim, type WatchMode } from "./claims.ts";
import type { FinalStatus, HolderKind, LiveStatus, TaskStatus } from "./task.ts";

/** What becomes of a row whose owner is gone. */
export type OrphanPolicy =
  /** A plan's task: waits for `resume`. */
  | "suspend"
  /** A function's task: nobody else can run it; it ends `failed: OWNER_GONE`. */
  | "fail"
  /** `exec`: leaves the line, its place is kept for a while (L13). */
  | "vanish";

export interface NewRow {
  readonly workflowId: string;
  readonly taskId: string;
  readonly agentId: string;
  readonly ownerId: string;
  /** A task, or a request that a running task makes for more (its locks then belong to that task). */
  readonly kind: "task" | "request";
  /** For a request: `locks`, or `slot` when it only asks its task's limits back. */
  readonly wants: "locks" | "slot";
  /** Key of the task this was started by or belongs to; 0 for none. */
  readonly parentKey: number;
  /** Keys of the holders this runs inside of, nearest first (L11). */
  readonly ancestors: readonly number[];
  readonly holder: HolderKind;
  readonly status: "waiting" | "blocked";
  /** Takes the place of a task of this id that ended without success, or that is suspended and nobody's. */
  readonly again?: boolean;
  readonly rank: number;
  /** Normalised: one claim a node. */
  readonly claims: readonly ResolvedClaim[];
  /** Nodes of the limits it counts against while it has a slot. */
  readonly limits: readonly string[];
  /** Milliseconds; 0 for none. */
  readonly queueTimeoutMs: number;
  /**
   * Guests only: what was granted lapses so many milliseconds after the grant, or after the last `renew`. 0 (or absent): it
   * is held until somebody says otherwise.
   */
  readonly leaseMs?: number;
  readonly orphan: OrphanPolicy;
  /** Session, directory and command of a waiter whose place is kept (L13); empty for none. */
  readonly placeKey: string;
  /** Its owner makes sure that no other row of its own has this id: a store that only this owner uses need not look. */
  readonly isIdUnique?: boolean;
  /** How people name it: `"fix login" (claude)`; at most 200 characters. */
  readonly label: string;
  /** Opaque to the kernel: the task itself. Plain JSON when the store is shared. */
  readonly payload: unknown;
}

export interface TaskRow {
  /** Given by the ledger, grows by one: the sequence that breaks ties of rank. */
  readonly key: number;
  readonly workflowId: string;
  readonly taskId: string;
  readonly agentId: string;
  ownerId: string;
  readonly kind: "task" | "request";
  readonly wants: "locks" | "slot";
  readonly parentKey: number;
  readonly ancestors: readonly number[];
  /** Under whose name its locks stand: its own key, or the task's a request belongs to. */
  readonly holderKey: number;
  readonly holder: HolderKind;
  status: TaskStatus;
  rank: number;
  /** Changed by `ledger.reclaim` alone: when a path leads elsewhere by the time it is granted. */
  readonly claims: readonly ResolvedClaim[];
  readonly limits: readonly string[];
  /** Its limits and rates as one text: rows with the same gate pass or wait together. See `gateOf`. */
  readonly gate: string;
  /** Whether its limits are counted now. */
  holdsLimits: boolean;
  /** Whether its claims are held now. */
  holdsClaims: boolean;
  /** The one node it waits on; empty when it does not wait. `x/` means "something below x". */
  watch: string;
  watchMode: WatchMode | 0;
  /**
   * The lock or capacity node whose line it speaks for while it watches a gate: that node is free, and those behind it stay
   * where they are until it is served or leaves. Empty for none.
   */
  delegateOf: string;
  /** Times others were let past while it was first at what it waits for, or moved on unserved (L4). */
  passed: number;
  reserved: boolean;
  /** 0 until admitted. */
  fence: number;
  /**
   * Pool members it uses, by node and by name (so that a pool declared anew never gives out twice what somebody holds).
   * Those it holds itself first, then those that somebody around it holds (L11).
   */
  members: Readonly<Record<string, readonly string[]>> | null;
  /** How the owner was asked to stop it; empty when it was not. */
  stop: "" | "cancelled" | "timed_out" | "skipped";
  quarantined: boolean;
  readonly queueTimeoutMs: number;
  readonly orphan: OrphanPolicy;
  readonly placeKey: string;
  readonly label: string;
  readonly submittedAtMs: number;
  /** When it last entered the line. */
  waitingSinceMs: number;
  /** When it began to watch what it watches. */
  watchSinceMs: number;
  /** Waiting behind locks, capacities and rates, in all. */
  lockWaitMs: number;
  admittedAtMs: number;
  /** When the kernel must look at it again (queue time-out, start time-out, end of a lease); 0 for never. */
  dueAtMs: number;
  /** See `NewRow.leaseMs`; 0 for none. */
  leaseMs: number;
  payload: unknown;
}

/** See `TaskRow.gate`. */
export function gateOf({ claims, limits }: Pick<NewRow, "claims" | "limits">): string {
  let gate = limits.length === 1 ? (limits[0] ?? "") : limits.join(" ");
  for (const claim of claims) if (claim.mode === RATE) gate += ` ${claim.node}`;
  return gate;
}

export const LIVE_STATUSES: readonly LiveStatus[] = [
  "blocked",
  "suspended",
  "waiting",
  "starting",
  "running",
  "needs_input",
  "retrying",
  "ending",
];
export const FINAL_STATUSES: readonly FinalStatus[] = ["succeeded", "failed", "timed_out", "cancelled", "skipped"];

const FINAL: ReadonlySet<TaskStatus> = new Set(FINAL_STATUSES);

export function isFinal(status: TaskStatus): boolean {
  return FINAL.has(status);
}

/** Statuses in which locks are held. An unknown status counts as holding: see DESIGN "counts as held". */
export function holdsLocks(status: TaskStatus): boolean {
  return !(
    isFinal(status) ||
    status === "blocked" ||
    status === "suspended" ||
    status === "waiting" ||
    status === "retrying"
  );
}

/** Order of the line: by rank, ties by sequence. */
export function isBefore(a: TaskRow, b: TaskRow): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.key < b.key);
}
