/**
 * The kernel: one turn over a ledger. Every rule of admission exists once, here and in the files it calls; memory, SQLite
 * and Postgres differ only in their ledger.
 *
 * Deterministic: time comes in, keys and fences come from the ledger; no clock, no random, no await. A store makes a turn
 * atomic: it commits all of it or, when this throws (an invariant failed), none of it.
 *
 * Order inside a turn: due timers and everything that lets go, in the order given; then the watchers of what became freer
 * are tested (release.ts); then arrivals, in the order given, so that a newcomer never takes what was just freed from
 * under those who waited.
 *
 * What holders that ended covered passes to those inside them before anybody is tested (estate.ts).
 *
 * L4  rank is fixed while a row stands in line; `rerank` is the only exception
 * L13 only rows whose owner lives stand in line; a place outlives its waiter for three minutes
 */
import { arrive, submit } from "./arrivals.ts";
import { ADMISSION } from "./bounds.ts";
import type { Command, Effect } from "./command.ts";
import { declare, withdraw } from "./counters.ts";
import { breakKnots } from "./deadlock.ts";
import { type Decision, lineId } from "./decision.ts";
import { end, endRefused, keepPlace, requeue } from "./endings.ts";
import { settleEstates } from "./estate.ts";
import { cancel, changeSlot, lapse, release, renew, retry, settle, suspend, tell, unlock } from "./holders.ts";
import type { Ledger } from "./ledger.ts";
import { joinOwner, leaveOwner, loseOwner } from "./owners.ts";
import { becomeDue, putBack, slowDown } from "./put-back.ts";
import { drain } from "./release.ts";
import { isFinal } from "./row.ts";

export interface TurnInput {
  readonly commands: readonly Command[];
  /** Milliseconds since boot, read after the store's lock was taken. Clamped to never go back. */
  readonly nowMs: number;
  /** The owner that runs this turn: its rows are admitted straight to `running`. */
  readonly callerId: string;
}

export function turn(ledger: Ledger, input: TurnInput): Effect[] {
  const nowMs = Math.max(input.nowMs, ledger.lastNowMs());
  ledger.setLastNowMs(nowMs);
  const decision: Decision = {
    ledger,
    nowMs,
    callerId: input.callerId,
    effects: [],
    freed: new Set(),
    scans: new Map(),
    releases: 0,
    blockNode: "",
    blockMode: 1,
    inside: null,
    livingOwnerId: "",
    mayHoldKnot: false,
    estates: [],
  };
  takeUpCarry(decision);
  takeDue(decision);
  let arrivals = 0;
  for (let index = 0; index < input.commands.length; index++) {
    const command = input.commands[index];
    if (command === undefined) continue;
    if (isArrival(command)) arrivals++;
    else letGoOrChange(decision, index, command);
  }
  if (decision.estates.length > 0) settleEstates(decision);
  if (decision.mayHoldKnot) breakKnots(decision);
  if (decision.freed.size > 0 || decision.scans.size > 0) drain(decision);
  if (arrivals > 0) takeArrivals(decision, input.commands);
  if (decision.freed.size > 0) drain(decision);
  ledger.setCarry(decision.scans.size === 0 ? NOTHING : [...decision.scans.values()]);
  return decision.effects;
}

const NOTHING: readonly never[] = [];

function takeUpCarry(decision: Decision): void {
  for (const entry of decision.ledger.carry()) decision.scans.set(lineId(entry), entry);
}

/** Queue time-outs, admissions nobody confirmed, silent guests, rates that filled up, members that may be free again. */
function takeDue(decision: Decision): void {
  const { ledger, nowMs } = decision;
  const nextMs = ledger.nextDueAtMs();
  if (nextMs === 0 || nextMs > nowMs) return;
  for (const row of ledger.dueRows(nowMs, ADMISSION.testsPerRelease)) {
    // What a guest asked for ends with it, and may have been due as well.
    if (isFinal(row.status)) continue;
    decision.releases++;
    if (row.status === "starting") requeue(decision, row);
    else if (row.status !== "waiting") lapse(decision, row);
    else {
      keepPlace(decision, row);
      end(decision, row, { status: "timed_out", code: "QUEUE_TIMEOUT" });
    }
  }
  for (const counter of ledger.dueCounters(nowMs)) becomeDue(decision, counter);
}

type Arrival = Extract<Command, { type: "submit" | "enqueue" | "rerank" }>;

function isArrival(command: Command): command is Arrival {
  return command.type === "submit" || command.type === "enqueue" || command.type === "rerank";
}

function takeArrivals(decision: Decision, commands: readonly Command[]): void {
  for (let index = 0; index < commands.length; index++) {
    const command = commands[index];
    if (command === undefined || !isArrival(command)) continue;
    if (command.type === "submit") submit(decision, index, command.row);
    else arrive(decision, index, command);
  }
}

function letGoOrChange(decision: Decision, index: number, command: Exclude<Command, Arrival>): void {
  switch (command.type) {
    case "settle":
      return settle(decision, index, command);
    case "retry":
      return retry(decision, index, command);
    case "confirm":
    case "need-input":
    case "give-slot":
    case "ending":
    case "quarantine":
      return changeSlot(decision, index, command);
    case "put-back":
      return putBack(decision, index, command);
    case "slow-down":
      return slowDown(decision, index, command);
    case "renew":
      return renew(decision, index, command);
    case "unlock":
      return unlock(decision, index, command);
    case "suspend":
      return suspend(decision, index, command.key);
    case "tell":
      return tell(decision, index, command);
    case "note":
      return decision.ledger.putNote(command.topic, command.note);
    case "release":
      return release(decision, index, command.key);
    case "cancel":
      return cancel(decision, index, command);
    case "declare":
      return declare(decision, command);
    case "withdraw":
      return withdraw(decision, command.by, command.node);
    case "owner-join":
    case "owner-beat":
      return joinOwner(decision, index, command);
    case "owner-leave":
      return leaveOwner(decision, command.ownerId);
    case "owner-gone":
      return loseOwner(decision, index, command);
    case "condemn":
      return endRefused(decision, index, command.key);
    case "tick":
      return;
  }
}
