/**
 * Hands the tasks of a plan to the engine: those that can be named at once, then what `forEach: { from }` unfolds to when
 * its source has ended.
 */
import type { AgentResult, TaskCall } from "../../index.ts";
import { type ExpandedPlan, expandDeferred } from "../../plan/expand.ts";
import type { Member } from "../../plan/member.ts";

/** What the runner needs of the engine. */
export interface PlanEngine {
  results(
    calls: readonly TaskCall[],
    options: { readonly signal?: AbortSignal; readonly deadlineMs?: number; readonly detach?: boolean },
  ): AsyncIterable<AgentResult>;
}

export interface PlanRunnerOptions {
  readonly engine: PlanEngine;
  readonly expanded: ExpandedPlan;
  readonly signal: AbortSignal;
  /** Milliseconds that are left; undefined for no deadline. */
  readonly remainingMs: () => number | undefined;
  /** Told before new members are handed over. */
  readonly onMembers: (members: readonly Member[]) => void;
  /** A list that could not be unfolded: its tasks, and what waits for them, do not run. */
  readonly onFault: (groupId: string, error: unknown) => void;
  /** How tasks ended in an earlier process: they are not run. */
  readonly earlier?: ReadonlyMap<string, AgentResult>;
  /** Those of them that run again all the same, with what was skipped because of them. */
  readonly again?: readonly string[];
}

/** Task calls the engine takes at once. */
const CALLS = 10_000;

export class PlanRunner {
  readonly #options: PlanRunnerOptions;
  readonly #results = new Map<string, AgentResult>();
  readonly #handedOver = new Set<string>();
  readonly #broken = new Set<string>();
  readonly #reading: Promise<void>[] = [];
  #expanded: ExpandedPlan;
  #failure: unknown = null;
  #isStopped = false;
  #leave: () => void = () => undefined;
  readonly #left = new Promise<void>((resolve) => {
    this.#leave = resolve;
  });

  constructor(options: PlanRunnerOptions) {
    this.#options = options;
    this.#expanded = options.expanded;
    for (const [taskId, result] of options.earlier ?? []) {
      this.#results.set(taskId, result);
      this.#handedOver.add(taskId);
    }
    this.#open(this.#withSkipped(options.again ?? []));
    for (const { from } of options.expanded.deferred) this.#unfold(from);
  }

  /** Every member known now. */
  get members(): readonly Member[] {
    return this.#expanded.tasks;
  }

  /** Groups that were never unfolded, with what was wrong told already. */
  get brokenGroups(): ReadonlySet<string> {
    return this.#broken;
  }

  /** Tasks that were handed over and have no result yet. */
  get unfinished(): readonly string[] {
    return [...this.#handedOver].filter((taskId) => !this.#results.has(taskId));
  }

  /** Hands nothing more over. */
  stop(): void {
    this.#isStopped = true;
  }

  /** After `stop`: hands over what is there to be handed over. */
  goOn(): void {
    this.#isStopped = false;
    this.#handOver();
  }

  /** `run` answers with what there is. Nothing is cancelled. */
  leave(): void {
    this.#isStopped = true;
    this.#leave();
  }

  /** How a task ended; undefined while it has not. */
  resultOf(taskId: string): AgentResult | undefined {
    return this.#results.get(taskId);
  }

  /** Tasks that ended without success run again, with what was skipped because of them. Answers with all of those. */
  retry(taskIds: readonly string[]): readonly string[] {
    const again = this.#withSkipped(taskIds);
    this.#open(again);
    return again;
  }

  /** Results in the order of the plan. Rejects when the engine refuses the calls or its store. */
  async run(): Promise<readonly AgentResult[]> {
    this.#handOver();
    await Promise.race([this.#readAll(), this.#left]);
    if (this.#failure !== null) throw this.#failure;
    return this.#expanded.tasks.flatMap(({ call }) => this.#results.get(call.taskId) ?? []);
  }

  async #readAll(): Promise<void> {
    // Reading one submission may begin another.
    for (const reading of this.#reading) await reading;
  }

  #withSkipped(taskIds: readonly string[]): readonly string[] {
    const again = new Set(taskIds.filter((taskId) => this.#results.get(taskId)?.success === false));
    for (let grown = 0; grown < again.size; ) {
      grown = again.size;
      for (const { call } of this.#expanded.tasks) {
        const isSkipped = this.#results.get(call.taskId)?.status === "skipped";
        if (isSkipped && call.dependsOn.some((taskId) => again.has(taskId))) again.add(call.taskId);
      }
    }
    return [...again];
  }

  #open(taskIds: readonly string[]): void {
    for (const taskId of taskIds) {
      this.#results.delete(taskId);
      this.#handedOver.delete(taskId);
    }
  }

  #handOver(): void {
    if (this.#isStopped) return;
    const fresh = this.#expanded.tasks.filter(
      ({ call, waitsFor }) => waitsFor.length === 0 && !this.#handedOver.has(call.taskId),
    );
    if (fresh.length === 0) return;
    this.#options.onMembers(fresh);
    for (const { call } of fresh) this.#handedOver.add(call.taskId);
    const calls = dependenciesFirst(fresh);
    // All parts in one go: what ends between two of them could be forgotten by the time it is depended on.
    for (let from = 0; from < calls.length; from += CALLS)
      this.#reading.push(this.#read(calls.slice(from, from + CALLS)));
  }

  async #read(calls: readonly TaskCall[]): Promise<void> {
    const { engine, signal, remainingMs } = this.#options;
    const deadlineMs = remainingMs();
    try {
      const results = engine.results(calls, { signal, ...(deadlineMs === undefined ? {} : { deadlineMs }) });
      for await (const result of results) this.#take(result);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #take(result: AgentResult): void {
    this.#results.set(result.taskId, result);
    this.#unfold(result.taskId);
    this.#handOver();
  }

  /** What a result is the list for becomes tasks. */
  #unfold(taskId: string): void {
    const result = this.#results.get(taskId);
    if (result === undefined) return;
    for (const { id, from } of this.#expanded.deferred) {
      if (from !== taskId || this.#broken.has(id)) continue;
      try {
        this.#expanded = expandDeferred(this.#expanded, id, { result: result.success ? result : undefined });
      } catch (error) {
        this.#broken.add(id);
        this.#options.onFault(id, error);
      }
    }
  }
}

/** In an order in which what a task depends on comes before it; plans of one part need none. */
function dependenciesFirst(members: readonly Member[]): readonly TaskCall[] {
  const calls = members.map(({ call }) => call);
  if (calls.length <= CALLS) return calls;
  const byId = new Map(calls.map((call) => [call.taskId, call]));
  const missing = new Map(calls.map((call) => [call.taskId, call.dependsOn.filter((id) => byId.has(id)).length]));
  const dependents = new Map<string, string[]>();
  for (const { taskId, dependsOn } of calls) {
    for (const id of dependsOn) push(dependents, id, taskId);
  }
  const order = calls.filter(({ taskId }) => missing.get(taskId) === 0);
  for (const { taskId } of order) {
    for (const id of dependents.get(taskId) ?? []) {
      const left = (missing.get(id) ?? 0) - 1;
      missing.set(id, left);
      const call = byId.get(id);
      if (left === 0 && call !== undefined) order.push(call);
    }
  }
  return order;
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
