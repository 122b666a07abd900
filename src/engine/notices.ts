/** What the engine tells its listeners. Nothing here is even made while nobody listens. */

import type { IsoTimes } from "../clock/iso-times.ts";
import { LIMIT, RATE } from "../core/claims.ts";
import { toJson } from "../core/json.ts";
import type { TaskRow } from "../core/row.ts";
import type { AgentResult, JsonValue, LockType } from "../core/task.ts";
import type { Attempt } from "./attempt.ts";
import { notify } from "./containment.ts";
import type { EventHub } from "./event-hub.ts";
import type { ManagerParts } from "./parts.ts";
import type { TaskRecord } from "./task-record.ts";

/** May be async, may throw: contained. `progress` is 0 to 1. */
export type ProgressCallback = (instanceId: string, progress: number, detail: string) => unknown;

export class Notices {
  readonly #parts: ManagerParts;
  readonly #hub: EventHub;
  readonly #times: IsoTimes;
  readonly progressCallbacks = new Set<ProgressCallback>();

  constructor(parts: ManagerParts, hub: EventHub, times: IsoTimes) {
    this.#parts = parts;
    this.#hub = hub;
    this.#times = times;
  }

  submitted({ task: { taskId, agentId, description } }: TaskRecord): void {
    if (this.#hub.isHeard) this.#hub.emit({ type: "task-submitted", taskId, agentId, description });
  }

  waiting({ task: { taskId, agentId } }: TaskRecord, node: string): void {
    if (!this.#hub.isHeard) return;
    const resourceId = this.#parts.resourceId(node);
    this.#hub.emit({ type: "task-waiting", taskId, agentId, resourceId, reason: `Waits for ${resourceId}.` });
  }

  started(attempt: Attempt): void {
    if (!this.#hub.isHeard) return;
    const { instanceId, queuedMs, lockWaitMs, record } = attempt;
    const { taskId, agentId } = record.task;
    this.locks("lock-granted", attempt);
    this.#hub.emit({
      type: "task-started",
      taskId,
      agentId,
      instanceId,
      attempt: record.attempts,
      queuedMs,
      lockWaitMs,
    });
  }

  locks(
    type: "lock-granted" | "lock-released" | "lock-expired" | "lock-quarantined",
    attempt: Attempt,
    { claims, fence }: Pick<TaskRow, "claims" | "fence"> = { claims: attempt.record.claims, fence: attempt.fence },
  ): void {
    if (!this.#hub.isHeard) return;
    const { instanceId, record } = attempt;
    const { taskId, agentId } = record.task;
    for (const claim of claims) {
      if (claim.mode === RATE || claim.mode === LIMIT) continue;
      const resourceId = this.#parts.resourceId(claim.node);
      this.#hub.emit({
        type,
        taskId,
        agentId,
        instanceId,
        resourceId,
        lockType: lockTypeOf(claim.node),
        fence,
      });
    }
  }

  progressed(attempt: Attempt): void {
    const { instanceId, progress, detail, record } = attempt;
    for (const callback of this.progressCallbacks) notify(() => callback(instanceId, progress, detail));
    if (!this.#hub.isHeard) return;
    const { taskId, agentId } = record.task;
    this.#hub.emit({
      type: "task-progress",
      taskId,
      agentId,
      instanceId,
      progress,
      detail,
      estimatedCompletionAt: this.estimate(attempt),
    });
  }

  /** When the instance probably ends, ISO 8601; null when nobody can say, or the tracker throws. */
  estimate(attempt: Attempt): string | null {
    const { progress, record, startedAtMs } = attempt;
    try {
      const wallMs = this.#parts.progressTracker.estimate({
        startedWallMs: this.#times.wallMs(startedAtMs),
        nowWallMs: this.#times.wallMs(this.#parts.clock.nowMs()),
        progress,
        typicalMs: this.#parts.metrics.typicalMs(record.task),
      });
      return wallMs === null || !Number.isFinite(wallMs) ? null : this.#times.textOfWall(Math.round(wallMs));
    } catch {
      return null;
    }
  }

  emitted({ instanceId, record }: Attempt, chunk: JsonValue): void {
    if (!this.#hub.isHeard) return;
    const { taskId, agentId } = record.task;
    const { ok, fault } = toJson(chunk, { where: "chunk", repairStrings: true });
    this.#hub.emit({
      type: "task-output",
      taskId,
      agentId,
      instanceId,
      chunk: fault === undefined ? ok : `${fault.where} ${fault.what}`,
    });
  }

  asked({ instanceId, record }: Attempt, question: string): void {
    const { taskId, agentId } = record.task;
    if (this.#hub.isHeard)
      this.#hub.emit({ type: "task-needs-input", taskId, agentId, instanceId, question: question.slice(0, 4_096) });
  }

  retrying(record: TaskRecord, delayMs: number, reason: string): void {
    const { taskId, agentId } = record.task;
    if (this.#hub.isHeard)
      this.#hub.emit({ type: "task-retrying", taskId, agentId, attempt: record.attempts, delayMs, reason });
  }

  finished(result: AgentResult): void {
    const { taskId, agentId, status } = result;
    if (this.#hub.isHeard) this.#hub.emit({ type: "task-finished", taskId, agentId, status, result });
  }

  limitChanged(node: string, limit: number, reason: string): void {
    if (this.#hub.isHeard) this.#hub.emit({ type: "limit-changed", name: this.#parts.resourceId(node), limit, reason });
  }

  budgetPaused(reason: string): void {
    if (this.#hub.isHeard) this.#hub.emit({ type: "budget-paused", reason });
  }

  workflow(type: "workflow-started" | "workflow-paused" | "workflow-finished", tasks: number): void {
    if (this.#hub.isHeard) this.#hub.emit({ type, tasks });
  }
}

/** What people call it. A path is shown as a file when its last part has an extension; nothing depends on it. */
export function lockTypeOf(node: string): LockType {
  switch (node.charCodeAt(0)) {
    case 102: // f
      return /[^/]\.[^./]+$/.test(node) ? "file" : "directory";
    case 99: // c
      return "capacity";
    case 112: // p
      return "pool";
    case 114: // r
      return "rate";
    default:
      return "service";
  }
}
