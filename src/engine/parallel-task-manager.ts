import { BOUNDS, DEFAULTS } from "../core/bounds.ts";
import type { Command } from "../core/command.ts";
import { invariant, LockyardError } from "../core/errors.ts";
import type { LockyardEvent } from "../core/events.ts";
import type { StoreView } from "../core/ports.ts";
import type {
  AgentInstance,
  AgentResult,
  AgentTask,
  JsonValue,
  ResourceLock,
  TaskCall,
  TaskGroups,
} from "../core/task.ts";
import type { Due } from "./agenda.ts";
import type { ProgressCallback } from "./notices.ts";
import type { Budget, ManagerParts } from "./parts.ts";
import { ResourceClaims } from "./resource-claims.ts";
import { CancelCount, ResultQueue, TaskHandle } from "./result-sinks.ts";
import { instancesOf, locksOf, type ParallelExecutionStatus, waitingOf } from "./status.ts";
import type { Place, PreparedTasks } from "./submission.ts";
import { TaskEngine } from "./task-engine.ts";
import type { Stop, TaskRecord } from "./task-record.ts";

export interface ExecuteOptions {
  /** Aborting cancels what has not ended; results say `cancelled`, nothing rejects. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which what has not ended is `timed_out` with code DEADLINE. */
  readonly deadlineMs?: number | undefined;
}

export interface ResultsOptions extends ExecuteOptions {
  /** Leaving the loop lets the rest run on; otherwise it is cancelled. */
  readonly detach?: boolean;
  /** Name of the list in faults; default `tasks`. */
  readonly subject?: string;
}

export interface TaskFilter {
  readonly taskIds?: readonly string[] | undefined;
  readonly agentIds?: readonly string[] | undefined;
  readonly workflowId?: string | undefined;
}

/**
 * Runs tasks in parallel, each when everything it asks for is free. `ParallelTaskManager` of the package is this with the
 * usual parts.
 */
export class TaskManager {
  readonly #engine: TaskEngine;
  readonly #parts: ManagerParts;

  protected constructor(parts: ManagerParts) {
    this.#parts = parts;
    this.#engine = new TaskEngine(parts, (task) => this.identifyRequiredResources(task));
  }

  get workflowId(): string {
    return this.#parts.workflowId;
  }

