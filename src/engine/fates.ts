/**
 * How attempts and tasks end: retried, settled, left behind, delivered.
 *
 *  F1 a task's result is delivered once; an attempt whose task has its result only gives back what it holds
 *  F2 tasks end before the task that started them: its locks cover them
 */
import type { IsoTimes } from "../clock/iso-times.ts";
import { RATE } from "../core/claims.ts";
import { errorCode, type TaskError } from "../core/errors.ts";
import type { Awaitable, Store, StoreView } from "../core/ports.ts";
import type { AgentResult, JsonObject, ResourceLock } from "../core/task.ts";
import type { Agenda } from "./agenda.ts";
import { Attempt } from "./attempt.ts";
import type { BudgetKeeper } from "./budget.ts";
import type { Outcome } from "./containment.ts";
import { noteResult } from "./dependencies.ts";
import { Grants, type WrongGrant } from "./grants.ts";
import { type InstanceListener, Instances } from "./instances.ts";
import { locksOfRow } from "./locks.ts";
import type { Notices } from "./notices.ts";
import { Observations } from "./observations.ts";
import type { ManagerParts } from "./parts.ts";
import type { Ranking } from "./ranking.ts";
import { addUsage, type Ending, resultOf, stoppedEnding } from "./results.ts";
import { planRetry, Retry, type RetryPlan } from "./retries.ts";
import type { Stop, TaskRecord } from "./task-record.ts";
import type { TaskTable } from "./task-table.ts";
import type { Batch, TurnQueue } from "./turn-queue.ts";

export interface EngineWiring {
  readonly parts: ManagerParts;
  readonly agenda: Agenda;
  readonly table: TaskTable;
  readonly times: IsoTimes;
  readonly notices: Notices;
  readonly ranking: Ranking;
  readonly budget: BudgetKeeper;
  readonly newInstanceId: (agentId: string) => string;
}

/** What the manager does when the dispatcher cannot go on by itself. */
export interface EngineHost {
  readonly ownerId: string;
  readonly storeFacts: Pick<Store, "scope" | "location"> | null;
  slotsChanged(): void;
  /** Every task has its result. */
  idle(): void;
  turnFailed(error: unknown, batch: Batch): void;
  drained(): void;
  beatRefused(): void;
  /** Its idempotency key is that of a task another process runs. */
  joinOther(record: TaskRecord): void;
  /** Another process says something to the owner of this task. */
  told(taskId: string, message: JsonObject): void;
  view<T>(read: (view: StoreView) => T): Awaitable<T>;
}

/** What is known of a task that never started: its row, or less. */
export interface NeverStarted {
  readonly submittedAtMs: number;
  readonly lockWaitMs: number;
}

/** What the fates of attempts do to tasks that stand in line. */
export interface Line {
  push: TurnQueue["push"];
  /** It may run again: back in line with a new rank. */
  enqueue(record: TaskRecord): void;
  /** A dependency ended: it runs, waits on, or is skipped. */
  unblock(record: TaskRecord): void;
  stop(record: TaskRecord, stop: Stop): void;
}

export class Fates implements InstanceListener {
  readonly #wiring: EngineWiring;
  readonly #host: EngineHost;
  readonly #line: Line;
  readonly instances: Instances;
  /** Results that came with a fence that is not the task's any more. */
  staleResults = 0;

  constructor(wiring: EngineWiring, host: EngineHost, line: Line) {
    this.#wiring = wiring;
    this.#host = host;
    this.#line = line;
    const { parts, agenda, table, times, newInstanceId: newId } = wiring;
    const grants = new Grants(parts, host);
    const observations = new Observations(parts, (read) => host.view(read));
    this.instances = new Instances({ parts, agenda, table, times, newId, listener: this, grants, observations });
  }

  started(attempt: Attempt): void {
    this.instances.observations.started(attempt);
    const { budget, notices, agenda } = this.#wiring;
    budget.started(attempt.startedAtMs);
    const endsAtMs = budget.endsAtMs;
    if (endsAtMs !== null && budget.place < 0 && budget.reason === "") agenda.set(budget, endsAtMs);
    notices.started(attempt);
  }

