/** What the process answers its caller. */
export const EXIT = {
  ok: 0,
  /** Some task did not succeed; something asked for was not done. */
  failed: 1,
  /** Bad usage, plan or configuration: nothing was started. */
  usage: 2,
  /** The deadline or the budget was reached. */
  limit: 3,
  /** The store cannot be used. */
  store: 4,
  interrupted: 130,
} as const;

/** Of `exec` when Lockyard itself could not do it: the codes below are the command's. */
export const EXEC_BROKEN = 125;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The code for an error that ended a command. */
export function exitCodeOf(code: string | undefined): ExitCode {
  if (code === undefined) return EXIT.failed;
  if (code.startsWith("STORE_") || code === "NODE_TOO_OLD") return EXIT.store;
  return CALLERS_MISTAKES.has(code) ? EXIT.usage : EXIT.failed;
}

const CALLERS_MISTAKES: ReadonlySet<string> = new Set([
  "INVALID_TASK_CALL",
  "INVALID_CLAIM",
  "INVALID_CONTEXT",
  "INVALID_OPTION",
  "INVALID_PLAN",
  "INVALID_CONFIG",
  "TRUST_REQUIRED",
  "UNKNOWN_AGENT",
  "UNKNOWN_DEPENDENCY",
  "UNKNOWN_RESOURCE",
  "DEPENDENCY_CYCLE",
  "DUPLICATE_TASK",
  "OVER_CAPACITY",
  "LIMIT_EXCEEDED",
]);
