/**
 * The ports: what a user may replace by passing an object of the same shape. Each is finished when its contract suite is.
 *
 *  store             where state lives and turns are made atomic
 *  agent             performs tasks
 *  clock             time and chance
 *  scheduler         rank(task, facts): a number, asked at the edge, never inside a decision
 *  resourceManager   identifies claims, prepares and disposes what was granted; never judges
 *  progressTracker   estimates completion
 *  monitor           is told every event
 *  errorHandler      decides whether an error is worth another attempt
 */

import type { ResolvedClaim } from "./claims.ts";
import type { Command, Counter, Effect, Owner } from "./command.ts";
import type { TaskError } from "./errors.ts";
import type { LockyardEvent } from "./events.ts";
import type { TaskRow } from "./row.ts";
import type { AgentResult, AgentTask, Claim, HolderKind, JsonValue, ResourceLock, TaskCall, Usage } from "./task.ts";

export type Awaitable<T> = T | Promise<T>;

// ---------------------------------------------------------------- clock

export interface Timer {
  cancel(): void;
}

/** Time and chance. Only `src/clock` touches the real ones. */
export interface Clock {
  /** Milliseconds since boot: monotonic, the same for every process of the machine, fractions allowed. */
  nowMs(): number;
  /** Milliseconds since 1970, for people. Never used in a decision. */
  wallMs(): number;
  /** Calls back once after `delayMs` (clamped to 0 … MAX_TIMER_MS). Does not keep the process alive when `background`. */
  setTimer(delayMs: number, fire: () => void, options?: { readonly background?: boolean }): Timer;
  /** 0 ≤ x < 1. */
  random(): number;
}

// ---------------------------------------------------------------- store

/** What tasks do that need what a task holds that could not be stopped. */
export type QuarantinePolicy = "wait" | "skip" | { readonly takeAfterMs: number };

/** An owner that is gone; `isProven` when everything its tasks started is gone too. */
export interface DeadOwner {
  readonly ownerId: string;
  readonly isProven: boolean;
}

export interface StoreQuery {
  readonly workflowId?: string;
  readonly statuses?: readonly TaskRow["status"][];
  readonly ownerId?: string;
  /** Default 100. */
  readonly limit?: number;
}

export interface Hold {
  readonly row: TaskRow;
  readonly claim: ResolvedClaim;
  readonly members: readonly string[];
}

/** Reads of a store, for status and `why`; each is one consistent look. */
export interface StoreView {
  tasks(query: StoreQuery): readonly TaskRow[];
  count(query: StoreQuery): number;
  task(workflowId: string, taskId: string): TaskRow | undefined;
  /** What `putResult` remembered. */
  result(workflowId: string, taskId: string): unknown;
  /** What was noted under this name; undefined for nothing. */
  note(topic: string): unknown;
  /**
   * What tasks of this name usually run, in milliseconds: the median of the last few that succeeded, in whatever workflow.
   * Null when nothing is known, or when this store does not remember.
   */
  typicalRunMs(task: Pick<TaskRow, "agentId" | "taskId">): number | null;
  /** Holds on a node, above it and below it; every hold when no node is given. */
  holds(query: { readonly node?: string; readonly limit?: number }): readonly Hold[];
  /** Waiters watching a node, in rank order. */
  watchers(node: string, limit: number): readonly TaskRow[];
  /** Waiters before this one at the node it watches. */
  position(row: TaskRow): number;
  counters(): readonly Counter[];
  owners(): readonly Owner[];
  workflows(limit: number): readonly { readonly workflowId: string; readonly total: number; readonly live: number }[];
}

