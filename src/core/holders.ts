/**
 * What holders and their owners report: settled, retrying, waiting for input, being stopped.
 *
 * L6  every one of them carries the fence of its grant; a stale one is refused and changes nothing
 * L7  a holder that is being stopped keeps its locks until it is proven gone (`settle`), else it is quarantined
 */
import { isLease, leaseFault, type Refusal, refuse } from "./arrivals.ts";
import type { Command } from "./command.ts";
import { type Decision, giveLimits, leaseEndMs, letGo, reserve } from "./decision.ts";
import { end, keepPlace } from "./endings.ts";
import { holdsLocks, isFinal, type TaskRow } from "./row.ts";

type Of<Type extends Command["type"]> = Extract<Command, { type: Type }>;

/** The row when this fence is the one it was last granted and it still holds. */
function holderOf(
  decision: Decision,
  index: number,
  command: { readonly key: number; readonly fence: number },
): TaskRow | null {
  const row = decision.ledger.get(command.key);
  if (row !== undefined && row.fence === command.fence && holdsLocks(row.status)) return row;
  refuse(decision, index, staleFence(row, command));
  return null;
}

function staleFence(row: TaskRow | undefined, command: { readonly key: number; readonly fence: number }): Refusal {
  if (row === undefined) return { code: "STALE_FENCE", message: `There is no task ${command.key} any more.` };
  return {
    code: "STALE_FENCE",
    message: `Task ${row.taskId} is ${row.status} with fence ${row.fence}; fence ${command.fence} is not its own.`,
  };
}

export function settle(decision: Decision, index: number, command: Of<"settle">): void {
  const row = holderOf(decision, index, command);
  if (row === null) return;
  decision.releases++;
  end(decision, row, { status: command.status, code: null, result: command.result });
}

export function retry(decision: Decision, index: number, command: Of<"retry">): void {
  const row = holderOf(decision, index, command);
  if (row === null) return;
  const { ledger } = decision;
  decision.releases++;
  for (const request of ledger.requestsOf(row.key)) end(decision, request, { status: "cancelled", code: "CANCELLED" });
  ledger.edit(row);
  letGo(decision, row);
  row.status = "retrying";
  row.fence = 0;
  ledger.put(row);
}

/** Commands that change a holder's status or slot and leave its locks alone. */
export function changeSlot(
  decision: Decision,
  index: number,
  command: Of<"confirm"> | Of<"need-input"> | Of<"give-slot"> | Of<"ending"> | Of<"quarantine">,
): void {
  const row = holderOf(decision, index, command);
  if (row === null) return;
  const { ledger } = decision;
  if (command.type === "confirm") return confirm(decision, row);
  decision.releases++;
  // A guest is judged again at its next write: what it held needs nobody's proof.
  if (command.type === "quarantine" && row.holder === "guest") return lapse(decision, row);
  // Whoever is being stopped wants nothing more.
  if (command.type === "ending" || command.type === "quarantine") {
    for (const request of ledger.requestsOf(row.key)) {
      if (request.status === "waiting") end(decision, request, { status: "cancelled", code: "CANCELLED" });
    }
  }
  ledger.edit(row);
  giveLimits(decision, row);
  if (command.type === "need-input") row.status = "needs_input";
  else if (command.type !== "give-slot") row.status = "ending";
  if (command.type === "quarantine") row.quarantined = true;
  ledger.put(row);
  if (command.type === "quarantine") decision.effects.push({ type: "quarantined", row });
}

function confirm(decision: Decision, row: TaskRow): void {
  if (row.status === "starting") {
    decision.ledger.edit(row);
    row.status = "running";
    row.dueAtMs = leaseEndMs(decision, row);
    decision.ledger.put(row);
  }
  decision.effects.push({ type: "confirmed", row });
}

/** A guest's hold ends by itself: nobody renewed it in time. */
export function lapse(decision: Decision, row: TaskRow): void {
  end(decision, row, { status: "timed_out", code: "LOCK_EXPIRED" });
}

