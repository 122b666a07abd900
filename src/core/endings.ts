/** How a row ends or goes back in line. */
import { grant, watch } from "./admission.ts";
import { ADMISSION } from "./bounds.ts";
import { LIMIT } from "./claims.ts";
import { assertLive, type Decision, letGo, reserve } from "./decision.ts";
import type { ErrorCode } from "./errors.ts";
import type { TaskRow } from "./row.ts";
import type { FinalStatus } from "./task.ts";

export interface Ending {
  readonly status: FinalStatus;
  readonly code: ErrorCode | null;
  /** No `ended` effect: the caller says it another way. */
  readonly isSilent?: boolean;
  /** A sentence for people, when the code alone does not say it. */
  readonly message?: string;
  readonly result?: unknown;
}

/** Ends a row and every request it made for more. All it had is free in this very turn. */
export function end(decision: Decision, row: TaskRow, ending: Ending): void {
  assertLive(row);
  const { ledger } = decision;
  if (row.kind === "task")
    for (const request of ledger.requestsOf(row.key))
      end(decision, request, { status: "cancelled", code: "CANCELLED" });
  const wasReserved = row.reserved;
  ledger.edit(row);
  letGo(decision, row);
  row.status = ending.status;
  row.quarantined = false;
  ledger.put(row);
  if (ending.result !== undefined) ledger.putResult(row, ending.result);
  if (wasReserved) reserve(decision);
  const { status, code, message } = ending;
  if (ending.isSilent) return;
  decision.effects.push({ type: "ended", row, status, code, ...(message === undefined ? undefined : { message }) });
}

/** Ends it whatever its books say: the last resort after a broken invariant met the same task twice. */
export function endRefused(decision: Decision, index: number, key: number): void {
  const row = decision.ledger.get(key);
  if (row === undefined) {
    decision.effects.push({
      type: "refused",
      index,
      code: "STALE_FENCE",
      message: `There is no task ${key}.`,
      blockers: [],
    });
    return;
  }
  decision.releases++;
  end(decision, row, { status: "failed", code: "BUG" });
}

/** Admitted but not confirmed in time: its locks go, it stands in line again at its rank. */
export function requeue(decision: Decision, row: TaskRow): void {
  const { ledger, nowMs } = decision;
  ledger.edit(row);
  letGo(decision, row);
  row.status = "waiting";
  row.fence = 0;
  row.waitingSinceMs = nowMs;
  row.dueAtMs = row.queueTimeoutMs > 0 ? nowMs + row.queueTimeoutMs : 0;
  ledger.put(row);
  decision.effects.push({ type: "requeued", row });
  // It watches one of its own nodes, which was just freed: the drain tests it in rank order with all others.
  const claim = row.claims[0];
  const limit = row.limits[0];
  if (claim === undefined && limit === undefined) return grant(decision, row);
  decision.blockNode = claim?.node ?? limit ?? "";
  decision.blockMode = claim?.mode ?? LIMIT;
  watch(decision, row);
  decision.freed.add(row.watch);
}

/** The place of a waiter that vanished is kept for a while (L13). */
export function keepPlace(decision: Decision, row: TaskRow): void {
  if (row.placeKey === "" || row.status !== "waiting") return;
  const { ledger, nowMs } = decision;
  // Two of one session may wait with one command: the better place of both is kept.
  const other = ledger.place(row.placeKey);
  const rank = other !== undefined && other.untilMs >= nowMs ? Math.min(other.rank, row.rank) : row.rank;
  ledger.putPlace({ placeKey: row.placeKey, rank, untilMs: nowMs + ADMISSION.placeKeptMs });
}
