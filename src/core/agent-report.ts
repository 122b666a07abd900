/**
 * What an agent may say beyond its output, and how. A report is recognised by a registered symbol, never by `instanceof`:
 * the agent may have been written against another copy of this package.
 */
import { LockyardError } from "./errors.ts";
import type { AgentReport } from "./ports.ts";
import type { JsonValue, Usage } from "./task.ts";

const REPORT = Symbol.for("lockyard.agent-report");

export interface ReportFields<Output> {
  /** Default: true, unless `errorMessage` is given. */
  readonly success?: boolean;
  readonly output: Output;
  /** 0 to 1, as the agent judges itself. */
  readonly confidenceScore?: number | null;
  readonly evidence?: readonly string[];
  readonly errorMessage?: string | null;
  readonly usage?: Usage;
  /** Files that were written although the task did not declare them. */
  readonly touched?: readonly string[];
  readonly leftovers?: readonly string[];
}

/**
 * Says more than an output: `return agentReport({ output, confidenceScore: 0.8, evidence: ["12 tests pass"] })`. With
 * `success: false` the task ends `failed` with AGENT_REPORTED_FAILURE and keeps its output.
 */
export function agentReport<Output = JsonValue>(fields: ReportFields<Output>): AgentReport<Output> {
  const { output, usage, touched, leftovers, errorMessage = null, confidenceScore = null, evidence = [] } = fields;
  const report: AgentReport<Output> = {
    success: fields.success ?? errorMessage === null,
    output,
    confidenceScore,
    evidence,
    errorMessage,
    ...(usage === undefined ? undefined : { usage }),
    ...(touched === undefined ? undefined : { touched }),
    ...(leftovers === undefined ? undefined : { leftovers }),
  };
  return Object.defineProperty(report, REPORT, { value: true });
}

/** Whether an agent returned a report, rather than an output. Never throws, whatever it is given. */
export function isAgentReport(value: unknown): value is AgentReport {
  if (typeof value !== "object" || value === null) return false;
  try {
    return (value as { readonly [REPORT]?: unknown })[REPORT] === true; // a cast to ask: anything may be missing
  } catch {
    return false;
  }
}

/** What `rateLimited` makes; any error that carries 429 or `Retry-After` is understood the same way. */
export interface RateLimitedError extends LockyardError {
  readonly retryable: true;
  readonly retryAfterMs: number;
}

/** `throw rateLimited({ retryAfterMs: 20_000 })`: the task waits that long and does not spend an attempt. */
export function rateLimited(options: { readonly retryAfterMs: number; readonly message?: string }): RateLimitedError {
  const { retryAfterMs, message = `The other side asked to wait ${retryAfterMs} ms.` } = options;
  if (!Number.isFinite(retryAfterMs) || retryAfterMs < 0) {
    throw new LockyardError("INVALID_OPTION", `retryAfterMs is ${retryAfterMs}; it must be 0 or more milliseconds.`);
  }
  return Object.assign(new LockyardError("RATE_LIMITED", message), { retryable: true, retryAfterMs } as const);
}
