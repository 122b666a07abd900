/**
 * May this row start now? And if so, grant it. The one place where admission is decided.
 *
 * L1  never two holders of conflicting claims                                   (blockedByClaims)
 * L2  all or nothing: every claim is tested before the first is taken           (test, then grant)
 * L3  units never exceed capacity, rates their bucket                           (blockedByUnits, blockedByRate)
 * L4  passes are counted, a reservation holds against higher ranks              (blockedByReservation, countPasses)
 * L5  a slot is the last thing taken, and nothing is held while waiting for it  (blockedByLimits)
 * L6  each grant has a fence greater than all before it                         (grant)
 * L11 what an ancestor holds never blocks                                       (row.ancestors)
 *
 * Rates: generic cell rate algorithm (ITU-T I.371), one stored time for each rate.
 */
import { ADMISSION } from "./bounds.ts";
import {
  covers,
  EXCLUSIVE,
  EXCLUSIVE_INSIDE,
  isReservable,
  LIMIT,
  locksConflict,
  type Mode,
  RATE,
  type ResolvedClaim,
  SHARED,
  SHARED_INSIDE,
  UNITS,
  UNITS_INSIDE,
  type WatchMode,
} from "./claims.ts";
import type { Counter } from "./command.ts";
import { unitsThere } from "./counters.ts";
import { countPass, type Decision, freeClaims, leaseEndMs, leaveLine, reserve, setLimits } from "./decision.ts";
import { invariant } from "./errors.ts";
import { paceMs, recover } from "./pace.ts";
import { isBefore, type TaskRow } from "./row.ts";
import { moveLine } from "./shares.ts";

function block(decision: Decision, node: string, mode: Mode): true {
  decision.blockNode = node;
  decision.blockMode = mode;
  return true;
}

/** True when the row may not start now; the decision then says at which node, in which mode. */
export function isBlocked(decision: Decision, row: TaskRow): boolean {
  return blockedByClaims(decision, row) || blockedByReservation(decision, row) || blockedByLimits(decision, row);
}

function blockedByClaims(decision: Decision, row: TaskRow): boolean {
  for (const claim of row.claims) {
    if (claim.mode === UNITS) {
      if (blockedByUnits(decision, row, claim)) return true;
    } else if (claim.mode === RATE) {
      if (blockedByRate(decision, row, claim)) return true;
    } else {
      const node = decision.ledger.conflict(claim, row.ancestors);
      if (node !== null) return block(decision, node, claim.mode);
    }
  }
  return false;
}

function counterOf(decision: Decision, node: string): Counter {
  const counter = decision.ledger.counter(node);
  invariant(counter, `${node} is declared`);
  return counter;
}

/** Units still wanted when what the ancestors hold counts as held. */
function unitsWanted(decision: Decision, row: TaskRow, claim: ResolvedClaim): number {
  if (row.ancestors.length === 0) return claim.units;
  return Math.max(0, claim.units - decision.ledger.unitsHeld(claim.node, row));
}

function blockedByUnits(decision: Decision, row: TaskRow, claim: ResolvedClaim): boolean {
  const wanted = unitsWanted(decision, row, claim);
  if (wanted === 0) return false;
  const counter = counterOf(decision, claim.node);
  return counter.used + wanted > unitsThere(counter) && block(decision, claim.node, UNITS);
}

/** Earliest time at which the bucket holds so many units. */
export function rateReadyAtMs(counter: Counter, units: number, nowMs: number): number {
  return Math.max(counter.nextAtMs, nowMs) + paceMs(counter) * (units - counter.capacity);
}

function blockedByRate(decision: Decision, row: TaskRow, claim: ResolvedClaim): boolean {
  const { ledger, nowMs } = decision;
  const counter = counterOf(decision, claim.node);
  // Rates are never reserved: keeping rank order is what lets a big request ever pass.
  const head = ledger.first(claim.node);
  if (head !== undefined && head !== row && isBefore(head, row)) return block(decision, claim.node, RATE);
  const readyAtMs = rateReadyAtMs(counter, claim.units, nowMs);
  if (readyAtMs <= nowMs) return false;
  if (counter.dueAtMs === 0 || readyAtMs < counter.dueAtMs) {
    counter.dueAtMs = readyAtMs;
    ledger.putCounter(counter);
  }
  return block(decision, claim.node, RATE);
}

/**
 * What runs inside a holder never waits for a reservation: whoever reserved may wait, through any number of others, for
 * that very holder, which waits for it.
 */
function blockedByReservation(decision: Decision, row: TaskRow): boolean {
  if (row.ancestors.length > 0) return false;
  const reservers = decision.ledger.reservations();
  if (reservers.length === 0) return false;
  for (const claim of row.claims) {
    let reservedUnits = 0;
    for (const reserver of reservers) {
      if (reserver === row || !isBefore(reserver, row)) continue;
      for (const other of reserver.claims) {
        if (claim.mode === UNITS) {
          if (other.mode === UNITS && other.node === claim.node) reservedUnits += other.units;
        } else if (locksConflict(claim, other)) {
          return block(decision, covers(other.node, claim.node) ? other.node : `${claim.node}/`, claim.mode);
        }
      }
    }
    if (reservedUnits > 0) {
      const counter = counterOf(decision, claim.node);
      const wanted = unitsWanted(decision, row, claim);
      if (wanted > 0 && counter.used + reservedUnits + wanted > unitsThere(counter))
        return block(decision, claim.node, UNITS);
    }
  }
  return false;
}

