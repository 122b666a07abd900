/**
 * Three kinds of error, three fates: the caller's mistake is thrown at once (`LockyardError`), a task's failure is plain
 * data in its result (`TaskError`), our own bug fails an `invariant` and the turn is rolled back. They are recognised by
 * `code`, never by `instanceof`: two copies of the package may meet in one process.
 */
export type ErrorCode =
  // the caller's mistakes
  | "INVALID_TASK_CALL"
  | "INVALID_CLAIM"
  | "INVALID_CONTEXT"
  | "INVALID_OPTION"
  | "INVALID_PLAN"
  | "INVALID_CONFIG"
  | "TRUST_REQUIRED"
  | "UNKNOWN_AGENT"
  | "UNKNOWN_DEPENDENCY"
  | "UNKNOWN_RESOURCE"
  | "DEPENDENCY_CYCLE"
  | "DUPLICATE_TASK"
  | "OVER_CAPACITY"
  | "LIMIT_EXCEEDED"
  | "CLOSED"
  // how a task can fail
  | "AGENT_FAILED"
  | "AGENT_EXITED"
  | "AGENT_CRASHED"
  | "AGENT_REPORTED_FAILURE"
  | "INVALID_OUTPUT"
  | "RATE_LIMITED"
  | "QUEUE_TIMEOUT"
  | "RUN_TIMEOUT"
  | "IDLE_TIMEOUT"
  | "INPUT_TIMEOUT"
  | "DEADLINE"
  | "CANCELLED"
  | "DEADLOCK"
  | "LOCK_EXPIRED"
  | "DEPENDENCY_FAILED"
  | "CONDITION_NOT_MET"
  | "OUT_OF_MEMORY"
  | "NOT_STOPPED"
  | "OWNER_GONE"
  | "STALE_FENCE"
  | "QUARANTINED"
  | "SPAWN_FAILED"
  // the store
  | "STORE_UNAVAILABLE"
  | "STORE_BUSY"
  | "STORE_CORRUPT"
  | "STORE_FOREIGN"
  | "STORE_TOO_NEW"
  | "STORE_READ_ONLY"
  | "STORE_FULL"
  | "NODE_TOO_OLD"
  // ours
  | "BUG";

/** One thing wrong with an input: where it is, what is wrong, how to put it right. */
export interface Fault {
  /** `tasks[3].claims[0]`, or `plan.yaml:17:16`. */
  readonly where: string;
  readonly what: string;
  readonly hint?: string;
}

export interface LockyardErrorOptions {
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  readonly faults?: readonly Fault[];
}

/** What Lockyard throws at a caller. `code` says which, `hint` how to go on, `faults` lists every fault of an input. */
export class LockyardError extends Error {
  override readonly name = "LockyardError";
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly faults: readonly Fault[];

  constructor(code: ErrorCode, message: string, options: LockyardErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.faults = options.faults ?? [];
  }
}

/** How a task failed: plain JSON, never an Error object. Holds no secret, prompt or payload. */
export interface TaskError {
  readonly code: ErrorCode;
  readonly message: string;
  /** Whether the error handler thinks that another attempt may succeed. */
  readonly retryable: boolean;
  /** Milliseconds the other side asked to wait. */
  readonly retryAfterMs?: number;
  readonly cause?: string;
}

/** Fails with code BUG when a statement that must hold does not. */
export function invariant(condition: unknown, what: string): asserts condition {
  if (!condition)
    throw new LockyardError("BUG", `invariant broken: ${what}`, {
      hint: "This is a bug in Lockyard; please report it.",
    });
}

/** The code of anything thrown, by shape. */
export function errorCode(error: unknown): string | undefined {
  return typeof error === "object" && error !== null && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