  /**
   * Runs tasks and waits for all of them. Results are in the order of the tasks; a task that fails is a result, never a
   * rejection. Rejects at once, with nothing started, when a task is malformed (every fault is listed) or the store cannot
   * be opened.
   */
  executeParallelTasks(tasks: readonly TaskCall[], options: ResultsOptions = {}): Promise<AgentResult[]> {
    // No async function: its frame would keep the calls until the last of them has ended.
    try {
      checkOptions(options);
      return this.#whenAllEnded(this.#engine.submit(tasks, options.subject ?? "tasks"), options);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async #whenAllEnded({ places, fresh }: PreparedTasks, options: ExecuteOptions): Promise<AgentResult[]> {
    const engine = this.#engine;
    const results = engine.gather(places);
    const stopWatching = this.#watch(fresh, options);
    try {
      if (!engine.isOpen) await engine.open();
      return await results;
    } finally {
      stopWatching();
    }
  }

  /** Hands one task over. Throws when it is malformed; how it ended is in the handle's `result`, which never rejects. */
  submit(task: TaskCall): TaskHandle {
    const [handle] = this.submitAll([task]);
    invariant(handle !== undefined, "one call has one handle");
    return handle;
  }

  /** Hands tasks over together; they may depend on each other. Throws when one is malformed, and none was started then. */
  protected submitAll(tasks: readonly TaskCall[]): readonly TaskHandle[] {
    const engine = this.#engine;
    const handles = engine.submit(tasks, "tasks").places.map((place) => this.#handleOf(place));
    if (!engine.isOpen) this.#openInBackground();
    return handles;
  }

  #handleOf(place: Place): TaskHandle {
    const taskId = typeof place === "object" ? place.task.taskId : place;
    const handle = new TaskHandle(taskId, () =>
      this.#cancelAll(typeof place === "object" && place.result === null ? [place] : []),
    );
    if (typeof place === "object") place.tell(handle, 0);
    else {
      const finished = this.#engine.table.resultOf(taskId);
      if (finished !== undefined) handle.deliver(0, finished);
    }
    return handle;
  }

  /**
   * Results as they finish. Nothing starts before the first is asked for. Leaving the loop cancels what is left, unless
   * `detach`. The first step rejects when a task is malformed.
   */
  async *results(
    tasks: readonly TaskCall[],
    options: ResultsOptions = {},
  ): AsyncGenerator<AgentResult, void, undefined> {
    const engine = this.#engine;
    checkOptions(options);
    const { places, fresh } = engine.submit(tasks, options.subject ?? "tasks");
    const queue = new ResultQueue();
    for (const [index, place] of places.entries()) {
      const finished = typeof place === "string" ? engine.table.resultOf(place) : undefined;
      if (typeof place === "object") place.tell(queue, index);
      else if (finished !== undefined) queue.deliver(index, finished);
    }
    const stopWatching = this.#watch(fresh, options);
    let left = places.length;
    try {
      if (!engine.isOpen) await engine.open();
      for (; left > 0; left--) yield await queue.next();
    } finally {
      stopWatching();
      if (left > 0 && options.detach !== true)
        this.#stopAll(fresh, (id) => cancelled(id, "nobody reads its result any more"));
    }
  }

  /** Instances that run in this process, by instance id. */
  getRunningInstances(): Readonly<Record<string, AgentInstance>> {
    return instancesOf(this.#engine);
  }

  /** Locks held by instances of this process, by resource id. Several on one resource, because readers share. */
  getResourceLocks(): Readonly<Record<string, readonly ResourceLock[]>> {
    return locksOf(this.#engine);
  }

  /** What runs and what waits in this process, and why. */
  getParallelExecutionStatus(): ParallelExecutionStatus {
    const engine = this.#engine;
    const waitingCount = engine.table.unfinished - engine.table.attempts.size;
    const view = <T>(read: (view: StoreView) => T): T | undefined => {
      if (!engine.isOpen) return undefined;
      const answer = engine.view(read);
      if (!(answer instanceof Promise)) return answer;
      // A store that must be waited for cannot explain in a synchronous call; `status()` asks it.
      answer.catch(() => undefined);
      return undefined;
    };
    return {
      workflowId: this.#parts.workflowId,
      runningInstances: instancesOf(engine),
      resourceLocks: locksOf(engine),
      waiting: view((look) => waitingOf(engine, look)) ?? waitingOf(engine, null),
      waitingCount,
      concurrency: { ...engine.concurrency, running: engine.table.attempts.size, waiting: waitingCount },
      staleResults: engine.dispatcher.fates.staleResults,
    };
  }

  /** Asks the whole store, other processes included. Opens it when nothing ran yet. */
  async view<T>(read: (view: StoreView) => T): Promise<T> {
    await this.#engine.open();
    return this.#engine.view(read);
  }

  /** Where the state lives and how far its locks reach; null before the first task. */
  get store(): TaskEngine["storeFacts"] {
    const facts = this.#engine.storeFacts;
    return facts === null ? null : { kind: facts.kind, scope: facts.scope, location: facts.location };
  }

  /** Told the progress of every instance. May be async, may throw: nobody notices. Returns how to stop it. */
  addProgressCallback(callback: ProgressCallback): () => void {
    const { progressCallbacks } = this.#engine.notices;
    if (typeof callback !== "function")
      throw new LockyardError(
        "INVALID_OPTION",
        `addProgressCallback was given ${typeof callback}; it must be a function.`,
      );
    if (progressCallbacks.size >= BOUNDS.progressCallbacks) {
      throw new LockyardError(
        "LIMIT_EXCEEDED",
        `${progressCallbacks.size} progress callbacks are registered and the limit is ${BOUNDS.progressCallbacks}.`,
        { hint: "Call what addProgressCallback returned when a listener goes away." },
      );
    }
    // Wrapped: the same function may be added twice and removed once.
    const added: ProgressCallback = (instanceId, progress, detail) => callback(instanceId, progress, detail);
    progressCallbacks.add(added);
    return () => {
      progressCallbacks.delete(added);
    };
  }

  /** The five groups people see tasks under. A view: never a barrier between tasks. */
  groupTasksByResourceRequirements<Task extends TaskCall>(tasks: readonly Task[]): TaskGroups<Task> {
    const groups: TaskGroups<Task> = {
      backendTasks: [],
      frontendTasks: [],
      documentationTasks: [],
      validationTasks: [],
      generalTasks: [],
    };
    for (const task of tasks) groups[`${this.#parts.groupOf(task as unknown as AgentTask)}Tasks`].push(task); // it reads what calls have
    return groups;
  }

  /**
   * What a task needs beyond its own `claims`, inferred from agent type, task type and context. Override it, call `super`
   * and `add`: `claims.add("gpu_compute")`, `claims.add("schema", { mode: "shared" })`. Called once, when the task is handed
   * over; a throw refuses the task.
   */
  protected identifyRequiredResources(task: AgentTask): ResourceClaims {
    return new ResourceClaims(this.#parts.resourceManager.identify(task), this.#parts.isDeclared);
  }

  /** `true` when every task has its result, `false` after `timeoutMs`. Cancels nothing. */
  waitForAllTasksCompletion({
    timeoutMs = DEFAULTS.waitForAllTimeoutMs,
  }: {
    readonly timeoutMs?: number;
  } = {}): Promise<boolean> {
    return this.#engine.whenIdle(timeoutMs);
  }

  /**
   * Cancels tasks, waiting or running; all when no filter is given. Resolves after they have ended with the number that
   * really ended as cancelled: what finished meanwhile or could not be stopped is not counted. With a `workflowId` it also
   * reaches tasks of that workflow which other processes run on a shared store.
   */
  cancelTasks(filter: TaskFilter = {}): Promise<number> {
    const taskIds = filter.taskIds === undefined ? null : new Set(filter.taskIds);
    const agentIds = filter.agentIds === undefined ? null : new Set(filter.agentIds);
    const isMeant = ({ taskId, agentId }: { readonly taskId: string; readonly agentId: string }) =>
      (taskIds === null || taskIds.has(taskId)) && (agentIds === null || agentIds.has(agentId));
    const { workflowId } = filter;
    const isOurs = workflowId === undefined || workflowId === this.#parts.workflowId;
    const records = isOurs ? [...this.#engine.table.records()] : [];
    const own = this.#cancelAll(records.filter((record) => isMeant(record.task) && record.result === null));
    // No async function: who counts hears of it no later than who reads the results.
    return workflowId === undefined ? own : this.#cancelElsewhere(own, isMeant, workflowId);
  }

  async #cancelElsewhere(
    own: Promise<number>,
    isMeant: (task: { readonly taskId: string; readonly agentId: string }) => boolean,
    workflowId: string,
  ): Promise<number> {
    await this.#engine.open();
    if (this.#engine.storeFacts?.scope === "process") return own;
    const [here, there] = await Promise.all([own, this.#engine.neighbours.cancel(isMeant, workflowId)]);
    return here + there;
  }

  /** Changes limits while tasks run. Lowering stops nothing: fewer start until the number fits. */
  configure(change: { readonly maxConcurrentTasks?: number; readonly limits?: Budget }): void {
    this.#engine.configure(change);
  }

  /** Events from now on. A reader that is too slow is told how many it lost. */
  events({ signal }: { readonly signal?: AbortSignal | undefined } = {}): AsyncIterableIterator<LockyardEvent> {
    return this.#engine.hub.read(signal);
  }

  /** Answers a task that asked (`ctx.ask`). Throws INVALID_OPTION when it does not ask. */
  answer(taskId: string, input: JsonValue): void {
    if (!this.#engine.control.answer(taskId, input)) {
      throw new LockyardError("INVALID_OPTION", `Task ${taskId} does not wait for an answer.`);
    }
  }

  /** Starts nothing more until `resume`; what runs goes on. Waiting tasks are `suspended` meanwhile. */
  pause(reason = "paused"): void {
    this.#engine.control.pause(reason);
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.#engine.control.resume();
  }

  /**
   * Cancels what is left and lets go of the store; with `drain`, lets everything end first; with `leave`, what has not started
   * stays in the store without an owner (nothing may run then). Twice is fine.
   */
  close({ drain = false, leave = false }: { readonly drain?: boolean; readonly leave?: boolean } = {}): Promise<void> {
    return this.#engine.close({ drain, leave });
  }

  /** Notes something in the store, for people and later processes; null forgets it. */
  protected remember(topic: string, note: unknown): void {
    this.#engine.turns.push({ type: "note", topic, note }, null);
  }

  /** Tells the store what is no task's business. */
  protected push(command: Extract<Command, { type: "renew" | "tell" }>): void {
    this.#engine.turns.push(command, null);
  }

  /** Tasks that have ended may be handed over again. */
  protected forget(taskIds: readonly string[]): void {
    for (const taskId of taskIds) this.#engine.table.forget(taskId);
  }

  /** Tasks of this process that hold locks or run; what waits is not counted. */
  protected get runningCount(): number {
    return this.#engine.table.attempts.size;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Cancels at the signal, times out at the deadline. Returns how to stop watching. */
  #watch(records: readonly TaskRecord[], { signal, deadlineMs }: ExecuteOptions): () => void {
    if (signal === undefined && deadlineMs === undefined) return nothing;
    const { agenda } = this.#engine;
    const onAbort = () => this.#stopAll(records, (id) => cancelled(id, "its signal was aborted"));
    const deadline: Due = {
      dueAtMs: 0,
      place: -1,
      onDue: () =>
        this.#stopAll(records, (id) => ({
          status: "timed_out",
          code: "DEADLINE",
          message: `Task ${id} had not ended ${deadlineMs?.toLocaleString("en")} ms after it was handed over, which is its deadlineMs.`,
        })),
    };
    if (signal?.aborted === true) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    if (deadlineMs !== undefined) agenda.set(deadline, this.#parts.clock.nowMs() + deadlineMs);
    return () => {
      signal?.removeEventListener("abort", onAbort);
      agenda.clear(deadline);
      agenda.rest();
    };
  }

  #stopAll(records: readonly TaskRecord[], stop: (taskId: string) => Stop): void {
    for (const record of records) this.#engine.cancel(record, stop(record.task.taskId));
  }

  #cancelAll(records: readonly TaskRecord[]): Promise<number> {
    const count = new CancelCount(records);
    this.#stopAll(records, (id) => cancelled(id, ""));
    return count.promise;
  }

  #openInBackground(): void {
    // A store that does not open ends every task with its error: the handles say so.
    this.#engine.open().catch(nothing);
  }
}

function nothing(): void {}

function cancelled(taskId: string, why: string): Stop {
  return {
    status: "cancelled",
    code: "CANCELLED",
    message: why === "" ? `Task ${taskId} was cancelled.` : `Task ${taskId} was cancelled because ${why}.`,
  };
}

function checkOptions({ signal, deadlineMs }: ExecuteOptions): void {
  if (deadlineMs !== undefined && !(typeof deadlineMs === "number" && deadlineMs >= 0)) {
    throw new LockyardError(
      "INVALID_OPTION",
      `deadlineMs is ${String(deadlineMs)}; it must be 0 or more milliseconds.`,
    );
  }
  if (signal !== undefined && typeof signal.addEventListener !== "function") {
    throw new LockyardError("INVALID_OPTION", "signal must be an AbortSignal.");
  }
}