  ended(attempt: Attempt, outcome: Outcome): void {
    const { record, peek } = attempt;
    if (peek !== null && peek.children.size > 0) return this.#endChildren(attempt, outcome);
    const nowMs = this.#wiring.parts.clock.nowMs();
    record.ranMs += nowMs - attempt.startedAtMs;
    this.#wiring.budget.spent(outcome.report?.usage);
    if (record.result !== null) {
      // Delivered long ago, without it: now its locks may go. A disowned one is refused, and rightly.
      this.#line.push(
        { type: "settle", key: record.key, fence: attempt.fence, status: record.result.status, result: record.result },
        null,
      );
      if (this.#wiring.budget.isCounting) this.#host.slotsChanged();
      return;
    }
    if (record.phase !== attempt) return;
    const plan = this.#planRetry(attempt, outcome);
    if (plan !== null) {
      const usage = outcome.report?.usage;
      if (usage !== undefined) record.linked().usage = addUsage(record.links?.usage, usage);
      return this.#retry(attempt, plan);
    }
    const result = this.result(record, endingOfOutcome(attempt, outcome), attempt);
    record.pending = result;
    this.#line.push({ type: "settle", key: record.key, fence: attempt.fence, status: result.status, result }, attempt);
    if (this.#wiring.budget.isCounting) this.#host.slotsChanged();
  }

  /** Tasks never outlive the task that started them: its locks cover them. */
  #endChildren(attempt: Attempt, outcome: Outcome): void {
    const children = [...attempt.inside.children];
    attempt.inside.children.clear();
    let left = children.length;
    const sink = { deliver: () => (--left === 0 ? this.ended(attempt, outcome) : undefined) };
    for (const child of children) child.tell(sink, 0);
    const { taskId } = attempt.record.task;
    for (const child of children) {
      this.#line.stop(child, {
        status: "cancelled",
        code: "CANCELLED",
        message: `Task ${child.task.taskId} was cancelled because ${taskId}, which started it, ended.`,
      });
    }
  }

  lingering(attempt: Attempt): void {
    this.#line.push({ type: "ending", key: attempt.record.key, fence: attempt.fence }, null);
  }

  abandoned(attempt: Attempt, error: TaskError | null): void {
    const { record, stop } = attempt;
    this.#line.push({ type: "quarantine", key: record.key, fence: attempt.fence }, null);
    const { logger, graceMs } = this.#wiring.parts;
    const what =
      error === null
        ? `It did not stop within ${graceMs.toLocaleString("en")} ms: its locks are quarantined until it does.`
        : `${error.message} The locks of its task are quarantined until all of it is gone.`;
    const message = stop === null ? what : `${stop.message} ${what}`;
    logger.warn(message, { taskId: record.task.taskId });
    if (record.result !== null) return;
    // `cancelled` is only said of what is gone; that a limit was exceeded is true either way.
    const status = stop?.status === "timed_out" ? "timed_out" : "failed";
    const code = stop?.status === "timed_out" ? stop.code : "NOT_STOPPED";
    const ending: Ending = { status, output: null, error: { code, message, retryable: false }, report: null };
    this.finish(record, this.result(record, ending, attempt));
  }

  locksOf(attempt: Attempt): readonly ResourceLock[] {
    return locksOfRow(attempt, attempt.row, this.#wiring);
  }

  putBack({ record, fence }: Attempt, wrong: WrongGrant): void {
    this.#line.push({ type: "put-back", key: record.key, fence, ...wrong }, null);
  }

  #planRetry(attempt: Attempt, outcome: Outcome): RetryPlan | null {
    const { record, stop } = attempt;
    const { errorHandler, retryDelayMs, clock } = this.#wiring.parts;
    let error: TaskError;
    if (record.stop !== null) return null;
    if (stop !== null) {
      if (stop.code !== "RUN_TIMEOUT" && stop.code !== "IDLE_TIMEOUT") return null;
      error = { code: stop.code, message: stop.message, retryable: false };
    } else if (outcome.ok) return null;
    else error = outcome.error;
    return planRetry({
      record,
      error,
      saysRetryable: outcome.ok ? undefined : outcome.saysRetryable,
      errorHandler,
      delayMs: (number) => retryDelayMs(record.task.retry ?? { attempts: 1 }, number, () => clock.random()),
    });
  }

  #retry(attempt: Attempt, plan: RetryPlan): void {
    const { record } = attempt;
    const { agenda, notices, parts } = this.#wiring;
    notices.locks("lock-released", attempt);
    const rates = plan.spendsAttempt ? NOTHING : ratesOf(attempt);
    // First, so that what the attempt gives back is given to nobody before the time its provider asked for.
    for (const node of rates) this.#line.push({ type: "slow-down", node, forMs: plan.delayMs }, null);
    this.#line.push({ type: "retry", key: record.key, fence: attempt.fence }, null);
    if (!plan.spendsAttempt) {
      record.attempts--;
      record.linked().overloadWaits++;
    }
    const retry = new Retry(record, plan, (over) => this.#line.enqueue(over.record));
    record.phase = retry;
    record.state = "retrying";
    parts.metrics.retried(record.task.agentId);
    notices.retrying(record, plan.delayMs, plan.reason);
    // Behind a rate it claims it waits in line, where everybody can see for what.
    const isInLine = record.claims.some(({ mode }) => mode === RATE) && rates.length > 0;
    agenda.set(retry, parts.clock.nowMs() + (isInLine ? 0 : plan.delayMs));
    if (this.#wiring.budget.isCounting) this.#host.slotsChanged();
  }

  /** Ends a task here and now, whatever the store says. */
  fail(record: TaskRecord, error: TaskError): void {
    const from = record.attempt ?? { submittedAtMs: record.submittedAtMs, lockWaitMs: 0 };
    const result = this.result(record, { status: "failed", output: null, error, report: null }, from);
    this.disown(record, error.code);
    this.finish(record, result);
    this.#wiring.table.remove(record);
  }

  /** Another process ran it, and this is how it ended there. */
  adopt(record: TaskRecord, result: AgentResult): void {
    this.finish(record, result);
    this.#wiring.table.remove(record);
  }

  /** The store is lost: every task ends here and now. */
  failAll(error: unknown, message: string): void {
    for (const record of [...this.#wiring.table.records()]) {
      if (record.result !== null) continue;
      const code = errorCode(error);
      const known = code?.startsWith("STORE_") || code === "CLOSED" ? (code as TaskError["code"]) : "STORE_UNAVAILABLE"; // one of ours, by its prefix
      this.fail(record, { code: known, message, retryable: true });
    }
  }

  /** Nothing this task's instance still does counts. */
  disown(record: TaskRecord, code: TaskError["code"]): void {
    const { attempt, phase } = record;
    if (phase?.kind === "retry") this.#wiring.agenda.clear(phase);
    if (attempt === null || attempt.hasSettled) return;
    this.instances.disown(attempt, {
      status: "cancelled",
      code,
      message: `Task ${record.task.taskId} is no longer this process's: ${code}.`,
    });
  }

  finish(record: TaskRecord, result: AgentResult): void {
    const { table, notices, parts, agenda } = this.#wiring;
    table.finished(record, result);
    const runMs = record.ranMs;
    parts.metrics.finished(result, { runMs, heldMs: result.executionTimeMs, claims: record.claims, task: record.task });
    notices.finished(result);
    record.deliver(result);
    const { links } = record;
    if (links !== null) {
      for (const dependent of links.dependents) {
        noteResult(dependent, record.task.taskId, result);
        const waiting = dependent.linked();
        waiting.waitingFor--;
        if (dependent.state === "blocked" && dependent.stop === null) this.#line.unblock(dependent);
      }
      links.dependents.length = 0;
    }
    if (table.unfinished === 0) {
      agenda.rest();
      this.#host.idle();
    }
  }

  /** `from` is the last attempt, or what is known of a task that never started. */
  result(record: TaskRecord, ending: Ending, from: Attempt | NeverStarted): AgentResult {
    const { parts, times } = this.#wiring;
    const isAttempt = from instanceof Attempt;
    const { submittedAtMs, lockWaitMs } = isAttempt ? from.row : from;
    const attempt = isAttempt ? from : null;
    return resultOf(record, ending, { attempt, nowMs: parts.clock.nowMs(), submittedAtMs, lockWaitMs, times });
  }
}

const NOTHING: readonly never[] = [];

/** Rates an attempt went by: those it claims, and those it asked for. */
function ratesOf({ record, peek }: Attempt): readonly string[] {
  const claimed = record.claims.filter(({ mode }) => mode === RATE).map(({ node }) => node);
  return [...new Set([...claimed, ...(peek?.rates ?? NOTHING)])];
}

function endingOfOutcome({ stop }: Attempt, outcome: Outcome): Ending {
  const { output, report } = outcome;
  if (stop !== null) return { ...stoppedEnding(stop, output), report };
  if (outcome.ok) return { status: "succeeded", output, error: null, report };
  return { status: "failed", output, error: outcome.error, report };
}
