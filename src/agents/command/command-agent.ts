/** An agent that is a command: a process of its own, owned by us, and gone with all it started before its task settles. */
import type { TypedAgent } from "../../core/agent-types.ts";
import { DEFAULTS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { AgentTask, Claim, JsonObject, JsonValue, StandardSchema } from "../../core/task.ts";
import { Guardian } from "../../process/guardian.ts";
import { SHARED_DAEMONS } from "../../process/leftovers.ts";
import { checkedConcurrency } from "../function-agent.ts";
import { type CommandSettings, runCommand } from "./command-run.ts";
import { type CommandSpec, checkedSpec, surroundingsOf } from "./command-spec.ts";

export interface CommandAgentOptions<Context, Output> extends CommandSpec {
  /** Says what to start for this task; wins over `argv`, `shell`, `env`, `passEnv`, `cwd`, member by member. */
  readonly commandFor?: (task: AgentTask, ctx: AgentContext) => CommandSpec;
  /** `task`: JSON `{ task, dependencies, attempt, workflowId }` on stdin (default). `none`: an empty stdin. */
  readonly stdin?: "task" | "none";
  readonly context?: StandardSchema<Context>;
  /** Checks the output: what a `{"result": …}` report said, else what was printed. */
  readonly outputSchema?: StandardSchema<Output>;
  readonly claims?: (context: Context, task: AgentTask) => readonly Claim[];
  readonly concurrency?: number;
  /** Default `[0]`. */
  readonly successExitCodes?: readonly number[];
  /** Milliseconds between TERM and KILL when the task is stopped. Default 5,000. */
  readonly graceMs?: number;
  /** What becomes of processes that outlive a command which ended by itself. Default `kill`. */
  readonly leftovers?: "kill" | "keep" | "wait";
  /** Shared daemons that `kill` leaves alone; default `SHARED_DAEMONS`. When a task is stopped they die too. */
  readonly keepList?: readonly string[];
  /** Where output beyond 64 KiB goes, a file an attempt and stream. Nowhere when absent. */
  readonly spillDirectory?: string;
}

/**
 * Runs a command for each task. Lines `::lockyard {json}` on its stdout report `progress`, `detail`, `result`,
 * `evidence`, `confidence`, `error`, `heartbeat`; all else is output. It succeeded when its exit code is one of
 * `successExitCodes` and it reported no error. Fails with SPAWN_FAILED, AGENT_EXITED, AGENT_CRASHED (by a signal),
 * AGENT_REPORTED_FAILURE, RATE_LIMITED; NOT_STOPPED when something could not be killed. Throws INVALID_OPTION.
 */
export function commandAgent<Context = JsonObject, Output = JsonValue>(
  options: CommandAgentOptions<Context, Output>,
): TypedAgent<Context, Output> {
  const { commandFor, context, outputSchema, claims, concurrency } = options;
  if (commandFor === undefined) checkedSpec(options);
  const guardian = new Guardian();
  const settings: CommandSettings = {
    stdin: options.stdin ?? "task",
    successExitCodes: options.successExitCodes ?? [0],
    graceMs: checkedGrace(options.graceMs ?? DEFAULTS.graceMs),
    leftovers: options.leftovers ?? "kill",
    keepList: options.keepList ?? SHARED_DAEMONS,
    spillDirectory: options.spillDirectory,
    guardian,
  };
  return {
    kind: "command",
    holder: "owned",
    ...(context === undefined ? undefined : { context }),
    ...(outputSchema === undefined ? undefined : { output: outputSchema }),
    ...(claims === undefined ? undefined : { claims }),
    ...(concurrency === undefined ? undefined : { concurrency: checkedConcurrency(concurrency) }),
    close: async () => guardian.close(),
    run: async (task, ctx) => {
      const spec = commandFor === undefined ? options : { ...surroundingsOf(options), ...commandFor(task, ctx) };
      const report = await runCommand({ command: checkedSpec(spec), task, ctx, settings });
      // The manager checks the output with the schema before anybody sees it as Output.
      return report as Awaited<ReturnType<TypedAgent<Context, Output>["run"]>>;
    },
  };
}

function checkedGrace(graceMs: number): number {
  if (Number.isFinite(graceMs) && graceMs >= 0) return graceMs;
  throw new LockyardError("INVALID_OPTION", `graceMs is ${graceMs}; it must be 0 or more milliseconds.`);
}
