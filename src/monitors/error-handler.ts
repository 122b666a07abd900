/** The default error handler: which failures are worth another attempt, and which are only a matter of waiting. */
import type { ErrorCode } from "../core/errors.ts";
import type { Clock, ErrorHandler } from "../core/ports.ts";
import { spreadMs } from "./retry.ts";

/** Waited when an overloaded side does not say how long. */
const OVERLOAD_WAIT_MS = 15_000;

/** A limit that time alone does not lift: the account is empty or blocked. */
const EXHAUSTED = /insufficient[_ ]quota|credit balance|out of credits|billing|payment required/i;

/**
 * Whether another attempt may succeed where the task's policy allows one. What the agent did or said may come out
 * otherwise next time; what a person or a rule decided will not. Every code is listed, so that a new one is decided.
 */
const RETRYABLE: Readonly<Record<ErrorCode, boolean>> = {
  AGENT_FAILED: true,
  AGENT_EXITED: true,
  AGENT_CRASHED: true,
  AGENT_REPORTED_FAILURE: true,
  INVALID_OUTPUT: true,
  RATE_LIMITED: true,
  RUN_TIMEOUT: true,
  IDLE_TIMEOUT: true,
  DEADLOCK: true,
  LOCK_EXPIRED: true,
  STORE_UNAVAILABLE: true,
  STORE_BUSY: true,
  // The same memory would be asked for again; a busy machine is the exception, and then the agent may say so.
  OUT_OF_MEMORY: false,
  SPAWN_FAILED: false,
  // Decided by a person, a limit or another task.
  CANCELLED: false,
  DEADLINE: false,
  QUEUE_TIMEOUT: false,
  INPUT_TIMEOUT: false,
  DEPENDENCY_FAILED: false,
  CONDITION_NOT_MET: false,
  // Something of the attempt may still be alive: a second one beside it is what locks are there to prevent.
  NOT_STOPPED: false,
  OWNER_GONE: false,
  STALE_FENCE: false,
  QUARANTINED: false,
  // The caller's mistakes.
  INVALID_TASK_CALL: false,
  INVALID_CLAIM: false,
  INVALID_CONTEXT: false,
  INVALID_OPTION: false,
  INVALID_PLAN: false,
  INVALID_CONFIG: false,
  TRUST_REQUIRED: false,
  UNKNOWN_AGENT: false,
  UNKNOWN_DEPENDENCY: false,
  UNKNOWN_RESOURCE: false,
  DEPENDENCY_CYCLE: false,
  DUPLICATE_TASK: false,
  OVER_CAPACITY: false,
  LIMIT_EXCEEDED: false,
  CLOSED: false,
  // The machine has to change first.
  STORE_CORRUPT: false,
  STORE_FOREIGN: false,
  STORE_TOO_NEW: false,
  STORE_READ_ONLY: false,
  STORE_FULL: false,
  NODE_TOO_OLD: false,
  BUG: false,
};

/** Whether another attempt at a task that failed with this code may succeed. False for a code this version does not know. */
export function isRetryable(code: ErrorCode): boolean {
  return RETRYABLE[code] === true;
}

/**
 * `RATE_LIMITED` waits (what was asked for, else 15 s; up to 30 % more) and does not spend an attempt, unless the message says
 * that the account is exhausted. Else the error's own word counts, then the code.
 */
export function defaultErrorHandler(clock: Pick<Clock, "random">): ErrorHandler {
  return {
    judge(error, facts) {
      if (error.code === "RATE_LIMITED") {
        if (facts.saysRetryable === false || EXHAUSTED.test(error.message)) return { retryable: false };
        return { retryable: true, waitMs: spreadMs(error.retryAfterMs ?? OVERLOAD_WAIT_MS, () => clock.random()) };
      }
      return { retryable: facts.saysRetryable ?? (error.retryable || isRetryable(error.code)) };
    },
  };
}
