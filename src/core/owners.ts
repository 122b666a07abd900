/**
 * Owners: the living processes behind waiting and running tasks. One lease for each process, none for each lock.
 *
 * L7  what a dead owner's tasks held is free only when the death is proven; unproven, it is quarantined
 * L8  a lapsed lease is looked at in the very turn that acts on it
 * L13 only rows whose owner lives stand in line
 */
import { refuse } from "./arrivals.ts";
import { ADMISSION, LEASE } from "./bounds.ts";
import type { Command } from "./command.ts";
import { withdraw } from "./counters.ts";
import { type Decision, giveLimits, letGo, reserve } from "./decision.ts";
import { end, keepPlace } from "./endings.ts";
import { holdsLocks, isFinal, type TaskRow } from "./row.ts";

/** Rows of a lost owner dealt with in one turn; whoever reported the loss repeats it until the owner is gone. */
const ROWS_A_TURN = ADMISSION.testsPerRelease;

export function joinOwner(
  decision: Decision,
  index: number,
  command: Extract<Command, { type: "owner-join" | "owner-beat" }>,
): void {
  const { ledger, nowMs } = decision;
  if (command.type === "owner-join") return ledger.putOwner({ ...command.owner, beatAtMs: nowMs });
  const owner = ledger.owner(command.ownerId);
  if (owner === undefined) {
    return refuse(decision, index, {
      code: "OWNER_GONE",
      message: `The owner ${command.ownerId} was judged gone; what it ran is not its own any more.`,
    });
  }
  ledger.putOwner({ ...owner, beatAtMs: nowMs });
}

/** Leaves in good order. What it still holds (a function that would not stop) stays, quarantined, and so does the owner. */
export function leaveOwner(decision: Decision, ownerId: string): void {
  lose(decision, ownerId, false);
}

/**
 * `isProven`: its process is dead and so is everything its tasks started. Unproven, only its lapsed lease speaks, and it is
 * looked at again here: whoever judged it may have waited for this turn while the owner went on beating (L8).
 */
export function loseOwner(decision: Decision, index: number, command: Extract<Command, { type: "owner-gone" }>): void {
  const owner = decision.ledger.owner(command.ownerId);
  const sinceBeatMs = decision.nowMs - (owner?.beatAtMs ?? Number.NEGATIVE_INFINITY);
  if (!command.isProven && sinceBeatMs <= LEASE.timeToLiveMs) {
    return refuse(decision, index, {
      code: "STALE_FENCE",
      message: `The owner ${command.ownerId} gave a sign of life ${Math.round(sinceBeatMs)} ms ago and its lease lasts ${LEASE.timeToLiveMs} ms.`,
    });
  }
  lose(decision, command.ownerId, command.isProven);
}

function lose(decision: Decision, ownerId: string, isProven: boolean): void {
  const { ledger } = decision;
  const owner = ledger.owner(ownerId);
  let handled = 0;
  let kept = 0;
  for (let afterKey = 0; ; ) {
    const rows = ledger.rowsOf(ownerId, ROWS_A_TURN, afterKey);
    for (const row of rows) {
      afterKey = row.key;
      // A request may have ended with the task it belongs to, earlier in this page.
      if (isFinal(row.status) || row.ownerId !== ownerId) continue;
      if (!isProven && isHolding(row)) {
        kept++;
        if (row.quarantined) continue;
        quarantineRow(decision, row);
      } else orphan(decision, row);
      if (++handled === ROWS_A_TURN) {
        decision.releases++;
        return;
      }
    }
    if (rows.length < ROWS_A_TURN) break;
  }
  if (handled > 0) decision.releases++;
  if (kept > 0 || owner === undefined) return;
  withdraw(decision, ownerId);
  ledger.dropOwner(ownerId);
  decision.effects.push({ type: "owner-gone", owner });
}

/** Something of it may still run. A guest's lock lapses with it: its next write is judged again at the hook. */
function isHolding(row: TaskRow): boolean {
  return holdsLocks(row.status) && row.status !== "starting" && row.holder !== "guest";
}

function quarantineRow(decision: Decision, row: TaskRow): void {
  if (row.quarantined) return;
  const { ledger } = decision;
  ledger.edit(row);
  giveLimits(decision, row);
  row.status = "ending";
  row.quarantined = true;
  ledger.put(row);
  decision.effects.push({ type: "quarantined", row });
}

function orphan(decision: Decision, row: TaskRow): void {
  const { ledger } = decision;
  const hasStarted = holdsLocks(row.status) && row.status !== "starting";
  if (row.kind === "request") return end(decision, row, { status: "failed", code: "OWNER_GONE" });
  if (row.orphan === "suspend") {
    for (const request of ledger.requestsOf(row.key))
      end(decision, request, { status: "cancelled", code: "OWNER_GONE" });
    const wasReserved = row.reserved;
    ledger.edit(row);
    letGo(decision, row);
    row.status = "suspended";
    row.ownerId = "";
    row.fence = 0;
    row.quarantined = false;
    ledger.put(row);
    if (wasReserved) reserve(decision);
    decision.effects.push({ type: "suspended", row });
    return;
  }
  keepPlace(decision, row);
  if (row.orphan === "vanish" && !hasStarted) end(decision, row, { status: "cancelled", code: "OWNER_GONE" });
  else end(decision, row, { status: "failed", code: "OWNER_GONE" });
}
