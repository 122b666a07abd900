import { hostname } from "node:os";
import type { IsoTimes } from "../clock/iso-times.ts";
import { BOUNDS } from "../core/bounds.ts";
import { explain } from "../core/explain.ts";
import type { StoreView } from "../core/ports.ts";
import type { AgentInstance, LiveStatus, ResourceLock } from "../core/task.ts";
import type { Attempt } from "./attempt.ts";
import { locksOfRow } from "./locks.ts";
import type { Notices } from "./notices.ts";
import type { ManagerParts } from "./parts.ts";
import type { TaskRecord } from "./task-record.ts";
import type { TaskTable } from "./task-table.ts";

export interface WaitingTask {
  readonly taskId: string;
  /** One sentence: what is in the way, who holds it, since when, the place in line. */
  readonly reason: string;
  /** Tasks in the way. */
  readonly blockedBy: readonly string[];
  /** 1 for the next; null when it stands in no line. */
  readonly position: number | null;
  /** Milliseconds from now; null when nobody can say. */
  readonly estimatedStartMs: number | null;
}

export interface ConcurrencyStatus {
  /** Tasks that may run at once now. */
  readonly limit: number;
  readonly running: number;
  readonly waiting: number;
  /** Why the limit is what it is. */
  readonly reason: string;
}

/** What this process runs and what waits in it. Locks are those of its own instances. */
export interface ParallelExecutionStatus {
  readonly workflowId: string;
  readonly runningInstances: Readonly<Record<string, AgentInstance>>;
  /** Several on one resource, because readers share. */
  readonly resourceLocks: Readonly<Record<string, readonly ResourceLock[]>>;
  /** The first 100. */
  readonly waiting: readonly WaitingTask[];
  readonly waitingCount: number;
  readonly concurrency: ConcurrencyStatus;
  /** Results that came with a stale fence and were dropped. */
  readonly staleResults: number;
}

export interface StatusSources {
  readonly parts: ManagerParts;
  readonly table: TaskTable;
  readonly times: IsoTimes;
  readonly notices: Notices;
}

/** Running instances by id, those that did not stop included. */
export function instancesOf(sources: StatusSources): Record<string, AgentInstance> {
  const instances = Object.create(null) as Record<string, AgentInstance>;
  const machine = hostname();
  for (const attempt of everyAttempt(sources.table))
    instances[attempt.instanceId] = instanceOf(attempt, sources, machine);
  return instances;
}

function* everyAttempt(table: TaskTable): Generator<Attempt> {
  yield* table.attempts;
  yield* table.abandoned;
}

function instanceOf(attempt: Attempt, { parts, times, notices }: StatusSources, machine: string): AgentInstance {
  const { record, instanceId } = attempt;
  const requested = attempt.peek?.requests.flatMap(({ row }) => row?.claims ?? []) ?? [];
  return {
    instanceId,
    agentId: record.task.agentId,
    taskId: record.task.taskId,
    // An instance that did not stop is still ending, although its task has its result.
    status: attempt.stage === "abandoned" ? "ending" : (record.state as LiveStatus),
    resourcesLocked: [...record.claims, ...requested].map(({ node }) => parts.resourceId(node)),
    startTime: times.text(attempt.startedAtMs),
    heartbeat: times.text(attempt.lastSignMs),
    progress: attempt.progress,
    ...(attempt.detail === "" ? undefined : { detail: attempt.detail }),
    estimatedCompletionAt: notices.estimate(attempt),
    ...(typeof attempt.peek?.pid === "number" ? { pid: attempt.peek.pid } : undefined),
    machine,
  };
}

/** Locks of this process's instances, by resource. */
export function locksOf({ parts, table, times }: StatusSources): Record<string, ResourceLock[]> {
  const byResource = Object.create(null) as Record<string, ResourceLock[]>;
  for (const attempt of everyAttempt(table)) {
    const rows = [
      attempt.row,
      ...(attempt.peek?.requests.flatMap(({ row, isReleased }) => (row === null || isReleased ? [] : [row])) ?? []),
    ];
    for (const row of rows) {
      for (const lock of locksOfRow(attempt, row, { parts, times })) {
        byResource[lock.resourceId] ??= [];
        byResource[lock.resourceId]?.push(attempt.stage === "abandoned" ? { ...lock, quarantined: true } : lock);
      }
    }
  }
  return byResource;
}

/** The first tasks that wait, in the order they were handed over. */
export function waitingOf(sources: StatusSources, view: StoreView | null): WaitingTask[] {
  const waiting: WaitingTask[] = [];
  for (const record of sources.table.records()) {
    if (record.result !== null || record.attempt !== null) continue;
    waiting.push(explainWait(record, sources, view));
    if (waiting.length === BOUNDS.statusRows) break;
  }
  return waiting;
}

function explainWait(record: TaskRecord, { parts }: StatusSources, view: StoreView | null): WaitingTask {
  const { taskId, dependsOn, workflowId } = record.task;
  const alone = { taskId, position: null, estimatedStartMs: null };
  const nowMs = parts.clock.nowMs();
  if (record.state === "blocked") {
    const blockedBy = (dependsOn ?? []).filter((id) => record.links?.results[id] === undefined);
    return {
      ...alone,
      blockedBy,
      reason: `waits for ${blockedBy.slice(0, 5).join(", ")}${blockedBy.length > 5 ? ` and ${blockedBy.length - 5} more` : ""} to end`,
    };
  }
  if (record.phase?.kind === "retry") {
    const leftMs = Math.max(0, Math.round(record.phase.dueAtMs - nowMs));
    return {
      ...alone,
      blockedBy: [],
      estimatedStartMs: leftMs,
      reason: `tries again in ${leftMs.toLocaleString("en")} ms after ${record.phase.reason}`,
    };
  }
  const row = view?.task(workflowId, taskId);
  if (view === null || row === undefined)
    return { ...alone, blockedBy: [], reason: record.key === 0 ? "is being submitted" : `is ${record.state}` };
  const { reason, hint, blockedBy, position, estimatedStartMs } = explain(view, row, { nowMs, root: parts.root });
  return {
    taskId,
    reason: hint === null ? reason : `${reason} ${hint}`,
    blockedBy: blockedBy.map((holder) => holder.taskId),
    position: position === 0 ? null : position,
    estimatedStartMs,
  };
}
