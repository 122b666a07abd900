/**
 * Anything thrown → the plain `TaskError` of a result.
 *
 *  E1 this never throws, whatever it is given: getters that throw, revoked proxies, symbols, cycles of causes
 *  E2 what it returns is JSON, and its size is bounded
 *  E3 no payload: only `message` is taken, never other members
 */
import { BOUNDS } from "./bounds.ts";
import type { ErrorCode, TaskError } from "./errors.ts";
import { readMember } from "./member.ts";
import { retryAfterOf } from "./retry-after.ts";

/** Causes that are followed. */
const DEPTH = 5;

export interface DescribeOptions {
  /** Milliseconds since 1970: lets `Retry-After` be a date. */
  readonly wallMs?: number;
  /** The code when nothing more is known; default AGENT_FAILED. */
  readonly code?: ErrorCode;
}

/** Describes anything thrown. Overload (429, `Retry-After`) becomes RATE_LIMITED, `{ retryable: true }` is believed. */
export function describeError(thrown: unknown, options: DescribeOptions = {}): TaskError {
  const chain = chainOf(thrown);
  const overload = chain.map((link) => retryAfterOf(link, options.wallMs)).find((found) => found !== undefined);
  const code = overload === undefined ? codeOf(chain, options.code ?? "AGENT_FAILED") : "RATE_LIMITED";
  const causes = chain.slice(1).map(messageOf);
  return {
    code,
    message: cap(messageOf(thrown)),
    retryable: overload !== undefined || isRetryable(chain),
    ...(overload?.retryAfterMs === undefined ? undefined : { retryAfterMs: overload.retryAfterMs }),
    ...(causes.length === 0 ? undefined : { cause: cap(causes.join(" ← ")) }),
  };
}

/** What was thrown and its causes, nearest first: no cycles, at most five. The first of several errors counts as a cause. */
function chainOf(thrown: unknown): readonly unknown[] {
  const chain: unknown[] = [thrown];
  for (let link = thrown; chain.length <= DEPTH; ) {
    const next = readMember(link, "cause") ?? readMember(readMember(link, "errors"), "0");
    if (next === undefined || next === null || chain.includes(next)) break;
    chain.push(next);
    link = next;
  }
  return chain;
}

function messageOf(thrown: unknown): string {
  switch (typeof thrown) {
    case "string":
      return thrown === "" ? "The agent threw an empty string, which is not an Error." : thrown;
    case "symbol":
    case "number":
    case "boolean":
    case "bigint":
    case "undefined":
      return `The agent threw ${String(thrown)}, which is not an Error.`;
    case "function":
      return "The agent threw a function, which is not an Error.";
    case "object": {
      if (thrown === null) return "The agent threw null, which is not an Error.";
      const message = readMember(thrown, "message");
      if (typeof message === "string" && message !== "") return message;
      const name = readMember(thrown, "name") ?? readMember(readMember(thrown, "constructor"), "name");
      return `The agent threw ${typeof name === "string" && name !== "" ? name : "an object"} without a message.`;
    }
  }
}

function codeOf(chain: readonly unknown[], otherwise: ErrorCode): ErrorCode {
  const [thrown] = chain;
  const code = readMember(thrown, "code");
  if (readMember(thrown, "name") === "LockyardError" && isErrorCode(code)) return code;
  if (readMember(thrown, "name") === "AbortError") return "CANCELLED";
  if (chain.some((link) => readMember(link, "code") === "ERR_WORKER_OUT_OF_MEMORY")) return "OUT_OF_MEMORY";
  return otherwise;
}

/** Codes of the network and of HTTP that usually pass by themselves. */
const PASSING: ReadonlySet<unknown> = new Set(
  "ECONNRESET ECONNREFUSED ETIMEDOUT EPIPE EAI_AGAIN ENETUNREACH UND_ERR_SOCKET UND_ERR_CONNECT_TIMEOUT".split(" "),
);
const PASSING_STATUS: ReadonlySet<unknown> = new Set([408, 425, 500, 502, 503, 504, 529]);

function isRetryable(chain: readonly unknown[]): boolean {
  const said = chain.map((link) => readMember(link, "retryable")).find((value) => typeof value === "boolean");
  if (typeof said === "boolean") return said;
  return chain.some(
    (link) =>
      PASSING.has(readMember(link, "code")) ||
      PASSING_STATUS.has(readMember(link, "status")) ||
      PASSING_STATUS.has(readMember(link, "statusCode")),
  );
}

function cap(text: string): string {
  const limit = BOUNDS.errorMessageChars;
  const kept = text.length <= limit ? text : `${text.slice(0, limit)}… (${text.length - limit} more characters)`;
  return kept.toWellFormed();
}

/** Every code, so that a code read from an error can be believed. The compiler keeps the list whole. */
const CODES: Readonly<Record<ErrorCode, true>> = {
  INVALID_TASK_CALL: true,
  INVALID_CLAIM: true,
  INVALID_CONTEXT: true,
  INVALID_OPTION: true,
  INVALID_PLAN: true,
  INVALID_CONFIG: true,
  TRUST_REQUIRED: true,
  UNKNOWN_AGENT: true,
  UNKNOWN_DEPENDENCY: true,
  UNKNOWN_RESOURCE: true,
  DEPENDENCY_CYCLE: true,
  DUPLICATE_TASK: true,
  OVER_CAPACITY: true,
  LIMIT_EXCEEDED: true,
  CLOSED: true,
  AGENT_FAILED: true,
  AGENT_EXITED: true,
  AGENT_CRASHED: true,
  AGENT_REPORTED_FAILURE: true,
  INVALID_OUTPUT: true,
  RATE_LIMITED: true,
  QUEUE_TIMEOUT: true,
  RUN_TIMEOUT: true,
  IDLE_TIMEOUT: true,
  INPUT_TIMEOUT: true,
  DEADLINE: true,
  CANCELLED: true,
  DEADLOCK: true,
  LOCK_EXPIRED: true,
  DEPENDENCY_FAILED: true,
  CONDITION_NOT_MET: true,
  OUT_OF_MEMORY: true,
  NOT_STOPPED: true,
  OWNER_GONE: true,
  STALE_FENCE: true,
  QUARANTINED: true,
  SPAWN_FAILED: true,
  STORE_UNAVAILABLE: true,
  STORE_BUSY: true,
  STORE_CORRUPT: true,
  STORE_FOREIGN: true,
  STORE_TOO_NEW: true,
  STORE_READ_ONLY: true,
  STORE_FULL: true,
  NODE_TOO_OLD: true,
  BUG: true,
};

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === "string" && Object.hasOwn(CODES, code);
}
