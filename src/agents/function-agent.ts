/** An agent that is a function of this process. What it starts cannot be killed: it stops when it heeds `ctx.signal`. */
import type { TaskWithContext, TypedAgent } from "../core/agent-types.ts";
import { LockyardError } from "../core/errors.ts";
import type { AgentContext, AgentReport, Awaitable } from "../core/ports.ts";
import type { AgentTask, Claim, JsonObject, JsonValue, StandardSchema } from "../core/task.ts";

/** The output in what a function returns: of a report, the report's. */
export type OutputIn<Returned> = Returned extends AgentReport<infer Output> ? Output : Returned;

export interface FunctionAgentOptions<Context, Output> {
  /** Any Standard Schema: parses `contextData` at submission and gives `task.contextData` its type. */
  readonly context?: StandardSchema<Context>;
  /** Any Standard Schema: checks what `run` returns. */
  readonly output?: StandardSchema<Output>;
  /** Claims that follow from the context, added to those of the call. */
  readonly claims?: (context: Context, task: AgentTask) => readonly Claim[];
  /** Tasks of this agent that may run at once; unlimited when absent. */
  readonly concurrency?: number;
  readonly run: (task: TaskWithContext<Context>, ctx: AgentContext) => Awaitable<Output | AgentReport<Output>>;
}

/**
 * Makes an agent of a function: `functionAgent(async (task, ctx) => ({ ok: true }))`, or of options with schemas, whose
 * types reach `task.contextData` and the result's `output`. What it returns must be JSON, or an `agentReport`. Throws
 * INVALID_OPTION.
 */
export function functionAgent<Returned = JsonValue>(
  run: (task: AgentTask, ctx: AgentContext) => Awaitable<Returned>,
): TypedAgent<JsonObject, OutputIn<Returned>>;
export function functionAgent<Context = JsonObject, Output = JsonValue>(
  options: FunctionAgentOptions<Context, Output>,
): TypedAgent<Context, Output>;
export function functionAgent(
  given: ((task: AgentTask, ctx: AgentContext) => unknown) | FunctionAgentOptions<JsonObject, unknown>,
): TypedAgent<JsonObject, unknown> {
  if (typeof given === "function") return { kind: "function", holder: "in-process", run: given };
  const { context, output, claims, concurrency, run } = given;
  if (typeof run !== "function") {
    throw new LockyardError("INVALID_OPTION", `functionAgent was given ${typeof run} as run; it must be a function.`, {
      hint: "functionAgent(async (task, ctx) => output), or functionAgent({ run, context, output, claims }).",
    });
  }
  return {
    kind: "function",
    holder: "in-process",
    ...(context === undefined ? undefined : { context }),
    ...(output === undefined ? undefined : { output }),
    ...(claims === undefined ? undefined : { claims }),
    ...(concurrency === undefined ? undefined : { concurrency: checkedConcurrency(concurrency) }),
    // The caller parsed `contextData` with `context`, so it is there: that is what the schema is for.
    run: (task, ctx) => run(task as TaskWithContext<JsonObject>, ctx),
  };
}

/** A whole number from 1. Throws INVALID_OPTION. */
export function checkedConcurrency(concurrency: number, name = "concurrency"): number {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1) return concurrency;
  throw new LockyardError("INVALID_OPTION", `${name} is ${concurrency}; it must be a whole number from 1.`);
}