/** It lapses so much later. Too late is refused: the lease ends before anything else of a turn is carried out. */
export function renew(decision: Decision, index: number, command: Of<"renew">): void {
  const row = holderOf(decision, index, command);
  if (row === null) return;
  if (row.holder !== "guest" || !isLease(command.leaseMs))
    return refuse(decision, index, leaseFault(row, command.leaseMs));
  const { ledger } = decision;
  ledger.edit(row);
  row.leaseMs = command.leaseMs;
  if (row.status !== "starting") row.dueAtMs = leaseEndMs(decision, row);
  ledger.put(row);
}

/** A person frees what a quarantined holder held; by force, what any holder holds. */
export function unlock(decision: Decision, index: number, { key, force }: Of<"unlock">): void {
  const row = decision.ledger.get(key);
  const mayBeFreed = row?.quarantined === true || (force === true && row?.kind === "task" && holdsLocks(row.status));
  if (row === undefined || !mayBeFreed || isFinal(row.status)) {
    return refuse(decision, index, { code: "STALE_FENCE", message: `Task ${row?.taskId ?? key} is not quarantined.` });
  }
  decision.releases++;
  end(decision, row, { status: "failed", code: "QUARANTINED" });
}

/** Out of the line, and out of sight of whatever becomes free, until `enqueue`. What has started goes on. */
export function suspend(decision: Decision, index: number, key: number): void {
  const { ledger } = decision;
  const row = ledger.get(key);
  if (row?.kind !== "task" || !(row.status === "waiting" || row.status === "blocked" || row.status === "retrying")) {
    const message = `Task ${row?.taskId ?? key} is ${row?.status ?? "unknown"} and does not wait to be started.`;
    return refuse(decision, index, { code: "STALE_FENCE", message });
  }
  decision.releases++;
  const wasReserved = row.reserved;
  ledger.edit(row);
  letGo(decision, row);
  row.status = "suspended";
  ledger.put(row);
  if (wasReserved) reserve(decision);
  decision.effects.push({ type: "suspended", row });
}

export function tell(decision: Decision, index: number, { key, message }: Of<"tell">): void {
  const row = decision.ledger.get(key);
  if (row === undefined || isFinal(row.status) || row.ownerId === "") {
    const said = `Nobody stands behind task ${row?.taskId ?? key} any more.`;
    return refuse(decision, index, { code: "OWNER_GONE", message: said });
  }
  decision.effects.push({ type: "told", row, message });
}

/** Ends a request for more: what it got goes, or it leaves the line. */
export function release(decision: Decision, index: number, key: number): void {
  const row = decision.ledger.get(key);
  if (row === undefined || row.kind !== "request" || isFinal(row.status)) {
    return refuse(decision, index, { code: "STALE_FENCE", message: `There is no request ${key} to release.` });
  }
  decision.releases++;
  end(
    decision,
    row,
    row.holdsClaims ? { status: "succeeded", code: null } : { status: "cancelled", code: "CANCELLED" },
  );
}

/** Ends what has not started; asks the owner to stop what has. */
export function cancel(decision: Decision, index: number, command: Of<"cancel">): void {
  const row = decision.ledger.get(command.key);
  if (row === undefined || isFinal(row.status)) {
    return refuse(decision, index, {
      code: "STALE_FENCE",
      message: `Task ${row?.taskId ?? command.key} has ended already.`,
    });
  }
  if (!holdsLocks(row.status) || row.status === "starting") {
    decision.releases++;
    keepPlace(decision, row);
    return end(decision, row, {
      status: command.status,
      code: command.status === "cancelled" ? "CANCELLED" : null,
      result: command.result,
    });
  }
  if (row.stop !== "") return;
  decision.ledger.edit(row);
  row.stop = command.status;
  decision.ledger.put(row);
  decision.effects.push({ type: "stop-requested", row });
}