function blockedByLimits(decision: Decision, row: TaskRow): boolean {
  for (const node of row.limits) {
    const counter = counterOf(decision, node);
    if (counter.used >= counter.capacity) return block(decision, node, LIMIT);
    // Free and still with untested watchers (a carry, or this very drain): a limit serves in rank order.
    if (decision.freed.has(node) || isScanned(decision, node)) {
      const head = decision.ledger.first(node);
      if (head !== undefined && head !== row && isBefore(head, row)) return block(decision, node, LIMIT);
    }
  }
  return false;
}

function isScanned(decision: Decision, node: string): boolean {
  for (const scan of decision.scans.values()) if (scan.node === node) return true;
  return false;
}

/** Grants a row that is not blocked: locks, units, rate and slot in one step, with a new fence. */
export function grant(decision: Decision, row: TaskRow): void {
  const { ledger, nowMs } = decision;
  const isOwn = row.ownerId === decision.callerId;
  ledger.edit(row);
  leaveLine(decision, row);
  const hadReserved = row.reserved;
  row.reserved = false;
  row.fence = ledger.nextFence();
  row.status = isOwn ? "running" : "starting";
  row.admittedAtMs = nowMs;
  row.dueAtMs = isOwn ? leaseEndMs(decision, row) : nowMs + ADMISSION.startTimeoutMs;
  if (row.claims.length > 0) {
    row.holdsClaims = true;
    ledger.hold(row);
  }
  if (row.limits.length > 0) {
    row.holdsLimits = true;
    setLimits(decision, row.limits, 1);
    moveLine(decision, row);
  }
  ledger.put(row);
  for (const claim of row.claims) {
    if (claim.mode === RATE) consumeRate(decision, claim);
    // What a task holds now counts for those inside it that wait for the same (L11).
    else if (claim.mode === UNITS && ledger.waitingInside().length > 0) decision.freed.add(claim.node);
  }
  decision.effects.push({ type: "admitted", row });
  if (row.wants === "slot") handSlotToParent(decision, row);
  if (hadReserved) reserve(decision);
  if (ledger.hasWaiting()) countPasses(decision, row);
}

function consumeRate(decision: Decision, claim: ResolvedClaim): void {
  const counter = counterOf(decision, claim.node);
  if (recover(counter, decision.nowMs)) decision.freed.add(claim.node);
  counter.nextAtMs = Math.max(counter.nextAtMs, decision.nowMs) + paceMs(counter) * claim.units;
  decision.ledger.putCounter(counter);
}

/** A request for the slot alone: the task it belongs to has its limits again, the request is done. */
function handSlotToParent(decision: Decision, row: TaskRow): void {
  const { ledger } = decision;
  const parent = ledger.get(row.parentKey);
  invariant(parent && !parent.holdsLimits, `a slot is handed to a live task that gave it back`);
  ledger.edit(parent);
  parent.holdsLimits = true;
  parent.status = "running";
  ledger.put(parent);
  ledger.edit(row);
  row.holdsLimits = false;
  row.status = "succeeded";
  row.dueAtMs = 0;
  ledger.put(row);
}

/** A head watcher of lower rank on the newcomer's path whose claims conflict with it has been passed. */
function countPasses(decision: Decision, newcomer: TaskRow): void {
  const passed = new Set<TaskRow>();
  for (const claim of newcomer.claims) {
    if (!isReservable(claim.mode)) continue;
    for (const head of decision.ledger.heads(claim)) {
      if (isBefore(head, newcomer) && !passed.has(head) && competes(head, claim)) passed.add(head);
    }
  }
  for (const row of passed) countPass(decision, row);
}

function competes(row: TaskRow, claim: ResolvedClaim): boolean {
  return row.claims.some((other) =>
    claim.mode === UNITS
      ? other.mode === UNITS && other.node === claim.node
      : other.mode <= EXCLUSIVE && locksConflict(other, claim),
  );
}

/** A row that runs inside a holder stands in a line of its own at locks and capacities. */
export function watchModeOf(row: TaskRow, mode: Mode): WatchMode {
  if (row.ancestors.length === 0) return mode;
  if (mode === SHARED) return SHARED_INSIDE;
  if (mode === EXCLUSIVE) return EXCLUSIVE_INSIDE;
  return mode === UNITS ? UNITS_INSIDE : mode;
}

/**
 * Lets a blocked row watch what blocks it: `decision.blockNode` and `blockMode` are where. `delegateOf`: the node whose
 * line it then speaks for.
 */
export function watch(decision: Decision, row: TaskRow, delegateOf = ""): void {
  const { ledger, blockNode, blockMode } = decision;
  ledger.edit(row);
  leaveLine(decision, row);
  row.watch = blockNode;
  row.watchMode = watchModeOf(row, blockMode);
  row.watchSinceMs = decision.nowMs;
  row.delegateOf = delegateOf;
  // A gate may stay closed for long: nothing is kept from others meanwhile.
  const givesUp = row.reserved && !isReservable(blockMode);
  if (givesUp) row.reserved = false;
  ledger.put(row);
  if (givesUp) {
    freeClaims(decision, row.claims);
    reserve(decision);
  }
}
