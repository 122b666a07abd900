/**
 * A monitor that turns events into sentences somebody should read: long waits, locks that lapsed, deadlocks, memory, time-outs,
 * questions, spent budgets. It tells; it never decides.
 */
import { BOUNDS } from "../core/bounds.ts";
import type { LockyardEvent } from "../core/events.ts";
import type { Clock, Monitor, Timer } from "../core/ports.ts";

export type NoticeKind =
  | "long-wait"
  | "lock-expired"
  | "quarantined"
  | "deadlock"
  | "memory"
  | "timeout"
  | "needs-input"
  | "budget-paused"
  | "events-dropped";

export interface Notice {
  readonly kind: NoticeKind;
  readonly workflowId: string;
  /** One sentence with the thing and the numbers. */
  readonly text: string;
  readonly taskId?: string;
  readonly resourceId?: string;
}

export interface ContentionMonitorOptions {
  readonly clock: Clock;
  /** May be slow, may throw: nobody notices. */
  readonly notify: (notice: Notice) => unknown;
  /** A wait is told when it has lasted this long. Default 60 s. */
  readonly waitThresholdMs?: number;
  /** The same sentence about the same resource is told once in this time. Default 5 minutes. */
  readonly repeatAfterMs?: number;
}

export interface ContentionMonitor extends Monitor {
  /** Stops watching waits; twice is fine. */
  close(): void;
}

interface Wait {
  readonly workflowId: string;
  readonly taskId: string;
  readonly sinceMs: number;
  resourceId: string;
  reason: string;
}

export function contentionMonitor(options: ContentionMonitorOptions): ContentionMonitor {
  return new Contention(options);
}

class Contention implements ContentionMonitor {
  readonly #options: ContentionMonitorOptions;
  readonly #thresholdMs: number;
  readonly #repeatAfterMs: number;
  /** Waits not told yet, oldest first: they are inserted as they begin, and all have the same threshold. */
  readonly #waits = new Map<string, Wait>();
  readonly #toldAtMs = new Map<string, number>();
  #timer: Timer | undefined;
  #isClosed = false;

  constructor(options: ContentionMonitorOptions) {
    this.#options = options;
    this.#thresholdMs = options.waitThresholdMs ?? 60_000;
    this.#repeatAfterMs = options.repeatAfterMs ?? 300_000;
  }

  onEvent(event: LockyardEvent): void {
    if (this.#isClosed) return;
    switch (event.type) {
      case "task-waiting":
        this.#watch(event);
        break;
      case "task-started":
        this.#waits.delete(keyOf(event));
        break;
      case "task-finished":
        this.#waits.delete(keyOf(event));
        this.#tell(ofResult(event));
        break;
      case "lock-expired":
      case "lock-quarantined":
        this.#tell(ofLock(event));
        break;
      case "task-needs-input":
        this.#tell({ ...about(event), kind: "needs-input", text: `Task ${event.taskId} asks: ${event.question}` });
        break;
      case "budget-paused":
        this.#tell({
          kind: "budget-paused",
          workflowId: event.workflowId,
          text: `Workflow ${event.workflowId} is paused: ${event.reason}`,
        });
        break;
      case "limit-changed":
        if (/memory/i.test(event.reason)) {
          const text = `The limit ${event.name} is now ${event.limit}: ${event.reason}`;
          this.#tell({ kind: "memory", workflowId: event.workflowId, resourceId: event.name, text });
        }
        break;
      case "events-dropped": {
        const text = `${event.count} events were lost to a reader that was too slow; nothing else was.`;
        this.#tell({ kind: "events-dropped", workflowId: event.workflowId, text });
        break;
      }
      case "task-submitted":
      case "task-progress":
      case "task-output":
      case "task-retrying":
      case "lock-granted":
      case "lock-released":
      case "workflow-started":
      case "workflow-paused":
      case "workflow-finished":
        break;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#waits.clear();
    this.#toldAtMs.clear();
  }

