import { DEFAULTS } from "../core/bounds.ts";
import type { RankFacts } from "../core/ports.ts";
import { criticalPathMs } from "./dependencies.ts";
import type { ManagerParts } from "./parts.ts";
import type { TaskRecord } from "./task-record.ts";

/**
 * Asks the scheduler for ranks. One facts object for all tasks, whose figures are worked out when the scheduler reads them:
 * `fifo` asks for none.
 */
export class Ranking implements RankFacts {
  readonly #parts: ManagerParts;
  #record: TaskRecord | null = null;
  #hasComplained = false;
  /** Whether ranks count from now, as the store wants them where workflows share it fairly. */
  isRelative = false;
  rankedBefore = 0;
  /** Read once for all tasks that become eligible together. */
  nowMs = 0;

  constructor(parts: ManagerParts) {
    this.#parts = parts;
  }

  get attempt(): number {
    return (this.#record?.attempts ?? 0) + 1;
  }
  get predictedMs(): number {
    return this.#record === null ? 0 : this.#predict(this.#record);
  }
  get criticalPathMs(): number {
    return this.#record === null ? 0 : criticalPathMs(this.#record, (record) => this.#predict(record));
  }

  /** Sets the time that the next ranks are asked at. */
  begin(): void {
    this.nowMs = this.#parts.clock.nowMs();
  }

  /** Lower runs earlier. A scheduler that throws or answers nonsense ranks by arrival, and is named in the log once. */
  rank(record: TaskRecord): number {
    this.#record = record;
    let rank = Number.NaN;
    let problem = "";
    try {
      rank = this.#parts.scheduler.rank(record.task, this);
    } catch (thrown) {
      problem = String(thrown);
    }
    this.#record = null;
    const arrival = this.rankedBefore++;
    if (typeof rank === "number" && Number.isFinite(rank)) return this.isRelative ? rank - this.nowMs : rank;
    if (!this.#hasComplained) {
      this.#hasComplained = true;
      this.#parts.logger.error(`scheduler ${this.#parts.scheduler.name} gave no rank; tasks are ranked by arrival`, {
        rank,
        problem,
      });
    }
    return this.isRelative ? 0 : arrival;
  }

  #predict(record: TaskRecord): number {
    return this.#parts.metrics.typicalMs(record.task) ?? DEFAULTS.predictedMs;
  }
}
