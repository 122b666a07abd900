/** An agent whose code runs in threads of this process: for work that needs a core of its own. */
import os from "node:os";
import type { ResourceLimits } from "node:worker_threads";
import type { TypedAgent } from "../../core/agent-types.ts";
import { BOUNDS, DEFAULTS, MAX_TIMER_MS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentTask, Claim, JsonObject, JsonValue, StandardSchema } from "../../core/task.ts";
import { checkedConcurrency } from "../function-agent.ts";
import { ThreadPool, type ThreadStatus } from "./thread-pool.ts";

export interface ThreadAgentOptions<Context, Output> {
  /** Threads at most; default: the cores this process may use. */
  readonly concurrency?: number;
  /** Tasks at once in one thread, for work that waits. A task that has to be ended takes the others with it. Default 1. */
  readonly tasksPerThread?: number;
  /** Memory of a thread, as of `new Worker`. A task that exceeds it fails with OUT_OF_MEMORY. */
  readonly resourceLimits?: ResourceLimits;
  readonly context?: StandardSchema<Context>;
  readonly output?: StandardSchema<Output>;
  readonly claims?: (context: Context, task: AgentTask) => readonly Claim[];
  /** Milliseconds between the abort signal and the end of the thread. Default 5,000. */
  readonly graceMs?: number;
  /** Milliseconds after which an idle thread ends. Default 30,000. */
  readonly idleMs?: number;
}

export interface ThreadAgent<Context, Output> extends TypedAgent<Context, Output> {
  /** The threads that live; proof of life of each by `lastTick`. */
  threads(): readonly ThreadStatus[];
  close(): Promise<void>;
}

const DEFAULT_IDLE_MS = 30_000;

/**
 * Runs `run(task, ctx)` of a module in warm threads: `threadAgent(new URL("./worker.js", import.meta.url))`. Threads start
 * with the first task and do not keep the process alive while idle. Fails with SPAWN_FAILED when the module cannot be
 * loaded, OUT_OF_MEMORY, AGENT_EXITED, AGENT_CRASHED, INVALID_OUTPUT when the output cannot be copied. Throws
 * INVALID_OPTION.
 */
export function threadAgent<Context = JsonObject, Output = JsonValue>(
  module: URL | string,
  options: ThreadAgentOptions<Context, Output> = {},
): ThreadAgent<Context, Output> {
  const { context, output, claims, graceMs = DEFAULTS.graceMs, idleMs = DEFAULT_IDLE_MS } = options;
  const threads = checkedConcurrency(options.concurrency ?? os.availableParallelism());
  const tasksPerThread = checkedConcurrency(options.tasksPerThread ?? 1, "tasksPerThread");
  if (tasksPerThread > BOUNDS.pipelinedPerThread) {
    const limit = BOUNDS.pipelinedPerThread;
    throw new LockyardError("INVALID_OPTION", `tasksPerThread is ${tasksPerThread}; it may be ${limit} at most.`);
  }
  const pool = new ThreadPool({
    module: moduleUrl(module),
    threads,
    tasksPerThread,
    graceMs: checkedMs(graceMs, "graceMs"),
    idleMs: checkedMs(idleMs, "idleMs"),
    resourceLimits: options.resourceLimits,
  });
  return {
    kind: "thread",
    holder: "in-process",
    concurrency: threads * tasksPerThread,
    ...(context === undefined ? undefined : { context }),
    ...(output === undefined ? undefined : { output }),
    ...(claims === undefined ? undefined : { claims }),
    // The manager checks the output with the schema before anybody sees it as Output.
    run: (task, ctx) => pool.run(task, ctx) as Promise<Output>,
    threads: () => pool.status(),
    close: () => pool.close(),
  };
}

function moduleUrl(module: URL | string): string {
  const text = String(module);
  if (/^(?:file|data):/.test(text)) return text;
  throw new LockyardError(
    "INVALID_OPTION",
    `The thread module ${JSON.stringify(text.slice(0, 200))} is not a file URL.`,
    {
      hint: 'Write new URL("./worker.js", import.meta.url): a relative path would depend on the working directory.',
    },
  );
}

function checkedMs(value: number, name: string): number {
  if (Number.isFinite(value) && value >= 0 && value <= MAX_TIMER_MS) return value;
  throw new LockyardError("INVALID_OPTION", `${name} is ${value}; it must be 0 to ${MAX_TIMER_MS} milliseconds.`);
}
