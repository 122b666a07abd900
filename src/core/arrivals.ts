/** How a row enters the line: submitted, or eligible again. It is granted at once, or watches what blocks it. */
import { isBlocked, watch } from "./admission.ts";
import { admit } from "./admit.ts";
import { MAX_TIMER_MS } from "./bounds.ts";
import { neverEnough, overCapacity } from "./capacity.ts";
import type { Blocker, Command } from "./command.ts";
import { deadlockMessage, whatNeverLetsGo } from "./deadlock.ts";
import { type Decision, freeClaims, reserve } from "./decision.ts";
import { end } from "./endings.ts";
import type { ErrorCode } from "./errors.ts";
import { isFinal, type NewRow, type TaskRow } from "./row.ts";
import { fairRank } from "./shares.ts";

const NOBODY: readonly Blocker[] = [];

export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly blockers?: readonly Blocker[];
}

export function refuse(decision: Decision, index: number, refusal: Refusal): void {
  decision.effects.push({
    type: "refused",
    index,
    code: refusal.code,
    message: refusal.message,
    blockers: refusal.blockers ?? NOBODY,
  });
}

export function submit(decision: Decision, index: number, newRow: NewRow): void {
  const { ledger, nowMs } = decision;
  const fault =
    ownerFault(decision, newRow.ownerId) ??
    claimFault(decision, newRow) ??
    parentFault(decision, newRow) ??
    (mayLapse(newRow) ? null : leaseFault(newRow, newRow.leaseMs));
  if (fault !== null) return refuse(decision, index, fault);
  if (newRow.again === true) makeRoom(decision, newRow);
  const row = ledger.insert(newRow, ledger.nextKey(), nowMs);
  if (row === undefined) {
    return refuse(decision, index, {
      code: "DUPLICATE_TASK",
      message: `Workflow ${newRow.workflowId} has a task ${newRow.taskId} already.`,
    });
  }
  if (row.status === "waiting") rankFairly(decision, row, row.rank);
  if (newRow.placeKey !== "") takePlace(decision, row);
  if (row.status === "waiting") stand(decision, index, row);
  else decision.effects.push({ type: "submitted", index, row });
}

function rankFairly(decision: Decision, row: TaskRow, given: number): void {
  const rank = fairRank(decision, row, given);
  if (rank === row.rank) return;
  decision.ledger.edit(row);
  row.rank = rank;
  decision.ledger.put(row);
}

/** A task that is run again: what is left of the last time goes, unless it succeeded or somebody stands behind it. */
function makeRoom({ ledger }: Decision, { workflowId, taskId }: NewRow): void {
  const old = ledger.find(workflowId, taskId);
  if (old?.kind !== "task") return;
  if (isFinal(old.status) ? old.status !== "succeeded" : isNobodys(old)) ledger.forget(old);
}

function isNobodys({ status, ownerId }: TaskRow): boolean {
  return status === "suspended" && ownerId === "";
}

function mayLapse({ leaseMs = 0, holder }: NewRow): boolean {
  return leaseMs === 0 || (holder === "guest" && isLease(leaseMs));
}

export function isLease(leaseMs: number): boolean {
  return Number.isFinite(leaseMs) && leaseMs > 0 && leaseMs <= MAX_TIMER_MS;
}

export function leaseFault({ taskId }: { readonly taskId: string }, leaseMs: number | undefined): Refusal {
  const most = MAX_TIMER_MS.toLocaleString("en");
  return {
    code: "INVALID_OPTION",
    message: `Task ${taskId} asks for a lease of ${leaseMs} ms: only a guest has one, of more than 0 and at most ${most} ms.`,
  };
}

/** Only what has a living owner stands in line (L13). */
function ownerFault(decision: Decision, ownerId: string): Refusal | null {
  if (ownerId === decision.livingOwnerId) return null;
  if (decision.ledger.owner(ownerId) === undefined) {
    return { code: "OWNER_GONE", message: `The owner ${ownerId} has not joined this store, or was judged gone.` };
  }
  decision.livingOwnerId = ownerId;
  return null;
}

/** Every counter it names exists, and no claim asks for more than there is (L1: refused before start). */
function claimFault(decision: Decision, row: NewRow): Refusal | null {
  const { ledger } = decision;
  for (const claim of row.claims) {
    if (claim.mode < 3) continue;
    const counter = ledger.counter(claim.node);
    if (counter === undefined) {
      return {
        code: "UNKNOWN_RESOURCE",
        message: `Task ${row.taskId} uses ${claim.node.slice(2)}, which nobody has declared.`,
      };
    }
    if (claim.units > counter.capacity) {
      return { code: "OVER_CAPACITY", message: overCapacity(row.taskId, claim, counter.capacity) };
    }
  }
  for (const node of row.limits) {
    if (ledger.counter(node) === undefined) {
      return {
        code: "UNKNOWN_RESOURCE",
        message: `Task ${row.taskId} counts against the limit ${node.slice(2)}, which nobody has declared.`,
      };
    }
  }
  return null;
}

