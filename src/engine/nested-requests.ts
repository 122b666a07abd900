/**
 * What a running task asks for beyond what it was started with: locks, a place at a rate, its slot back.
 *
 *  N1 a request dies with the attempt that made it; the kernel ends it, and whoever waits for it is told
 *  N2 the slot is given back while the attempt waits for others, and taken again before it goes on; while any of several
 *     waits is open it stays away, so that what is waited for can never lack it
 *  N3 run and idle clocks stand still while a request waits
 */
import { NESTED_RANK, type ResolvedClaim } from "../core/claims.ts";
import type { Effect } from "../core/command.ts";
import { LockyardError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import type { NewRow, TaskRow } from "../core/row.ts";
import type { Attempt, Loan } from "./attempt.ts";
import type { WrongGrant } from "./grants.ts";
import type { Stop } from "./task-record.ts";
import type { TurnQueue } from "./turn-queue.ts";

const NOTHING: readonly never[] = [];

/** It cannot occur in an id, so a request never meets a task's. */
const SEPARATOR = "\u001f";

/** The task that asked, by the id of its request. */
export function askerOf(requestId: string): string {
  return requestId.split(SEPARATOR, 1)[0] ?? requestId;
}

export class NestedRequest {
  readonly attempt: Attempt;
  readonly taskId: string;
  /** Key of its row; 0 until the store has it. */
  key = 0;
  row: TaskRow | null = null;
  granted: Promise<TaskRow>;
  #grant: (row: TaskRow) => void = () => undefined;
  #refuse: (error: LockyardError) => void = () => undefined;
  /** Told once the store has let go of it. */
  onEnded: (() => void) | null = null;
  isReleased = false;

  constructor(attempt: Attempt, taskId: string) {
    this.attempt = attempt;
    this.taskId = taskId;
    this.granted = this.#answer();
  }

  #answer(): Promise<TaskRow> {
    return new Promise((resolve, reject) => {
      this.#grant = resolve;
      this.#refuse = reject;
    });
  }

  /** What it was granted could not be used: it waits again. */
  waitAgain(): void {
    this.row = null;
    this.granted = this.#answer();
  }

  grant(row: TaskRow): void {
    this.row = row;
    this.#grant(row);
  }

  refuse(error: LockyardError): void {
    this.#refuse(error);
  }
}

export interface Ask {
  readonly claims: readonly ResolvedClaim[];
  readonly wants: NewRow["wants"];
  readonly queueTimeoutMs?: number | undefined;
  /** What is waited for, for messages: `file:src/api`. */
  readonly what: string;
  /** Looks at what was granted, before it is used. */
  readonly look?: (row: TaskRow) => Promise<WrongGrant | null>;
}

export class NestedRequests {
  readonly #turns: TurnQueue;
  readonly #clock: Clock;
  readonly #owner: () => string;
  readonly #byTaskId = new Map<string, NestedRequest>();
  #count = 0;

  constructor(turns: TurnQueue, clock: Clock, owner: () => string) {
    this.#turns = turns;
    this.#clock = clock;
    this.#owner = owner;
  }

  get(taskId: string): NestedRequest | undefined {
    return this.#byTaskId.get(taskId);
  }

