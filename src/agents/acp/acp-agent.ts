/** An agent that speaks the Agent Client Protocol: what it asks permission for is locked before it is allowed. */
import type { TypedAgent } from "../../core/agent-types.ts";
import { DEFAULTS, MAX_TIMER_MS } from "../../core/bounds.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext } from "../../core/ports.ts";
import type { AgentTask, Claim, JsonObject, JsonValue, StandardSchema } from "../../core/task.ts";
import type { Isolation } from "../../footprint/isolation.ts";
import { placedAgent } from "../../footprint/placed-agent.ts";
import { Guardian } from "../../process/guardian.ts";
import { SHARED_DAEMONS } from "../../process/leftovers.ts";
import { isExecutable } from "../../process/spawn.ts";
import { checkedConcurrency } from "../function-agent.ts";
import { type AcpSettings, runAcp } from "./acp-run.ts";
import type { AcpPermissions, CallClaim } from "./permission.ts";
import { type AcpPreset, PASSED_TO_ALL, type PresetFacts, presetFacts, presetOf } from "./presets.ts";
import type { ToolCall } from "./tool-call.ts";

/** Variables for an agent. */
interface Surroundings {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
}

export interface AcpAgentOptions<Context, Output> {
  /** An agent that is known here. Without it, a known one is recognised by the program in `argv`. */
  readonly preset?: AcpPreset;
  /** Program and arguments. Needed unless a preset is named. */
  readonly argv?: readonly string[];
  /** `plan`: look only. `edits` (default): change files below the working directory, no commands. `full`: all it asks for. */
  readonly permissions?: AcpPermissions;
  /** As the agent calls it. */
  readonly model?: string;
  /** A mode of the agent in which it asks before it changes something; a preset knows its own. */
  readonly mode?: string;
  /** How to log in before the session is made, as the agent calls it. */
  readonly authMethod?: string;
  /** MCP servers the agent shall use, as the protocol writes them. */
  readonly mcpServers?: readonly JsonObject[];
  /** Offers to write files for the agent; a preset knows. Default false. */
  readonly writesThroughUs?: boolean;
  /** Variables for the agent, besides a short allow-list and what a preset needs. */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of our own variables that are passed on too. */
  readonly passEnv?: readonly string[];
  /** Says `env` and `passEnv` for each task; wins over both. */
  readonly surroundingsFor?: (task: AgentTask, ctx: AgentContext) => Surroundings;
  /** Units and names a tool call takes while it runs, besides the files it changes: `{ use: "build" }` for a test run. */
  readonly claimsFor?: (call: ToolCall) => readonly CallClaim[];
  /** Absolute; claims and `cwd` are relative to it. Default: our own working directory. */
  readonly root?: string;
  readonly cwd?: string | ((task: AgentTask) => string | undefined);
  /** Default `optimistic`: it works in place, because what it changes is locked file by file. */
  readonly isolation?: Isolation | ((task: AgentTask) => Isolation | undefined);
  readonly context?: StandardSchema<Context>;
  /** Checks the output: the last message, read as JSON when it is. */
  readonly outputSchema?: StandardSchema<Output>;
  readonly claims?: (context: Context, task: AgentTask) => readonly Claim[];
  readonly concurrency?: number;
  /** Longest wait for the lock of one file; the call is refused then. Default: no limit but the task's own. */
  readonly lockTimeoutMs?: number;
  /** Longest time without a word of the agent, for tasks that do not say; waiting for a lock does not count. Default 30 minutes. */
  readonly idleTimeoutMs?: number;
  /** Longest time until the agent has opened a session. Default 120,000. */
  readonly startTimeoutMs?: number;
  /** Milliseconds between TERM and KILL when the task is stopped, after the agent was asked to end its turn. Default 2,000. */
  readonly graceMs?: number;
  /** Shared daemons it may leave running; default `SHARED_DAEMONS`. When a task is stopped they die too. */
  readonly keepList?: readonly string[];
}

const START_TIMEOUT_MS = 120_000;
/** Shorter than elsewhere: it was asked already, by `session/cancel`. */
const GRACE_MS = 2_000;

/**
 * Runs a coding agent for each task and talks to it by the Agent Client Protocol: what it writes is the output, tool calls
 * are progress, and a permission it asks for is answered when the files it names are the task's. It succeeded when its turn
 * ended by itself and nothing was refused for want of a lock. Fails with SPAWN_FAILED, AGENT_EXITED, AGENT_CRASHED,
 * AGENT_FAILED, AGENT_REPORTED_FAILURE, RATE_LIMITED, DEADLOCK, QUEUE_TIMEOUT; NOT_STOPPED when something could not be
 * killed. Throws INVALID_OPTION.
 */
