/** The figures behind `getTaskExecutionMetrics()`: told at the end of each task and wait, read when somebody asks. */

import { agentType } from "../core/agent-type.ts";
import { BOUNDS } from "../core/bounds.ts";
import type { ResolvedClaim } from "../core/claims.ts";
import type { Clock } from "../core/ports.ts";
import type { AgentResult, AgentTask } from "../core/task.ts";
import { Histogram, ParallelTime } from "./stats.ts";

export interface AgentMetrics {
  readonly tasks: number;
  readonly successes: number;
  /** Failed, timed out or skipped; a cancelled task is neither success nor failure. */
  readonly failures: number;
  readonly averageExecutionTimeMs: number;
  readonly retries: number;
  readonly tokens?: number;
  readonly costUsd?: number;
}

export interface ResourceContention {
  readonly resourceId: string;
  /** Waits that ended. */
  readonly waits: number;
  readonly waitMs: number;
  /** Milliseconds it was held, by all holders together. */
  readonly holdMs: number;
}

/** All times in milliseconds; percentiles are within 1 % of the true ones. Averages and percentiles of runs leave out tasks that never started. */
export interface TaskExecutionMetrics {
  readonly totalTasks: number;
  readonly successfulTasks: number;
  /** Failed, timed out or skipped. */
  readonly failedTasks: number;
  readonly cancelledTasks: number;
  readonly averageExecutionTimeMs: number;
  readonly p50ExecutionTimeMs: number;
  readonly p95ExecutionTimeMs: number;
  readonly p50QueuedMs: number;
  readonly p95QueuedMs: number;
  readonly p50LockWaitMs: number;
  readonly p95LockWaitMs: number;
  /** Tasks ended per minute in which something ran. */
  readonly throughputPerMinute: number;
  /** Speed-up over the slots there were, or the tasks when those were fewer: 1 when all of them were used all the time. */
  readonly parallelEfficiency: number;
  /** Time of all instances together over the time in which at least one ran. */
  readonly speedup: number;
  /** The first 1,000 agents; the rest is summed under `(other)`. */
  readonly agentMetrics: Readonly<Record<string, AgentMetrics>>;
  /** Most waited for first; the first 1,000 resources, the rest is summed under `(other)`. */
  readonly resourceContention: readonly ResourceContention[];
}

/** What is left over when a table is full. */
export const OTHER = "(other)";

interface AgentSums {
  tasks: number;
  successes: number;
  failures: number;
  runs: number;
  runMs: number;
  retries: number;
  tokens: number;
  costUsd: number;
  hasTokens: boolean;
  hasCost: boolean;
}
interface ContentionSums {
  waits: number;
  waitMs: number;
  holdMs: number;
}

export interface MetricsOptions {
  readonly clock: Pick<Clock, "nowMs">;
  /** Name of a node for people. */
  readonly resourceId: (node: string) => string;
  /** Tasks that may run at once. */
  readonly slots: () => number;
}

