/**
 * The state of one turn, and the small moves every rule is made of. Lives for one turn only.
 */
import { ADMISSION } from "./bounds.ts";
import { isReservable, LIMIT, type Mode, RATE, type ResolvedClaim, UNITS } from "./claims.ts";
import type { Effect } from "./command.ts";
import { invariant } from "./errors.ts";
import type { CarryEntry, Ledger, Line } from "./ledger.ts";
import { isFinal, type TaskRow } from "./row.ts";

/** What a holder had of a capacity or pool when it let go. */
export interface Estate {
  readonly node: string;
  readonly holderKey: number;
}

export interface Decision {
  readonly ledger: Ledger;
  readonly nowMs: number;
  readonly callerId: string;
  readonly effects: Effect[];
  /** Nodes that became freer since the last look at their lines. */
  readonly freed: Set<string>;
  /** Lines whose watchers have not all been tested, and where to go on. */
  readonly scans: Map<string, CarryEntry>;
  /** Commands that freed something: each pays for 64 tests (L9). */
  releases: number;
  /** Where the row tested last is blocked. */
  blockNode: string;
  blockMode: Mode;
  /** Rows that wait inside a holder, once somebody asked. */
  inside: TaskRow[] | null;
  /** An owner that lives, as far as this turn has looked; empty for none yet. */
  livingOwnerId: string;
  /** A number changed, or units passed on: tasks that wait inside others may now wait for each other. */
  mayHoldKnot: boolean;
  /** Units that were let go and may have counted for those inside: see estate.ts. */
  readonly estates: Estate[];
}

/** Identity of a line. */
export function lineId({ node, mode, gate }: Line): string {
  return `${mode}${node}|${gate}`;
}

/** What a row's claims blocked is freer. */
export function freeClaims(decision: Decision, claims: readonly ResolvedClaim[]): void {
  for (const claim of claims) for (const node of claim.frees) decision.freed.add(node);
}

/** Books the time at the node it leaves, and leaves it. Between `edit` and `put`. */
export function leaveLine(decision: Decision, row: TaskRow): void {
  if (row.watch === "") return;
  if (row.watchMode !== LIMIT) {
    const waitedMs = decision.nowMs - row.watchSinceMs;
    row.lockWaitMs += waitedMs;
    decision.effects.push({ type: "waited", node: row.watch, waitedMs });
    // Those behind it were kept back by rank order alone.
    if (row.watchMode === RATE) decision.freed.add(row.watch);
  }
  row.watch = "";
  row.watchMode = 0;
  if (row.delegateOf === "") return;
  // Those it spoke for are looked at again.
  decision.freed.add(row.delegateOf);
  row.delegateOf = "";
}

export function setLimits(decision: Decision, limits: readonly string[], step: 1 | -1): void {
  const { ledger } = decision;
  for (const node of limits) {
    const counter = ledger.counter(node);
    invariant(counter, `limit ${node} is declared`);
    counter.used += step;
    invariant(counter.used >= 0, `limit ${node} is never given back twice`);
    ledger.putCounter(counter);
    if (step < 0) decision.freed.add(node);
  }
}

/** When what it was granted lapses; 0 for never. */
export function leaseEndMs({ nowMs }: Decision, { leaseMs }: TaskRow): number {
  return leaseMs > 0 ? nowMs + leaseMs : 0;
}

/** Gives back the slot: its limits count for it no longer. Between `edit` and `put`. */
export function giveLimits(decision: Decision, row: TaskRow): void {
  if (!row.holdsLimits) return;
  row.holdsLimits = false;
  setLimits(decision, row.limits, -1);
}

/** Everything a row has goes: line, reservation, locks, slot. Between `edit` and `put`. */
export function letGo(decision: Decision, row: TaskRow): void {
  leaveLine(decision, row);
  if (row.reserved) {
    row.reserved = false;
    freeClaims(decision, row.claims);
  }
  if (row.holdsClaims) {
    for (const { node, mode } of row.claims)
      if (mode === UNITS) decision.estates.push({ node, holderKey: row.holderKey });
    decision.ledger.drop(row);
    row.holdsClaims = false;
    freeClaims(decision, row.claims);
  }
  giveLimits(decision, row);
  row.dueAtMs = 0;
}

/** Lowest-ranked waiters that were passed too often reserve, while there is room (L4). */
export function reserve(decision: Decision): void {
  const { ledger } = decision;
  while (ledger.reservations().length < ADMISSION.reservations) {
    const next = ledger.nextToReserve();
    if (next === undefined) return;
    ledger.edit(next);
    next.reserved = true;
    ledger.put(next);
    decision.effects.push({ type: "reserved", row: next });
  }
}

/** Somebody was let past this waiter, or it moved on unserved. */
export function countPass(decision: Decision, row: TaskRow): void {
  decision.ledger.edit(row);
  row.passed++;
  decision.ledger.put(row);
  if (row.passed >= ADMISSION.passesBeforeReservation && !row.reserved && isReservable(row.watchMode))
    reserve(decision);
}

export function assertLive(row: TaskRow): void {
  invariant(!isFinal(row.status), `task ${row.taskId} is still live`);
}
