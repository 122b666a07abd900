import type { ResolvedClaim } from "../core/claims.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { Agent } from "../core/ports.ts";
import { isFinal, type NewRow, type OrphanPolicy } from "../core/row.ts";
import type { AgentResult, Claim, HolderKind, TaskStatus, Usage } from "../core/task.ts";
import type { AgentEntry } from "./agent-table.ts";
import type { Attempt } from "./attempt.ts";
import type { Retry } from "./retries.ts";
import type { Task } from "./task.ts";

/** Who is told a result. `index` is the place the sink gave the task. */
export interface ResultSink {
  deliver(index: number, result: AgentResult): void;
}

/** How a task is asked to stop, and what its result will then say. The first to ask wins. */
export interface Stop {
  readonly status: "cancelled" | "timed_out" | "skipped";
  readonly code: ErrorCode;
  readonly message: string;
}

/** What only tasks with dependencies, dependents or a parent have, or those that were retried or joined. */
export class Links {
  /** Dependencies that have not ended yet. */
  waitingFor = 0;
  /** Whether one of the ended ones did not succeed. */
  hasFailed = false;
  /** Results of the dependencies that ended, by task id. Without prototype: ids are anybody's texts. */
  readonly results = Object.create(null) as Record<string, AgentResult>;
  /** Ids it knows a dependency by that joined another task: `[asked for, found]`. */
  readonly aliases: (readonly [string, string])[] = [];
  readonly dependents: TaskRecord[] = [];
  /** The attempt that started this task by `ctx.run`. */
  parent: Attempt | null = null;
  /** Levels of tasks above. */
  depth = 0;
  /** Keys of the holders it runs inside of, nearest first. */
  ancestors: readonly number[] | null = null;
  /** Milliseconds predicted for the longest chain from here on; -1 until somebody asks. */
  criticalPathMs = -1;
  /** Times in a row its paths led elsewhere when it was to start, and what it claims instead once it is back in line. */
  moves = 0;
  movedTo: readonly ResolvedClaim[] | null = null;
  /** Paths it observes, as they were written. */
  observed: readonly string[] = NOTHING;
  /** Path claims that were inferred: nobody but who inferred them could say them again. */
  inferredPaths: readonly Claim[] = NOTHING;
  /** What attempts spent that others followed. */
  usage: Usage | undefined = undefined;
  /** Waits for an overloaded provider that spent no attempt. */
  overloadWaits = 0;
  /** Others who asked for the same result: an idempotency key in use, a cancel that counts. */
  readonly listeners: { readonly sink: ResultSink; readonly index: number }[] = [];
}

const NOTHING: readonly never[] = [];

/**
 * One task as this process knows it, from submission to the delivery of its result. A waiting task is this object, its
 * `Task` and the store's row: everything that only running tasks need is in `Attempt`, everything rare in `Links`. It is
 * also the row to be that the store is handed, so that a million waiting tasks do not exist twice.
 */
export class TaskRecord implements NewRow {
  readonly task: Task;
  readonly #entry: AgentEntry;
  claims: readonly ResolvedClaim[];
  /** Neighbours among the live tasks; kept by the table. */
  before: TaskRecord | null = null;
  after: TaskRecord | null = null;
  /** Key of its row; 0 until the store has it. */
  key = 0;
  /** Where it stands, as far as this process knows. */
  state: TaskStatus = "waiting";
  /** As the scheduler answered when it became eligible. */
  rank = 0;
  /** Whether its id was given by the caller. */
  isNamed = false;
  #sink: ResultSink | null = null;
  #index = 0;
  /** Attempts started that count. */
  attempts = 0;
  /** What runs, or waits to run again. */
  phase: Attempt | Retry | null = null;
  stop: Stop | null = null;
  links: Links | null = null;
  /** What the store was told; it counts once the store has accepted it, which the state says. */
  pending: AgentResult | null = null;
  /** Whole milliseconds since boot: a small number costs no object of its own. */
  submittedAtMs = 0;
  /** Milliseconds all ended attempts ran. */
  ranMs = 0;

  constructor(task: Task, entry: AgentEntry, claims: readonly ResolvedClaim[]) {
    this.task = task;
    this.#entry = entry;
    this.claims = claims;
    task.belongsTo(this);
  }

  get agent(): Agent {
    return this.#entry.agent;
  }

  /** Limits it counts against while it has a slot. */
  get limits(): readonly string[] {
    return this.#entry.limits;
  }

  // ---------------------------------------------------------------- the row to be

  get workflowId(): string {
    return this.task.workflowId;
  }
  get taskId(): string {
    return this.task.taskId;
  }
  get agentId(): string {
    return this.task.agentId;
  }
  get ownerId(): string {
    return this.#entry.ownerId;
  }
  get kind(): "task" {
    return "task";
  }
  get wants(): "locks" {
    return "locks";
  }
  get parentKey(): number {
    return this.links?.parent?.record.key ?? 0;
  }
  get ancestors(): readonly number[] {
    return this.links?.ancestors ?? this.#entry.standing.ancestors;
  }
  get holder(): HolderKind {
    return this.#entry.agent.holder;
  }
  get status(): NewRow["status"] {
    return this.state === "blocked" ? "blocked" : "waiting";
  }
  get queueTimeoutMs(): number {
    return this.task.queueTimeoutMs ?? 0;
  }
  get orphan(): OrphanPolicy {
    return this.#entry.standing.orphan;
  }
  get again(): boolean {
    return this.#entry.standing.runsAgain(this.task.taskId);
  }
  get placeKey(): string {
    return this.#entry.standing.placeKey;
  }
  get isIdUnique(): true {
    return true;
  }
  get leaseMs(): number {
    return this.#entry.standing.leaseMs;
  }
  get label(): string {
    return this.#entry.standing.label || this.task.taskId;
  }
  get payload(): Task {
    return this.task;
  }

  // ---------------------------------------------------------------- the task in this process

  get attempt(): Attempt | null {
    return this.phase?.kind === "attempt" ? this.phase : null;
  }

  /** How it ended; null before that is certain. */
  get result(): AgentResult | null {
    return isFinal(this.state) ? this.pending : null;
  }

  linked(): Links {
    this.links ??= new Links();
    return this.links;
  }

  /** Tells this sink the result: at once when there is one. */
  tell(sink: ResultSink, index: number): void {
    const { result } = this;
    if (result !== null) sink.deliver(index, result);
    else if (this.#sink === null) {
      this.#sink = sink;
      this.#index = index;
    } else this.linked().listeners.push({ sink, index });
  }

  /** Gives the result to everybody who asked, once. */
  deliver(result: AgentResult): void {
    this.pending = result;
    this.state = result.status;
    this.#sink?.deliver(this.#index, result);
    this.#sink = null;
    if (this.links === null) return;
    for (const { sink, index } of this.links.listeners) sink.deliver(index, result);
    this.links.listeners.length = 0;
  }
}
