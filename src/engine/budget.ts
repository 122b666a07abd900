import type { Usage } from "../core/task.ts";
import type { Due } from "./agenda.ts";
import type { Budget, Spent } from "./parts.ts";

/**
 * Counts what a tree of tasks spends. A breach closes the door for tasks that have not started (the slot limit becomes
 * what is left of it); running ones go on.
 */
export class BudgetKeeper implements Due {
  #budget: Budget;
  readonly #onBreach: (reason: string) => void;
  #started = 0;
  #tokens = 0;
  #costUsd = 0;
  /** Negative before anything has started. */
  #firstStartMs = -1;
  #isTimeUp = false;
  /** What was exceeded and how to go on; empty while nothing is. */
  reason = "";
  dueAtMs = 0;
  place = -1;

  constructor(budget: Budget, onBreach: (reason: string) => void, spent: Spent = NOTHING_SPENT) {
    this.#budget = budget;
    this.#onBreach = onBreach;
    this.#started = spent.tasks;
    this.#tokens = spent.tokens;
    this.#costUsd = spent.costUsd;
  }

  get depth(): number | undefined {
    return this.#budget.spawnDepth;
  }

  /** Replaces the limits; what was spent stays spent. */
  configure(budget: Budget): void {
    this.#budget = { ...this.#budget, ...budget };
    this.#isTimeUp = false;
    this.reason = "";
    this.#judge();
  }

  /** When the wall time is over; null when there is no such limit or nothing has started. */
  get endsAtMs(): number | null {
    const { wallMs } = this.#budget;
    return wallMs === undefined || this.#firstStartMs < 0 ? null : this.#firstStartMs + wallMs;
  }

  started(nowMs: number): void {
    this.#started++;
    if (this.#firstStartMs < 0) this.#firstStartMs = nowMs;
    if (this.#budget.tasks !== undefined) this.#judge();
  }

  spent(usage: Usage | undefined): void {
    if (usage === undefined) return;
    this.#tokens += (usage.inputTokens ?? 0) + (usage.outputTokens ?? 0);
    this.#costUsd += usage.costUsd ?? 0;
    this.#judge();
  }

  /** Slots there may be, of those the user set. Never more than may still be started, so that a burst cannot overshoot. */
  slots(configured: number, running: number): number {
    if (this.reason !== "") return 0;
    const left = this.#budget.tasks === undefined ? Number.POSITIVE_INFINITY : this.#budget.tasks - this.#started;
    return Math.max(0, Math.min(configured, running + left));
  }

  get isCounting(): boolean {
    return this.#budget.tasks !== undefined;
  }

  onDue(): void {
    this.#isTimeUp = true;
    this.#judge();
  }

  #judge(): void {
    if (this.reason !== "") return;
    const { tasks, tokens, costUsd, wallMs } = this.#budget;
    const over =
      tasks !== undefined && this.#started >= tasks
        ? `${count(this.#started)} of ${count(tasks)} tasks started`
        : tokens !== undefined && this.#tokens >= tokens
          ? `${count(this.#tokens)} of ${count(tokens)} tokens used`
          : costUsd !== undefined && this.#costUsd >= costUsd
            ? `$${this.#costUsd.toFixed(2)} of $${costUsd.toFixed(2)} spent`
            : this.#isTimeUp && wallMs !== undefined
              ? `${count(wallMs)} ms of ${count(wallMs)} ms passed`
              : "";
    if (over === "") return;
    this.reason = `Paused: ${over}, nothing was stopped. Continue with configure({ limits: … }), or cancel what waits.`;
    this.#onBreach(this.reason);
  }
}

const NOTHING_SPENT: Spent = { tasks: 0, tokens: 0, costUsd: 0 };

function count(value: number): string {
  return Math.round(value).toLocaleString("en");
}
