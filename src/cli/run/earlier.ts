/** What went before: how the tasks of a run ended in a process that is gone. */
import { BOUNDS, IsoTimes } from "../../edges/basics.ts";
import type { Spent } from "../../edges/run.ts";
import { isFinal, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { AgentResult, Clock, FinalStatus } from "../../index.ts";

export interface Earlier {
  readonly workflowId: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  readonly results: ReadonlyMap<string, AgentResult>;
  /** Of them, those that run again. */
  readonly again: readonly string[];
}

/** Results of every task of the workflow that has ended. */
export function earlierResults(view: StoreView, workflowId: string, clock: Clock): ReadonlyMap<string, AgentResult> {
  const times = new IsoTimes(clock);
  const statuses = ["succeeded", "failed", "timed_out", "cancelled", "skipped"] as const;
  const rows = view.tasks({ workflowId, statuses, limit: BOUNDS.tasksPerWorkflow });
  const results = new Map<string, AgentResult>();
  for (const row of rows) {
    if (row.kind !== "task" || !isFinal(row.status)) continue;
    const stored = view.result(workflowId, row.taskId);
    results.set(row.taskId, isResult(stored) ? stored : unexplained(row, times));
  }
  return results;
}

function isResult(value: unknown): value is AgentResult {
  return typeof value === "object" && value !== null && "taskId" in value && "status" in value;
}

/** Ended by the store itself (a time-out in line, an unlock): nobody wrote a result. */
function unexplained(row: TaskRow, times: IsoTimes): AgentResult {
  const status = row.status as Exclude<FinalStatus, "succeeded">; // a success is written by whoever ran it
  const message = `Task ${row.taskId} ended ${status} in an earlier process.`;
  const at = times.text(row.submittedAtMs);
  return {
    taskId: row.taskId,
    agentId: row.agentId,
    instanceId: "",
    success: false,
    status,
    output: null,
    confidenceScore: null,
    evidence: [],
    errorMessage: message,
    error: { code: "OWNER_GONE", message, retryable: true },
    attempts: 0,
    queuedMs: 0,
    lockWaitMs: row.lockWaitMs,
    executionTimeMs: 0,
    startedAt: null,
    finishedAt: at,
  };
}

/** What they count against a budget. */
export function spentBy(results: Iterable<AgentResult>): Spent {
  let [tasks, tokens, costUsd] = [0, 0, 0];
  for (const { startedAt, usage } of results) {
    if (startedAt !== null) tasks++;
    tokens += (usage?.inputTokens ?? 0) + (usage?.outputTokens ?? 0);
    costUsd += usage?.costUsd ?? 0;
  }
  return { tasks, tokens, costUsd };
}
