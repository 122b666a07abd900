import { BOUNDS } from "../core/bounds.ts";
import type { TaskError } from "../core/errors.ts";
import type { ErrorHandler, ErrorVerdict } from "../core/ports.ts";
import type { Due } from "./agenda.ts";
import type { TaskRecord } from "./task-record.ts";

/** A task between two attempts: it holds nothing and stands in no line. */
export class Retry implements Due {
  readonly kind = "retry";
  readonly record: TaskRecord;
  readonly reason: string;
  readonly delayMs: number;
  dueAtMs = 0;
  place = -1;
  readonly #onOver: (retry: Retry) => void;

  constructor(record: TaskRecord, plan: RetryPlan, onOver: (retry: Retry) => void) {
    this.record = record;
    this.reason = plan.reason;
    this.delayMs = plan.delayMs;
    this.#onOver = onOver;
  }

  onDue(): void {
    this.#onOver(this);
  }
}

export interface RetryPlan {
  readonly delayMs: number;
  readonly reason: string;
  /** False for an overload: the attempt does not count. */
  readonly spendsAttempt: boolean;
}

export interface RetryFacts {
  readonly record: TaskRecord;
  readonly error: TaskError;
  readonly saysRetryable: boolean | undefined;
  readonly errorHandler: ErrorHandler;
  readonly delayMs: (attempt: number) => number;
}

/** Whether another attempt follows, and when; null when the error is final. A handler that throws decides nothing. */
export function planRetry(facts: RetryFacts): RetryPlan | null {
  const { record, error, delayMs } = facts;
  const verdict = judge(facts);
  if (verdict === null) return null;
  const reason = `${error.code}: ${error.message}`;
  if (verdict.waitMs !== undefined && Number.isFinite(verdict.waitMs) && verdict.waitMs >= 0) {
    if ((record.links?.overloadWaits ?? 0) >= BOUNDS.overloadWaitsPerTask) return null;
    return { delayMs: verdict.waitMs, reason, spendsAttempt: false };
  }
  if (!verdict.retryable || record.attempts >= (record.task.retry?.attempts ?? 1)) return null;
  return { delayMs: delayMs(record.attempts), reason, spendsAttempt: true };
}

function judge({ errorHandler, error, record, saysRetryable }: RetryFacts): ErrorVerdict | null {
  const { task, attempts: attempt } = record;
  try {
    return errorHandler.judge(
      error,
      saysRetryable === undefined ? { task, attempt } : { task, attempt, saysRetryable },
    );
  } catch {
    return null;
  }
}