/** A request belongs to a task that runs; the slot is asked back once, by a task that gave it. */
function parentFault(decision: Decision, row: NewRow): Refusal | null {
  if (row.kind === "task") return null;
  const { ledger } = decision;
  const parent = ledger.get(row.parentKey);
  if (parent?.status !== "running" && parent?.status !== "needs_input") {
    return {
      code: "STALE_FENCE",
      message: `Task ${row.taskId} asks for more, and what it belongs to does not run any more.`,
    };
  }
  if (row.ancestors[0] !== row.parentKey || !isSlotOf(row, parent)) {
    return {
      code: "INVALID_OPTION",
      message: `Task ${row.taskId} asks for more, and what it asks for is not what task ${parent.taskId} may have.`,
    };
  }
  if (
    row.wants === "slot" &&
    (parent.holdsLimits || ledger.requestsOf(parent.key).some((other) => other.wants === "slot"))
  ) {
    return {
      code: "STALE_FENCE",
      message: `Task ${parent.taskId} asks for a slot that it has, or has asked for already.`,
    };
  }
  return null;
}

/** A request runs inside its task, and one for the slot alone asks for the very limits its task was given. */
function isSlotOf({ wants, claims, limits }: NewRow, parent: TaskRow): boolean {
  if (wants !== "slot") return true;
  return (
    claims.length === 0 &&
    limits.length === parent.limits.length &&
    limits.every((node, at) => node === parent.limits[at])
  );
}

/**
 * The rank a waiter of the same session, directory and command left behind (L13). It is gone with whoever stands in it now,
 * not with a submission that was refused.
 */
function takePlace({ ledger, nowMs }: Decision, row: TaskRow): void {
  const place = ledger.place(row.placeKey);
  if (place === undefined) return;
  ledger.dropPlace(row.placeKey);
  if (place.untilMs < nowMs || place.rank >= row.rank) return;
  ledger.edit(row);
  row.rank = place.rank;
  ledger.put(row);
}

/** A blocked, suspended or retrying task becomes eligible; a waiting one gets another rank. */
export function arrive(
  decision: Decision,
  index: number,
  command: Extract<Command, { type: "enqueue" | "rerank" }>,
): void {
  const row = decision.ledger.get(command.key);
  if (row === undefined || !(command.type === "rerank" ? row.status === "waiting" : mayStand(row, command))) {
    const message = `Task ${row?.taskId ?? command.key} does not wait to be ranked.`;
    return refuse(decision, index, { code: "STALE_FENCE", message });
  }
  if (command.type === "rerank") return rerank(decision, row, command.rank);
  const fault = ownerFault(decision, command.ownerId ?? row.ownerId);
  if (fault !== null) return refuse(decision, index, fault);
  enqueue(decision, row, command);
}

/** A suspended row is nobody's: without an owner it would be granted again and again to nobody (L13). */
function mayStand(row: TaskRow, command: { readonly ownerId?: string }): boolean {
  if (row.status === "blocked" || row.status === "retrying") return true;
  return row.status === "suspended" && (command.ownerId ?? row.ownerId) !== "";
}

function enqueue(decision: Decision, row: TaskRow, command: Extract<Command, { type: "enqueue" }>): void {
  const { ledger, nowMs } = decision;
  const rank = fairRank(decision, row, command.rank);
  ledger.edit(row);
  row.rank = rank;
  row.status = "waiting";
  row.waitingSinceMs = nowMs;
  row.dueAtMs = row.queueTimeoutMs > 0 ? nowMs + row.queueTimeoutMs : 0;
  row.stop = "";
  if (command.ownerId !== undefined) row.ownerId = command.ownerId;
  ledger.put(row);
  stand(decision, -1, row);
}

/** Out of its line with the old rank, into it with the new. A reservation goes by rank: it is given up, and asked for anew. */
function rerank(decision: Decision, row: TaskRow, rank: number): void {
  const { ledger } = decision;
  const { watch: node, watchMode, reserved, delegateOf } = row;
  ledger.edit(row);
  row.watch = "";
  row.watchMode = 0;
  row.reserved = false;
  ledger.put(row);
  ledger.edit(row);
  row.rank = rank;
  row.watch = node;
  row.watchMode = watchMode;
  ledger.put(row);
  decision.freed.add(node);
  if (delegateOf !== "") decision.freed.add(delegateOf);
  if (!reserved) return;
  freeClaims(decision, row.claims);
  reserve(decision);
}

/** Granted at once, watching, or refused for good. */
function stand(decision: Decision, index: number, row: TaskRow): void {
  if (!isBlocked(decision, row)) {
    const at = decision.effects.length;
    if (admit(decision, row, index) && index >= 0) decision.effects.splice(at, 0, { type: "submitted", index, row });
    return;
  }
  const { blockNode, blockMode } = decision;
  const tooMuch = neverEnough(decision, row);
  if (tooMuch !== null) return refuseInLine(decision, row, { index, code: "OVER_CAPACITY", message: tooMuch });
  const blockers = whatNeverLetsGo(decision, row);
  if (blockers.length > 0) {
    const message = deadlockMessage(row, blockers);
    return refuseInLine(decision, row, { index, code: "DEADLOCK", message, blockers });
  }
  if (index >= 0) decision.effects.push({ type: "submitted", index, row });
  decision.blockNode = blockNode;
  decision.blockMode = blockMode;
  watch(decision, row);
  if (row.ancestors.length > 0) decision.inside?.push(row);
  decision.effects.push({ type: "waiting", row });
}

/** It has no place in line: the command is refused, or, when it was in the store before, the task ends. */
function refuseInLine(decision: Decision, row: TaskRow, refusal: Refusal & { readonly index: number }): void {
  const { code, message, index } = refusal;
  end(decision, row, { status: "failed", code, message, isSilent: index >= 0 });
  if (index >= 0) refuse(decision, index, refusal);
}
