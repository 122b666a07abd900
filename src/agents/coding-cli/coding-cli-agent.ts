/** Coding agents by their own command lines: Claude Code, Codex, opencode, Gemini CLI. */
import type { TypedAgent } from "../../core/agent-types.ts";
import { DEFAULTS, MAX_TIMER_MS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { Agent, AgentContext } from "../../core/ports.ts";
import type { AgentTask, Claim, JsonObject, JsonValue, StandardSchema } from "../../core/task.ts";
import type { Isolation } from "../../footprint/isolation.ts";
import { placedAgent } from "../../footprint/placed-agent.ts";
import { Guardian } from "../../process/guardian.ts";
import { SHARED_DAEMONS } from "../../process/leftovers.ts";
import { isExecutable } from "../../process/spawn.ts";
import { checkedConcurrency } from "../function-agent.ts";
import { type CodingSettings, runTurn, type Surroundings } from "./coding-run.ts";
import type { CodingCli, Permissions } from "./dialect.ts";
import { DIALECTS } from "./dialects.ts";

export interface CodingCliAgentOptions<Context, Output> {
  readonly kind: CodingCli;
  /** As that command line calls it; its own default when absent. */
  readonly model?: string;
  /**
   * `plan`: looks, changes nothing. `edits` (default): changes files; commands as far as the command line's own rules and
   * sandbox let it without asking. `full`: whatever it wants.
   */
  readonly permissions?: Permissions;
  /** Added to its arguments. */
  readonly args?: readonly string[];
  /** Most one attempt may cost in US dollars; Claude Code only. Budgets of a workflow count for all of them. */
  readonly maxCostUsd?: number;
  /** Where its program is; default: found in PATH by its usual name. */
  readonly program?: string;
  /** Variables for it, besides those it is known to need (keys of its providers, proxies, its own settings). */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of our own variables that are passed on too. */
  readonly passEnv?: readonly string[];
  /** Says `env` and `passEnv` for each task; wins over both. */
  readonly surroundingsFor?: (task: AgentTask, ctx: AgentContext) => Surroundings;
  /** Absolute; claims and `cwd` are relative to it. Default: our own working directory. */
  readonly root?: string;
  readonly cwd?: string | ((task: AgentTask) => string | undefined);
  /** How a task that declares no files is kept from others: `worktree` in a git repository (default), `optimistic`, `whole-tree`. */
  readonly isolation?: Isolation | ((task: AgentTask) => Isolation | undefined);
  readonly context?: StandardSchema<Context>;
  /** Checks the answer. One that can say itself as JSON Schema (zod 4, arktype) is told to the agent, too. */
  readonly outputSchema?: StandardSchema<Output>;
  readonly claims?: (context: Context, task: AgentTask) => readonly Claim[];
  readonly concurrency?: number;
  /** Milliseconds without a word after which an attempt has timed out, for tasks that do not say. Default 30 minutes. */
  readonly idleTimeoutMs?: number;
  /** Milliseconds between TERM and KILL when the task is stopped, after it was asked in its own way. Default 2,000. */
  readonly graceMs?: number;
  /** Shared daemons it may leave running; default `SHARED_DAEMONS`. When a task is stopped they die too. */
  readonly keepList?: readonly string[];
}

/** Shorter than elsewhere: it was asked before, in its own way. */
const GRACE_MS = 2_000;

/**
 * Runs one turn of a coding agent for each task, without a person: the description, the context and the results of what the
 * task depends on are its prompt, its last message is the output. It succeeded when its own stream says so. Fails with
 * AGENT_REPORTED_FAILURE, AGENT_EXITED, AGENT_CRASHED, AGENT_FAILED (refused by its provider), RATE_LIMITED,
 * SPAWN_FAILED. Tokens and cost are in `usage`. Throws INVALID_OPTION.
 */
export function codingCliAgent<Context = JsonObject, Output = JsonValue>(
  options: CodingCliAgentOptions<Context, Output>,
): TypedAgent<Context, Output> {
  const { kind, concurrency, context, outputSchema, claims, cwd, isolation } = options;
  const settings = settingsOf(options);
  const agent = placedAgent({
    kind,
    root: options.root ?? process.cwd(),
    run: (task, ctx, place) => runTurn(settings, task, ctx, place),
    isolation,
    cwdFor: typeof cwd === "function" ? cwd : () => cwd,
    // The manager checks and parses with the agent's own schemas before anybody sees the types.
    ...(context === undefined ? undefined : { context: context as Agent["context"] }),
    ...(outputSchema === undefined ? undefined : { output: outputSchema as Agent["output"] }),
    ...(claims === undefined ? undefined : { claims: claims as Agent["claims"] }),
    ...(concurrency === undefined ? undefined : { concurrency: checkedConcurrency(concurrency) }),
    close: async () => settings.guardian.close(),
  });
  const idleTimeoutMs = checkedMs(options.idleTimeoutMs ?? DEFAULTS.codingIdleTimeoutMs, "idleTimeoutMs", 1);
  return { ...agent, idleTimeoutMs } as TypedAgent<Context, Output>;
}

function settingsOf<Context, Output>(options: CodingCliAgentOptions<Context, Output>): CodingSettings {
  const { kind, permissions = "edits", maxCostUsd, model, args = [], env, passEnv } = options;
  const dialect = Object.hasOwn(DIALECTS, kind) ? DIALECTS[kind] : undefined;
  if (dialect === undefined) throw wrong(`kind is ${JSON.stringify(kind)}`, Object.keys(DIALECTS).join(", "));
  if (!PERMISSIONS.includes(permissions)) {
    throw wrong(`permissions is ${JSON.stringify(permissions)}`, PERMISSIONS.join(", "));
  }
  if (maxCostUsd !== undefined && !dialect.hasCostLimit) {
    throw new LockyardError("INVALID_OPTION", `${dialect.title} cannot be told a cost to stop at.`, {
      hint: "Leave maxCostUsd out and give the workflow a budget.",
    });
  }
  if (maxCostUsd !== undefined && !(maxCostUsd > 0)) throw wrong(`maxCostUsd is ${maxCostUsd}`, "a number above 0");
  return {
    dialect,
    program: options.program ?? dialect.program,
    model,
    permissions,
    maxCostUsd,
    args,
    outputSchema: options.outputSchema,
    surroundingsFor: options.surroundingsFor ?? (() => ({ env, passEnv })),
    graceMs: checkedMs(options.graceMs ?? GRACE_MS, "graceMs", 0),
    keepList: options.keepList ?? SHARED_DAEMONS,
    guardian: new Guardian(),
  };
}

const PERMISSIONS: readonly Permissions[] = ["plan", "edits", "full"];

function wrong(what: string, allowed: string): LockyardError {
  return new LockyardError("INVALID_OPTION", `${what}; it must be one of: ${allowed}.`);
}

function checkedMs(ms: number, name: string, least: number): number {
  if (Number.isFinite(ms) && ms >= least && ms <= MAX_TIMER_MS) return ms;
  throw new LockyardError("INVALID_OPTION", `${name} is ${ms}; it must be ${least} to ${MAX_TIMER_MS} milliseconds.`);
}

/** The program of a coding agent that is not in PATH, and how to get it; undefined when it is there. */
export function missingCodingCli(
  kind: CodingCli,
  path: string | undefined,
): { readonly program: string; readonly title: string; readonly hint: string } | undefined {
  const { program, title, install } = DIALECTS[kind];
  return isExecutable(program, { cwd: undefined, path })
    ? undefined
    : { program, title, hint: `install it: ${install}` };
}
