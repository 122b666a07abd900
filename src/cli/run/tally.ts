/** Where each task of a run stands, as far as its events told. */
import type { FinalStatus, LockyardEvent } from "../../index.ts";

export interface Failure {
  readonly taskId: string;
  readonly status: FinalStatus;
  readonly message: string;
}

/** Failures a live view keeps in sight; all of them are in the scrollback. */
const KEPT_FAILURES = 5;

export class Tally {
  /** Tasks the plan has; grows when a `forEach` over a result unfolds. */
  total: number;
  finished = 0;
  readonly byStatus: Record<FinalStatus, number> = { succeeded: 0, failed: 0, timed_out: 0, cancelled: 0, skipped: 0 };
  readonly recentFailures: Failure[] = [];
  /** Events the reader was too slow for: counts may then be behind. */
  dropped = 0;
  readonly #questions = new Map<string, string>();

  constructor(total: number) {
    this.total = total;
  }

  /** Tasks that had ended before this process began, or run again now. */
  count(status: FinalStatus, step: 1 | -1): void {
    this.finished += step;
    this.byStatus[status] += step;
  }

  /** Questions nobody answered yet, by task. */
  get questions(): ReadonlyMap<string, string> {
    return this.#questions;
  }

  take(event: LockyardEvent): void {
    switch (event.type) {
      case "task-needs-input":
        this.#questions.set(event.taskId, event.question);
        return;
      case "task-progress":
        this.#questions.delete(event.taskId);
        return;
      case "task-finished":
        this.#finish(event.taskId, event.status, event.result.errorMessage);
        return;
      case "events-dropped":
        this.dropped += event.count;
        return;
      case "task-submitted":
      case "task-waiting":
      case "task-started":
      case "task-retrying":
      case "task-output":
      case "lock-granted":
      case "lock-released":
      case "lock-expired":
      case "lock-quarantined":
      case "limit-changed":
      case "budget-paused":
      case "workflow-started":
      case "workflow-paused":
      case "workflow-finished":
        return;
    }
  }

  #finish(taskId: string, status: FinalStatus, message: string | null): void {
    this.#questions.delete(taskId);
    this.finished++;
    this.byStatus[status]++;
    if (status !== "failed" && status !== "timed_out") return;
    this.recentFailures.push({ taskId, status, message: message ?? "" });
    if (this.recentFailures.length > KEPT_FAILURES) this.recentFailures.shift();
  }
}