  #watch(event: Extract<LockyardEvent, { type: "task-waiting" }>): void {
    const key = keyOf(event);
    const known = this.#waits.get(key);
    if (known !== undefined) {
      // It moved to another blocker: it has waited since it began.
      known.resourceId = event.resourceId;
      known.reason = event.reason;
      return;
    }
    if (this.#waits.size >= BOUNDS.watchedWaits) return;
    const { workflowId, taskId, resourceId, reason } = event;
    this.#waits.set(key, { workflowId, taskId, resourceId, reason, sinceMs: this.#options.clock.nowMs() });
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    const [oldest] = this.#waits.values();
    if (oldest === undefined) return;
    const delayMs = oldest.sinceMs + this.#thresholdMs - this.#options.clock.nowMs();
    this.#timer = this.#options.clock.setTimer(delayMs, () => this.#tellLongWaits(), { background: true });
  }

  #tellLongWaits(): void {
    this.#timer = undefined;
    const nowMs = this.#options.clock.nowMs();
    for (const [key, wait] of this.#waits) {
      const waitedMs = nowMs - wait.sinceMs;
      if (waitedMs < this.#thresholdMs) break;
      this.#waits.delete(key);
      const { workflowId, taskId, resourceId } = wait;
      const since = `Task ${taskId} has waited ${seconds(waitedMs)} for ${resourceId}`;
      this.#tell({
        kind: "long-wait",
        workflowId,
        taskId,
        resourceId,
        text: wait.reason === "" ? `${since}.` : `${since}: ${wait.reason}`,
      });
    }
    this.#schedule();
  }

  #tell(notice: Notice | undefined): void {
    if (notice === undefined) return;
    const nowMs = this.#options.clock.nowMs();
    // Many tasks behind one lock are one thing to read; two tasks that failed are two.
    const subject = `${notice.kind}\0${notice.workflowId}\0${notice.resourceId ?? notice.taskId ?? ""}`;
    const toldAtMs = this.#toldAtMs.get(subject);
    if (toldAtMs !== undefined && nowMs - toldAtMs < this.#repeatAfterMs) return;
    if (this.#toldAtMs.size >= BOUNDS.noticedSubjects) this.#toldAtMs.clear();
    this.#toldAtMs.set(subject, nowMs);
    try {
      const told = this.#options.notify(notice);
      if (told instanceof Promise) told.catch(() => undefined);
    } catch {
      // whoever is told must not harm what is told about
    }
  }
}

function keyOf(event: { readonly workflowId: string; readonly taskId: string }): string {
  return `${event.workflowId}\0${event.taskId}`;
}

function about(event: { readonly workflowId: string; readonly taskId: string }): {
  readonly workflowId: string;
  readonly taskId: string;
} {
  return { workflowId: event.workflowId, taskId: event.taskId };
}

type LockEvent = Extract<LockyardEvent, { readonly resourceId: string; readonly fence: number }>;

function ofLock(event: LockEvent): Notice {
  const { resourceId, instanceId, fence } = event;
  if (event.type === "lock-quarantined") {
    const text = `${resourceId} is quarantined: its holder ${instanceId} could not be stopped. Its lock goes when it ends.`;
    return { ...about(event), kind: "quarantined", resourceId, text };
  }
  return {
    ...about(event),
    kind: "lock-expired",
    resourceId,
    text: `The lock of ${instanceId} on ${resourceId} (fence ${fence}) expired: its holder gave no sign of life.`,
  };
}

/** Failures that say something about the whole; an agent's own failure is told by its result. */
function ofResult(event: Extract<LockyardEvent, { type: "task-finished" }>): Notice | undefined {
  const { result } = event;
  if (result.success) return undefined;
  const text = `Task ${event.taskId} (${event.agentId}): ${result.errorMessage}`;
  switch (result.error.code) {
    case "DEADLOCK":
      return { ...about(event), kind: "deadlock", text };
    case "OUT_OF_MEMORY":
      return { ...about(event), kind: "memory", text };
    default:
      return result.status === "timed_out" ? { ...about(event), kind: "timeout", text } : undefined;
  }
}

function seconds(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;
}