export interface Store {
  readonly kind: "memory" | "sqlite" | "postgres";
  /** How far its locks reach. */
  readonly scope: "process" | "machine" | "cluster";
  /** Human place: `memory`, or a file. */
  readonly location: string;
  /**
   * Makes one turn and commits it. Effects of rows this owner does not own have been told to their owners. A promise when
   * the store may have to wait for its turn; the commands are carried out once or not at all (rejects with STORE_…).
   */
  turn(commands: readonly Command[]): Awaitable<readonly Effect[]>;
  /** Joins as an owner; `onEffects` gets what others' turns did to this owner's rows. */
  join(owner: Owner, onEffects: (effects: readonly Effect[]) => void): Awaitable<void>;
  /** When a turn must run by itself (start time-outs, rates, carry); 0 for never. */
  nextDueAtMs(): number;
  view<T>(read: (view: StoreView) => T): Awaitable<T>;
  close(): Awaitable<void>;
}

/** A store to be: opening loads the driver. `sqliteStore()` is one. */
export interface StoreDescriptor {
  open(context: { readonly clock: Clock }): Promise<Store>;
}

// ---------------------------------------------------------------- agent

export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Locks taken in the middle of a task; released with it, or earlier. */
export interface HeldLocks extends AsyncDisposable {
  readonly fence: number;
  readonly resources: readonly string[];
  /** Members got from pools: `{ ports: ["3000"] }`. */
  readonly members: Readonly<Record<string, readonly string[]>>;
  release(): Promise<void>;
}

/** A process of this machine, told apart from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot at which it started, from /proc; 0 where unknown. */
  readonly startTime: number;
  readonly bootId: string;
  readonly pidNamespace: string;
}

/** A process that an attempt started: with this, whoever outlives us can end it and all it started. */
export interface OwnedProcess extends ProcessIdentity {
  /** Carried by its environment, and so by whatever it starts. */
  readonly marker: string;
  /** Directory of the control group it runs in, where it has one of its own. */
  readonly cgroup?: string;
}

/** What an agent is given beside its task. Made lazily: a trivial task pays for nothing it does not touch. */
export interface AgentContext {
  readonly signal: AbortSignal;
  readonly taskId: string;
  readonly instanceId: string;
  readonly workflowId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly fence: number;
  /** Variables for children of this task: pool members, LOCKYARD_TASK, _INSTANCE, _WORKFLOW, _FENCE, _TOKEN. */
  readonly env: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, AgentResult>>;
  readonly log: Logger;
  /** The time the manager lives by, for agents that wait. */
  readonly clock: Clock;
  /** Told by agents that start processes, as soon as one runs. */
  owns?(process: OwnedProcess): void;
  /** Fraction 0 to 1. Counts as a sign of life. */
  progress(fraction: number, detail?: string): void;
  /** A sign of life without progress. */
  heartbeat(): void;
  /** A piece of output for whoever listens; not kept in the result. */
  emit(chunk: JsonValue): void;
  /** Runs subtasks and waits; this task's slot is given back meanwhile. Results in order. */
  run(calls: readonly TaskCall[]): Promise<AgentResult[]>;
  /** Takes more locks. Throws DEADLOCK at once on a cycle, QUEUE_TIMEOUT after `queueTimeoutMs`. */
  lock(claims: readonly Claim[], options?: { readonly queueTimeoutMs?: number }): Promise<HeldLocks>;
  /** Asks a person; the task is `needs_input` and gives its slot back until `layer.answer`. */
  ask(question: string): Promise<JsonValue>;
  /** Waits until the named rate allows `tokens` more. */
  rate(name: string, tokens?: number): Promise<void>;
}

/** What an agent may return to say more than its output. Made by `agentReport`. */
export interface AgentReport<Output = JsonValue> {
  readonly success: boolean;
  readonly output: Output;
  readonly confidenceScore: number | null;
  readonly evidence: readonly string[];
  readonly errorMessage: string | null;
  readonly usage?: Usage;
  /** Files it wrote although its task did not declare them, when that is known. */
  readonly touched?: readonly string[];
  readonly leftovers?: readonly string[];
}

/** What changed between two looks, whoever changed it. */
export interface Observed {
  /** Absolute paths, in order of their names. */
  readonly changed: readonly string[];
  /** False when there was more than is looked at. */
  readonly isWhole: boolean;
}

