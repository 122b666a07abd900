import type { Agents } from "../core/agent-types.ts";
import { LockyardError } from "../core/errors.ts";
import type { LockyardEvent } from "../core/events.ts";
import type { JsonValue, TaskCall } from "../core/task.ts";
import type { ExecuteOptions, TaskFilter, TaskManager } from "../engine/parallel-task-manager.ts";
import type { Budget } from "../engine/parts.ts";
import type { ParallelExecutionStatus } from "../engine/status.ts";
import { readStoreStatus, type StoreStatus } from "./store-status.ts";
import { createTaskCall } from "./task-call.ts";
import type { CreatedCall, LayerCall, ResultOf, ResultsOf } from "./typed-calls.ts";

export interface LayerWiring<Manager extends TaskManager, Metrics> {
  readonly manager: Manager;
  readonly metrics: () => Metrics;
  readonly nowMs: () => number;
  readonly root: string;
  readonly resourceId: (node: string) => string;
}

/** Runs task calls. The `MCPIntegrationLayer` of the package is this with the usual parts. */
export class IntegrationLayer<Given extends Agents, Manager extends TaskManager, Metrics> {
  readonly #wiring: LayerWiring<Manager, Metrics>;

  protected constructor(wiring: LayerWiring<Manager, Metrics>) {
    this.#wiring = wiring;
  }

  get workflowId(): string {
    return this.#wiring.manager.workflowId;
  }

  /** The manager behind the layer: handles, progress callbacks, locks. */
  get parallelTaskManager(): Manager {
    return this.#wiring.manager;
  }

  /**
   * Runs several calls at once, each when everything it asks for is free, and waits for all. Results are in the order of
   * the calls, with the types of their agents: tuple in, tuple out. Never rejects because a task failed. Rejects at once,
   * with nothing started and every fault listed, when a call is malformed (INVALID_TASK_CALL, UNKNOWN_AGENT,
   * DEPENDENCY_CYCLE, …), and with STORE_… when the store cannot be opened.
   */
  executeMultipleTaskCalls<const Calls extends readonly LayerCall<Given>[]>(
    calls: Calls,
    options: ExecuteOptions = {},
  ): Promise<ResultsOf<Given, Calls>> {
    const results = this.#wiring.manager.executeParallelTasks(asCalls(calls), { ...options, subject: "calls" });
    return results as Promise<unknown> as Promise<ResultsOf<Given, Calls>>; // the types of the calls decide those of the results
  }

  /** Runs one call. */
  async executeTaskCall<const Call extends LayerCall<Given>>(
    call: Call,
    options: ExecuteOptions = {},
  ): Promise<ResultOf<Given, Call>> {
    const [result] = await this.#wiring.manager.executeParallelTasks(asCalls([call]), { ...options, subject: "calls" });
    return result as unknown as ResultOf<Given, Call>; // one call, one result
  }

  /**
   * Results as they finish. Nothing starts before the first is asked for. Leaving the loop cancels what is left, unless
   * `detach`.
   */
  results<const Calls extends readonly LayerCall<Given>[]>(
    calls: Calls,
    options: ExecuteOptions & { readonly detach?: boolean } = {},
  ): AsyncGenerator<ResultOf<Given, Calls[number]>, void, undefined> {
    const results = this.#wiring.manager.results(asCalls(calls), { ...options, subject: "calls" });
    return results as AsyncGenerator<never, void, undefined>; // as above
  }

  /** The package's `createTaskCall` with the types of this layer's agents: a wrong agent id or context does not compile. */
  createTaskCall<const Call extends LayerCall<Given>>(call: Call): CreatedCall<Given, Call> {
    return createTaskCall(call as unknown as TaskCall) as unknown as CreatedCall<Given, Call>; // as above
  }

  /** What runs and what waits in this process, and why each waits. Synchronous. */
  getParallelExecutionStatus(): ParallelExecutionStatus {
    return this.#wiring.manager.getParallelExecutionStatus();
  }

  /** What the whole store knows, other processes included. */
  async status(): Promise<StoreStatus> {
    const { manager, nowMs, root, resourceId } = this.#wiring;
    return manager.view((view) => {
      const { store } = manager;
      if (store === null) throw new LockyardError("CLOSED", "The store is not open.");
      return readStoreStatus(view, { nowMs: nowMs(), root, store, resourceId });
    });
  }

  /** `true` when every task has its result, `false` after `timeoutMs` (default 300,000). Cancels nothing. */
  waitForAllTasksCompletion(options: { readonly timeoutMs?: number } = {}): Promise<boolean> {
    return this.#wiring.manager.waitForAllTasksCompletion(options);
  }

  /** `cancelTasks` by agent ids; all tasks when none are given. */
  cancelRunningTasks(agentIds?: readonly string[]): Promise<number> {
    return this.cancelTasks(agentIds === undefined ? {} : { agentIds });
  }

  /**
   * Cancels tasks, running and waiting. Resolves after they have ended, their processes gone, with the number that really
   * ended as cancelled; what could not be confirmed is not counted and is listed in the status.
   */
  cancelTasks(filter: TaskFilter = {}): Promise<number> {
    return this.#wiring.manager.cancelTasks(filter);
  }

  /** Figures of everything this layer ran. */
  getTaskExecutionMetrics(): Metrics {
    return this.#wiring.metrics();
  }

  /** Changes limits while tasks run; lowering one stops nothing. Throws INVALID_OPTION. */
  configure(change: { readonly maxConcurrentTasks?: number; readonly limits?: Budget }): void {
    this.#wiring.manager.configure(change);
  }

  /** Events from now on, until the signal aborts or the loop is left. A slow reader is told how many it lost. */
  events(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<LockyardEvent> {
    return this.#wiring.manager.events(options);
  }

  /** Answers a task that waits for input (`ctx.ask`). Throws INVALID_OPTION when it does not. */
  answer(taskId: string, input: JsonValue): void {
    this.#wiring.manager.answer(taskId, input);
  }

  /** Cancels what is left, lets go of the store and closes the agents; with `drain`, lets everything end first. Twice is fine. */
  close(options: { readonly drain?: boolean } = {}): Promise<void> {
    return this.#wiring.manager.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The checker at the edge reads whatever is given; the types have done their part. */
function asCalls(calls: readonly unknown[]): readonly TaskCall[] {
  return calls as readonly TaskCall[];
}