export function acpAgent<Context = JsonObject, Output = JsonValue>(
  options: AcpAgentOptions<Context, Output>,
): TypedAgent<Context, Output> {
  const { context, outputSchema, claims, concurrency, isolation = "optimistic", cwd } = options;
  const { facts, ...settings } = settingsOf(options as AcpAgentOptions<unknown, unknown>); // schemas are not used there
  const agent = placedAgent({
    kind: "acp",
    root: options.root ?? process.cwd(),
    isolation,
    cwdFor: typeof cwd === "function" ? cwd : () => cwd,
    run: (task, ctx, place) => {
      const isJson = outputSchema !== undefined || task.outputSchema !== undefined;
      const surroundings = options.surroundingsFor?.(task, ctx) ?? options;
      return runAcp({
        settings: { ...settings, ...variables(surroundings, facts), isJson },
        task,
        ctx,
        cwd: place.cwd,
      });
    },
    context,
    output: outputSchema,
    ...(claims === undefined ? undefined : { claims: (data, task) => claims(data as Context, task) }), // parsed by `context`
    ...(concurrency === undefined ? undefined : { concurrency: checkedConcurrency(concurrency) }),
    close: async () => settings.guardian.close(),
  });
  const idleTimeoutMs = checkedMs(options.idleTimeoutMs, "idleTimeoutMs") ?? DEFAULTS.codingIdleTimeoutMs;
  // The manager checks the output with the schema before anybody sees it as Output.
  return { ...agent, idleTimeoutMs } as TypedAgent<Context, Output>;
}

/** Variables of one task, and those its agent is known to need. */
function variables({ env, passEnv = [] }: Surroundings, facts: Partial<PresetFacts>) {
  return { env: { ...facts.env, ...env }, passEnv: [...PASSED_TO_ALL, ...(facts.passEnv ?? []), ...passEnv] };
}

type Settled = Omit<AcpSettings, "env" | "passEnv" | "isJson"> & { readonly facts: Partial<PresetFacts> };

function settingsOf(options: AcpAgentOptions<unknown, unknown>): Settled {
  const { preset, model, permissions = "edits" } = options;
  const named = preset === undefined ? undefined : presetFacts(preset);
  const argv = checkedArgv(options.argv ?? named?.argv);
  const facts: Partial<PresetFacts> = named ?? presetOf(argv) ?? {};
  const modelArgs = model === undefined ? undefined : facts.modelArgs?.(model);
  return {
    argv: [...argv, ...(modelArgs ?? [])],
    permissions: checkedPermissions(permissions),
    claimsFor: options.claimsFor,
    mode: options.mode ?? facts.mode,
    model: modelArgs === undefined ? model : undefined,
    authMethod: options.authMethod,
    mcpServers: options.mcpServers ?? [],
    writesThroughUs: options.writesThroughUs ?? facts.writesThroughUs ?? false,
    lockTimeoutMs: checkedMs(options.lockTimeoutMs, "lockTimeoutMs"),
    startTimeoutMs: checkedMs(options.startTimeoutMs, "startTimeoutMs") ?? START_TIMEOUT_MS,
    graceMs: checkedMs(options.graceMs, "graceMs") ?? GRACE_MS,
    keepList: options.keepList ?? SHARED_DAEMONS,
    install: facts.install,
    facts,
    guardian: new Guardian(),
  };
}

/** What an agent needs that is not in this PATH, and how to get it; undefined when it is there. */
export function missingAcpAgent(argv: readonly string[], searchPath: string | undefined) {
  const [program = ""] = argv;
  // A path is relative to where the task will run.
  if (program.includes("/") || isExecutable(program, { cwd: undefined, path: searchPath })) return undefined;
  const install = presetOf(argv)?.install;
  const hint = install === undefined ? "install it, or name where it is" : `install it: ${install}`;
  return { title: `an ACP agent, ${argv.join(" ")}`, program, hint };
}

function checkedArgv(argv: readonly string[] | undefined): readonly string[] {
  if (Array.isArray(argv) && argv.length > 0) return argv;
  throw new LockyardError("INVALID_OPTION", "acpAgent needs argv, a list of strings, or preset.", {
    hint: 'acpAgent({ preset: "gemini" }), or acpAgent({ argv: ["my-agent", "--acp"] }).',
  });
}

function checkedPermissions(permissions: AcpPermissions): AcpPermissions {
  if (["plan", "edits", "full"].includes(permissions)) return permissions;
  throw new LockyardError("INVALID_OPTION", `permissions is ${JSON.stringify(permissions)}.`, {
    hint: "It is plan (look only), edits (change files, run nothing) or full.",
  });
}

function checkedMs(ms: number | undefined, name: string): number | undefined {
  if (ms === undefined || (ms >= 0 && ms <= MAX_TIMER_MS)) return ms;
  throw new LockyardError("INVALID_OPTION", `${name} is ${ms}; it must be 0 or more milliseconds.`);
}