/** A first look at a directory: `again` looks a second time and tells the difference. */
export interface FirstLook {
  readonly place: string;
  again(): Promise<Observed>;
}

/** Where an agent's work runs decides how it can be stopped and what proves that it is gone. */
export interface Agent<Context = unknown, Output = unknown> {
  readonly kind: string;
  readonly holder: HolderKind;
  /** Tasks of this agent that may run at once, whatever the workflow allows; unlimited when absent. */
  readonly concurrency?: number;
  /** Milliseconds without a sign of life after which an attempt has timed out, for tasks that do not say. */
  readonly idleTimeoutMs?: number | undefined;
  /** Parses `contextData`, at submission. */
  readonly context?: { readonly "~standard": unknown };
  readonly output?: { readonly "~standard": unknown };
  /** Claims that follow from the context, added to those of the call. */
  claims?(context: Context, task: AgentTask): readonly Claim[];
  /**
   * Looks, before each attempt, at files it may write without having declared them; null when there are none. What changed
   * and was neither declared nor another's stands in `touched` of the result.
   */
  look?(task: AgentTask, clock: Clock): Promise<FirstLook | null>;
  /**
   * Performs one attempt. Settles only when nothing of the attempt runs any more: for an agent that owns processes, after
   * they are proven dead. When `ctx.signal` aborts it must stop; one that does not is quarantined after the grace.
   * Resolves with an output or an `AgentReport`. What it rejects with may carry a `report` member, made by `agentReport`: what
   * the attempt spent and touched counts, however it ended.
   */
  run(task: AgentTask, ctx: AgentContext): Awaitable<Output | AgentReport>;
  close?(): Promise<void>;
}

// ---------------------------------------------------------------- the five replaceable parts

export interface RankFacts {
  readonly nowMs: number;
  /** Sum of predicted milliseconds on the longest chain from this task to the end, itself included. */
  readonly criticalPathMs: number;
  readonly predictedMs: number;
  /** Tasks of the same workflow ranked before this one. */
  readonly rankedBefore: number;
  readonly attempt: number;
}
export interface Scheduler {
  readonly name: string;
  /**
   * Its ranks count from `facts.nowMs`: a second earlier for each second of favour. Workflows that share a store then share
   * it fairly, whatever came first. Absent or false: its ranks stand as they are.
   */
  readonly countsFromNow?: boolean;
  /** Lower runs earlier. Must be finite. Asked once, when the task becomes eligible. */
  rank(task: AgentTask, facts: RankFacts): number;
}

export interface ResourceManager {
  /** Claims inferred from agent type, task type and context; each says from what. */
  identify(task: AgentTask): readonly { readonly claim: Claim; readonly from: string }[];
  /** Called after the grant and before the start; what it returns is added to `ctx.env`. A throw fails the attempt. */
  prepare?(task: AgentTask, locks: readonly ResourceLock[]): Awaitable<Readonly<Record<string, string>> | undefined>;
  /** Called after the end, whatever happened. */
  dispose?(task: AgentTask, locks: readonly ResourceLock[]): Awaitable<void>;
}

export interface ProgressTracker {
  /** Milliseconds since 1970 at which it probably ends, or null when nothing can be said. */
  estimate(sample: {
    readonly startedWallMs: number;
    readonly nowWallMs: number;
    readonly progress: number;
    readonly typicalMs: number | null;
  }): number | null;
}

export interface Monitor {
  /** May be slow, may throw: the engine does not notice. */
  onEvent(event: LockyardEvent): void;
}

export interface ErrorVerdict {
  readonly retryable: boolean;
  /** Overload: wait this long and do not spend an attempt. */
  readonly waitMs?: number;
}
export interface ErrorFacts {
  readonly task: AgentTask;
  readonly attempt: number;
  /** What the error itself said by a boolean `retryable`; absent when it said nothing. */
  readonly saysRetryable?: boolean;
}
export interface ErrorHandler {
  judge(error: TaskError, facts: ErrorFacts): ErrorVerdict;
}