  /** Waits until it is granted. Rejects with DEADLOCK, QUEUE_TIMEOUT, CANCELLED… */
  async acquire(attempt: Attempt, ask: Ask): Promise<NestedRequest> {
    const request = new NestedRequest(attempt, `${attempt.record.task.taskId}${SEPARATOR}${++this.#count}`);
    this.#byTaskId.set(request.taskId, request);
    const { inside } = attempt;
    inside.requests.push(request);
    const giveUp = (stop: Stop) => {
      this.release(request);
      request.refuse(new LockyardError(stop.code, stop.message));
    };
    inside.onStop.add(giveUp);
    attempt.pause(this.#clock.nowMs());
    this.#turns.push({ type: "submit", row: this.#newRow(request, ask) }, request);
    try {
      for (;;) {
        const row = await request.granted;
        const wrong = ask.look === undefined ? null : await ask.look(row);
        if (wrong === null) return request;
        // Ended while it was looked at: nobody would answer.
        if (request.isReleased) throw new LockyardError("CANCELLED", `The request for ${ask.what} has ended.`);
        request.waitAgain();
        this.#turns.push({ type: "put-back", key: request.key, fence: row.fence, ...wrong }, null);
      }
    } catch (error) {
      // What could not be looked at is not kept.
      this.release(request);
      throw error;
    } finally {
      inside.onStop.delete(giveUp);
      attempt.resume(this.#clock.nowMs());
    }
  }

  /** Ends a request and drops what it got; more than once is fine. */
  release(request: NestedRequest): void {
    if (request.isReleased) return;
    request.isReleased = true;
    if (request.key > 0) this.#turns.push({ type: "release", key: request.key }, null);
  }

  submitted(request: NestedRequest, row: TaskRow): void {
    request.key = row.key;
    if (request.isReleased) this.#turns.push({ type: "release", key: row.key }, null);
  }

  refused(request: NestedRequest, { code, message, blockers }: Extract<Effect, { type: "refused" }>): void {
    this.#forget(request);
    const names = [...new Set(blockers.map(({ label, taskId }) => label || taskId))];
    const hint =
      names.length === 0
        ? undefined
        : `In the way: ${names.slice(0, 5).join(", ")}. Claim everything at the start of the task instead, or let go first.`;
    request.refuse(new LockyardError(code, message, { hint }));
  }

  /** The store has let go of it: released, timed out in line, or ended with its task. */
  ended(request: NestedRequest, effect: Extract<Effect, { type: "ended" }>): void {
    this.#forget(request);
    const { taskId } = request.attempt.record.task;
    const waitedMs = Math.round(this.#clock.nowMs() - effect.row.submittedAtMs).toLocaleString("en");
    request.refuse(
      effect.code === "QUEUE_TIMEOUT"
        ? new LockyardError(
            "QUEUE_TIMEOUT",
            `Task ${taskId} waited ${waitedMs} ms for more and the limit is ${effect.row.queueTimeoutMs.toLocaleString("en")} ms.`,
          )
        : new LockyardError(
            effect.code ?? "CANCELLED",
            effect.message ?? `What task ${taskId} asked for was ended: ${effect.code ?? effect.status}.`,
          ),
    );
  }

  /** A slot that was granted is the task's again; the request itself is over. */
  done(request: NestedRequest): void {
    this.#forget(request);
  }

  #forget(request: NestedRequest): void {
    request.isReleased = true;
    this.#byTaskId.delete(request.taskId);
    const { requests } = request.attempt.inside;
    const at = requests.indexOf(request);
    if (at >= 0) requests.splice(at, 1);
    request.onEnded?.();
    request.onEnded = null;
  }

  #newRow({ attempt, taskId }: NestedRequest, ask: Ask): NewRow {
    const { record } = attempt;
    return {
      workflowId: record.task.workflowId,
      taskId,
      agentId: record.task.agentId,
      ownerId: this.#owner(),
      kind: "request",
      wants: ask.wants,
      parentKey: record.key,
      ancestors: [record.key, ...record.ancestors],
      holder: record.agent.holder,
      status: "waiting",
      rank: NESTED_RANK,
      claims: ask.claims,
      limits: ask.wants === "slot" ? record.limits : NOTHING,
      queueTimeoutMs: ask.queueTimeoutMs ?? 0,
      orphan: "fail",
      placeKey: "",
      isIdUnique: true,
      label: ask.what.slice(0, 200),
      payload: null,
    };
  }
}

/** The account of an attempt's waits; made when first needed. */
export function loanOf(
  attempt: Attempt,
  { requests, turns }: { readonly requests: NestedRequests; readonly turns: TurnQueue },
): Loan {
  attempt.inside.loan ??= new SlotLoan(attempt, requests, turns);
  return attempt.inside.loan;
}

/** The slot of one attempt while it waits for others. Made when first needed. */
class SlotLoan implements Loan {
  readonly #attempt: Attempt;
  readonly #requests: NestedRequests;
  readonly #turns: TurnQueue;
  #waits = 0;
  #return: Promise<void> | null = null;

  constructor(attempt: Attempt, requests: NestedRequests, turns: TurnQueue) {
    this.#attempt = attempt;
    this.#requests = requests;
    this.#turns = turns;
  }

  /** Gives the slot back. `asPerson` also shows the task as waiting for input. */
  give(asPerson = false): void {
    this.#waits++;
    const { fence, record } = this.#attempt;
    if (asPerson) this.#turns.push({ type: "need-input", key: record.key, fence }, null);
    else if (!this.#attempt.inside.hasGivenSlot) this.#turns.push({ type: "give-slot", key: record.key, fence }, null);
    this.#attempt.inside.hasGivenSlot = true;
  }

  /** Waits until the slot is there again; at once while another wait of this attempt is still open. */
  async takeBack(): Promise<void> {
    if (--this.#waits > 0) return;
    this.#return ??= this.#takeBack();
    await this.#return;
  }

  async #takeBack(): Promise<void> {
    const { record } = this.#attempt;
    try {
      const request = await this.#requests.acquire(this.#attempt, {
        claims: NOTHING,
        wants: "slot",
        what: `${record.task.taskId}: its slot`,
      });
      this.#requests.done(request);
      this.#attempt.inside.hasGivenSlot = false;
    } finally {
      this.#return = null;
    }
    if (this.#waits === 0) return;
    // Another wait began meanwhile (N2).
    this.#turns.push({ type: "give-slot", key: record.key, fence: this.#attempt.fence }, null);
    this.#attempt.inside.hasGivenSlot = true;
  }
}
