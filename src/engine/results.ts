import type { IsoTimes } from "../clock/iso-times.ts";
import type { TaskError } from "../core/errors.ts";
import type { AgentReport } from "../core/ports.ts";
import type { AgentResult, FinalStatus, JsonValue, Usage } from "../core/task.ts";
import type { Attempt } from "./attempt.ts";
import type { Stop, TaskRecord } from "./task-record.ts";

export interface Ending {
  readonly status: FinalStatus;
  readonly output: JsonValue;
  readonly error: TaskError | null;
  readonly report: AgentReport | null;
}

/** How a task ended, as plain JSON. `attempt` is the last one; null when it never started. */
export function resultOf(
  record: TaskRecord,
  ending: Ending,
  facts: {
    readonly attempt: Attempt | null;
    readonly nowMs: number;
    readonly submittedAtMs: number;
    readonly lockWaitMs: number;
    readonly times: IsoTimes;
  },
): AgentResult {
  const { attempt, nowMs, times } = facts;
  const { report, error } = ending;
  const usage = addUsage(record.links?.usage, report?.usage);
  // One literal whatever the status, so that all results have one shape; the cast says what the union cannot: success
  // goes with a null error, and the optional members are absent when there is nothing to say.
  const result = {
    taskId: record.task.taskId,
    agentId: record.task.agentId,
    instanceId: attempt?.instanceId ?? "",
    success: ending.status === "succeeded",
    status: ending.status,
    output: ending.output,
    confidenceScore: report?.confidenceScore ?? null,
    evidence: report?.evidence ?? NOTHING,
    errorMessage: error?.message ?? null,
    attempts: record.attempts,
    queuedMs: rounded(attempt?.queuedMs ?? nowMs - facts.submittedAtMs),
    lockWaitMs: rounded(attempt?.lockWaitMs ?? facts.lockWaitMs),
    executionTimeMs: attempt === null ? 0 : rounded(nowMs - attempt.startedAtMs),
    startedAt: attempt === null ? null : times.text(attempt.startedAtMs),
    finishedAt: times.text(nowMs),
  } as { -readonly [Key in keyof AgentResult]: AgentResult[Key] } & {
    usage?: Usage;
    leftovers?: readonly string[];
    touched?: readonly string[];
    error?: TaskError;
  };
  if (error !== null) result.error = error;
  if (usage !== undefined) result.usage = usage;
  const touched = [...(report?.touched ?? NOTHING), ...(attempt?.peek?.touched ?? NOTHING)];
  if (touched.length > 0) result.touched = touched;
  if (report?.leftovers !== undefined) result.leftovers = report.leftovers;
  return result as AgentResult;
}

/** Of several attempts together. */
export function addUsage(one: Usage | undefined, other: Usage | undefined): Usage | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const sum: { -readonly [Key in keyof Usage]: Usage[Key] } = { ...one };
  for (const key of ["inputTokens", "outputTokens", "costUsd"] as const) {
    const more = other[key];
    if (more !== undefined) sum[key] = (sum[key] ?? 0) + more;
  }
  return sum;
}

/** To the microsecond: more digits say nothing. */
function rounded(ms: number): number {
  return ms > 0 ? Math.round(ms * 1_000) / 1_000 : 0;
}

const NOTHING: readonly string[] = [];

/** What a result says of a task that was stopped. Whatever its agent still returned is kept as output. */
export function stoppedEnding(stop: Stop, output: JsonValue = null): Ending {
  return {
    status: stop.status,
    output,
    error: { code: stop.code, message: stop.message, retryable: false },
    report: null,
  };
}
