/** The public shapes: what a caller hands over and what comes back. Words as in docs/glossary.md. */
import type { TaskError } from "./errors.ts";

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/**
 * What a task asks for. `write` and `read` lock a path and all below it; `observe` locks nothing and is reported when it
 * changed meanwhile; `use` takes units of a declared capacity, pool or rate (`"build"`, `"build:2"`); `lock` takes a name
 * that needs no declaration.
 */
export type Claim =
  | { readonly write: string }
  | { readonly read: string }
  | { readonly observe: string }
  | { readonly use: string; readonly units?: number }
  | { readonly lock: string; readonly mode?: "exclusive" | "shared" };

export interface RetryPolicy {
  /** Attempts in all, the first included. */
  readonly attempts: number;
  readonly backoff?: "exponential" | "fixed";
  readonly baseMs?: number;
  readonly maxMs?: number;
  /** 0 to 1: the share of the delay that is random. Default 1 ("full jitter"). */
  readonly jitter?: number;
}

/** When a task with dependencies runs: all of them succeeded (default), whatever happened, or at least one failed. */
export type When = "success" | "always" | "failure";

/** The smallest interface of standardschema.dev that is needed here; zod, valibot and arktype satisfy it. */
export interface StandardSchema<Output = unknown> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] };

/** The request that becomes a task. A plain object of this shape is accepted wherever a `TaskCall` is. */
export interface TaskCall<AgentId extends string = string, Context = JsonObject, Output = JsonValue> {
  readonly agentId: AgentId;
  readonly taskType: string;
  readonly description: string;
  readonly contextData?: Context;
  readonly taskId?: string;
  readonly dependsOn?: readonly string[];
  readonly when?: When;
  readonly claims?: readonly Claim[];
  /** Higher runs earlier; default 0. */
  readonly priority?: number;
  readonly queueTimeoutMs?: number;
  readonly timeoutMs?: number;
  readonly idleTimeoutMs?: number;
  readonly inputTimeoutMs?: number;
  readonly retry?: RetryPolicy;
  readonly idempotencyKey?: string;
  readonly outputSchema?: StandardSchema<Output>;
}

export type TaskGroup = "backend" | "frontend" | "documentation" | "validation" | "general";

/** One unit of work: a task call with its id, its workflow and the group it is shown under. */
export interface AgentTask<AgentId extends string = string, Context = JsonObject, Output = JsonValue>
  extends TaskCall<AgentId, Context, Output> {
  readonly taskId: string;
  readonly workflowId: string;
  readonly group: TaskGroup;
}

/** A view for people and for `plan`; never a barrier. */
export interface TaskGroups<Task = AgentTask> {
  backendTasks: Task[];
  frontendTasks: Task[];
  documentationTasks: Task[];
  validationTasks: Task[];
  generalTasks: Task[];
}

export type FinalStatus = "succeeded" | "failed" | "timed_out" | "cancelled" | "skipped";
export type LiveStatus =
  | "blocked"
  | "suspended"
  | "waiting"
  | "starting"
  | "running"
  | "needs_input"
  | "retrying"
  | "ending";
export type TaskStatus = LiveStatus | FinalStatus;

export interface Usage {
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly costUsd?: number;
}

interface ResultCommon {
  readonly taskId: string;
  readonly agentId: string;
  /** The instance of the last attempt; empty when the task never started. */
  readonly instanceId: string;
  readonly confidenceScore: number | null;
  readonly evidence: readonly string[];
  readonly attempts: number;
  /** Milliseconds from submission to the start of the last attempt, whatever it waited for. */
  readonly queuedMs: number;
  /** The part of `queuedMs` spent behind a lock or a capacity (not a concurrency limit). */
  readonly lockWaitMs: number;
  readonly executionTimeMs: number;
  /** ISO 8601; null when the task never started. */
  readonly startedAt: string | null;
  readonly finishedAt: string;
  readonly usage?: Usage;
  /** Files written although not declared, when that is known. */
  readonly touched?: readonly string[];
  /** Processes that outlived the task. */
  readonly leftovers?: readonly string[];
}
export interface SucceededResult<Output = JsonValue> extends ResultCommon {
  readonly success: true;
  readonly status: "succeeded";
  readonly output: Output;
  readonly errorMessage: null;
  readonly error?: undefined;
}
export interface UnsuccessfulResult<Output = JsonValue> extends ResultCommon {
  readonly success: false;
  readonly status: Exclude<FinalStatus, "succeeded">;
  readonly output: Output | null;
  readonly errorMessage: string;
  readonly error: TaskError;
}
/** How a task ended: a union on `success` and `status`. Plain JSON. */
export type AgentResult<Output = JsonValue> = SucceededResult<Output> | UnsuccessfulResult<Output>;

/** One attempt at one task by one agent. */
export interface AgentInstance {
  readonly instanceId: string;
  readonly agentId: string;
  readonly taskId: string;
  readonly status: LiveStatus;
  readonly resourcesLocked: readonly string[];
  /** ISO 8601. */
  readonly startTime: string;
  /** ISO 8601: the last sign of life. */
  readonly heartbeat: string;
  /** 0 to 1. */
  readonly progress: number;
  readonly detail?: string;
  readonly estimatedCompletionAt: string | null;
  readonly pid?: number;
  readonly machine: string;
}

export type HolderKind = "owned" | "guest" | "in-process";
export type LockType = "file" | "directory" | "service" | "capacity" | "pool" | "rate";

/** What a claim got. Several may stand on one resource, because readers share. */
export interface ResourceLock {
  readonly resourceId: string;
  /** Always an instance id. */
  readonly lockedBy: string;
  readonly lockType: LockType;
  readonly mode: "exclusive" | "shared" | "units";
  readonly units?: number;
  /** Members of a pool, for example ports. */
  readonly members?: readonly string[];
  readonly lockedAt: string;
  /** ISO 8601, derived from the owner's lease; null while the holder lives in this process. */
  readonly expiresAt: string | null;
  readonly fence: number;
  readonly holder: HolderKind;
  readonly quarantined?: boolean;
}