/** Cheap enough to be told of every task: no allocation for a known agent, at most three logarithms. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #run = new Histogram();
  readonly #queued = new Histogram();
  readonly #lockWait = new Histogram();
  readonly #parallel = new ParallelTime();
  readonly #agents = new Map<string, AgentSums>();
  /** By node; twice as many as are shown, so that there is room for those nobody has waited for yet. */
  readonly #resources = new Map<string, ContentionSums>();
  #contended = 0;
  /** Mean logarithm of run times by kind of task. */
  readonly #typical = new Map<string, { runs: number; meanLog: number }>();
  #total = 0;
  #successful = 0;
  #cancelled = 0;

  constructor(options: MetricsOptions) {
    this.#options = options;
  }

  /** A task ended for good. `runMs`: all its attempts together; `heldMs`: how long it held its claims. */
  finished(
    result: AgentResult,
    facts: {
      readonly runMs: number;
      readonly heldMs: number;
      readonly claims: readonly ResolvedClaim[];
      readonly task?: AgentTask;
    },
  ): void {
    const agent = this.#agent(result.agentId);
    this.#total++;
    agent.tasks++;
    if (result.success) {
      this.#successful++;
      agent.successes++;
    } else if (result.status === "cancelled") this.#cancelled++;
    else agent.failures++;
    this.#queued.add(result.queuedMs);
    this.#lockWait.add(result.lockWaitMs);
    if (result.startedAt !== null) {
      this.#run.add(result.executionTimeMs);
      this.#parallel.ran(facts.runMs, this.#options.clock.nowMs());
      agent.runs++;
      agent.runMs += result.executionTimeMs;
      if (result.success) {
        this.#learn(agentType(result.agentId), result.executionTimeMs);
        if (facts.task !== undefined) this.#learn(kindOf(facts.task), result.executionTimeMs);
      }
    }
    if (facts.heldMs > 0) for (const claim of facts.claims) this.#held(claim.node, facts.heldMs);
    if (result.usage !== undefined) addUsage(agent, result.usage);
  }

  /** Another attempt of a task of this agent will follow. */
  retried(agentId: string): void {
    this.#agent(agentId).retries++;
  }

  /** A task stopped waiting at this node after so many milliseconds. */
  waited(node: string, waitedMs: number): void {
    const resource = this.#resource(node.endsWith("/") ? node.slice(0, -1) : node, true);
    if (resource === undefined) return;
    if (resource.waits === 0) this.#contended++;
    resource.waits++;
    resource.waitMs += waitedMs;
  }

  /** How long tasks of this agent type and task type, or else of this agent type, usually run: the geometric mean. Null before one succeeded. */
  typicalMs(task: AgentTask): number | null {
    const known = this.#typical.get(kindOf(task)) ?? this.#typical.get(agentType(task.agentId));
    return known === undefined ? null : Math.exp(known.meanLog);
  }

  snapshot(): TaskExecutionMetrics {
    const parallel = this.#parallel.figures();
    const slots = Math.max(1, Math.min(this.#options.slots(), this.#run.count));
    return {
      totalTasks: this.#total,
      successfulTasks: this.#successful,
      failedTasks: this.#total - this.#successful - this.#cancelled,
      cancelledTasks: this.#cancelled,
      averageExecutionTimeMs: this.#run.mean,
      p50ExecutionTimeMs: this.#run.quantile(0.5),
      p95ExecutionTimeMs: this.#run.quantile(0.95),
      p50QueuedMs: this.#queued.quantile(0.5),
      p95QueuedMs: this.#queued.quantile(0.95),
      p50LockWaitMs: this.#lockWait.quantile(0.5),
      p95LockWaitMs: this.#lockWait.quantile(0.95),
      throughputPerMinute: parallel.busyMs > 0 ? (this.#run.count * 60_000) / parallel.busyMs : 0,
      parallelEfficiency: Math.min(1, parallel.speedup / slots),
      speedup: parallel.speedup,
      // Own properties only, even for an agent called `__proto__`.
      agentMetrics: Object.fromEntries([...this.#agents].map(([agentId, sums]) => [agentId, agentMetrics(sums)])),
      resourceContention: [...this.#resources]
        .filter(([, sums]) => sums.waits > 0)
        .map(([node, sums]) => ({ resourceId: node === OTHER ? OTHER : this.#options.resourceId(node), ...sums }))
        .sort((a, b) => b.waitMs - a.waitMs || b.waits - a.waits),
    };
  }

  #learn(kind: string, runMs: number): void {
    let typical = this.#typical.get(kind);
    if (typical === undefined) {
      if (this.#typical.size >= BOUNDS.agentMetrics) return;
      typical = { runs: 0, meanLog: 0 };
      this.#typical.set(kind, typical);
    }
    // Old runs fade: after 200 of them each new one weighs 1/200.
    typical.runs = Math.min(typical.runs + 1, 200);
    typical.meanLog += (Math.log(Math.max(runMs, 0.001)) - typical.meanLog) / typical.runs;
  }

  #agent(agentId: string): AgentSums {
    const known = this.#agents.get(agentId);
    if (known !== undefined) return known;
    const name = this.#agents.size < BOUNDS.agentMetrics ? agentId : OTHER;
    const sums: AgentSums = this.#agents.get(name) ?? {
      tasks: 0,
      successes: 0,
      failures: 0,
      runs: 0,
      runMs: 0,
      retries: 0,
      tokens: 0,
      costUsd: 0,
      hasTokens: false,
      hasCost: false,
    };
    this.#agents.set(name, sums);
    return sums;
  }

  #held(node: string, heldMs: number): void {
    const resource = this.#resource(node, false);
    if (resource !== undefined) resource.holdMs += heldMs;
  }

  /** A full table gives up what nobody waited for; waits beyond 1,000 resources are summed under `(other)`. */
  #resource(node: string, isWait: boolean): ContentionSums | undefined {
    const known = this.#resources.get(node);
    if (known !== undefined && (known.waits > 0 || !isWait || this.#contended < BOUNDS.contendedResources))
      return known;
    const isFull = this.#contended >= BOUNDS.contendedResources;
    if (isFull && !isWait) return undefined;
    if (this.#resources.size >= 2 * BOUNDS.contendedResources) {
      for (const [name, sums] of this.#resources) if (sums.waits === 0) this.#resources.delete(name);
    }
    const name = isFull ? OTHER : node;
    const sums = this.#resources.get(name) ?? { waits: 0, waitMs: 0, holdMs: 0 };
    this.#resources.set(name, sums);
    return sums;
  }
}

function kindOf(task: AgentTask): string {
  return `${agentType(task.agentId)}\0${task.taskType}`;
}

function addUsage(agent: AgentSums, usage: NonNullable<AgentResult["usage"]>): void {
  const { inputTokens, outputTokens, costUsd } = usage;
  if (inputTokens !== undefined || outputTokens !== undefined) {
    agent.hasTokens = true;
    agent.tokens += (inputTokens ?? 0) + (outputTokens ?? 0);
  }
  if (costUsd !== undefined) {
    agent.hasCost = true;
    agent.costUsd += costUsd;
  }
}

function agentMetrics(sums: AgentSums): AgentMetrics {
  return {
    tasks: sums.tasks,
    successes: sums.successes,
    failures: sums.failures,
    averageExecutionTimeMs: sums.runs === 0 ? 0 : sums.runMs / sums.runs,
    retries: sums.retries,
    ...(sums.hasTokens ? { tokens: sums.tokens } : {}),
    ...(sums.hasCost ? { costUsd: sums.costUsd } : {}),
  };
}
