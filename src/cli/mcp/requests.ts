/**
 * What a host asks for → tasks of a plan. A call is a plan in JSON, so it means what a plan means, word for word; but its
 * tasks name agents of the configuration and never bring a command, a directory or a variable.
 */
import type { Config } from "../../config/config.ts";
import { LockyardError, suggest } from "../../edges/basics.ts";
import { realRoot, workspaceId } from "../../edges/names.ts";
import type { TaskRequest } from "../../mcp/desk.ts";
import { findAgent } from "../../plan/agent.ts";
import { expandPlan } from "../../plan/expand.ts";
import type { Member } from "../../plan/member.ts";
import { parsePlan } from "../../plan/parse-plan.ts";
import type { PlanAgent } from "../../plan/plan.ts";
import { PlanFault, withLines } from "../config-for.ts";
import { missingProgram } from "../run/missing-program.ts";
import { relocated } from "../run/plan-manager.ts";
import { knownAgents } from "./session.ts";

export interface Requesting {
  readonly config: Config;
  /** Absolute: what paths are relative to, and where agents work. */
  readonly cwd: string;
  readonly trusted: (declaredBy: string) => boolean;
  readonly isReadOnly: boolean;
  /** A name for a task that was given none. */
  readonly nameFor: (agent: string) => string;
}

/** How faults name the call. */
const SHOWN = "tasks";

/** Throws LockyardError with every fault. */
export async function membersOf(requests: readonly TaskRequest[], asking: Requesting): Promise<readonly Member[]> {
  const { config, cwd, isReadOnly } = asking;
  const tasks: Record<string, object> = Object.create(null);
  for (const { id, ...task } of requests) {
    checkAgent(task.agent, asking);
    const name = id ?? asking.nameFor(task.agent);
    if (tasks[name] !== undefined) {
      throw new LockyardError("DUPLICATE_TASK", `Two tasks of this call have the id ${JSON.stringify(name)}.`, {
        hint: "Leave ids out, or make each different.",
      });
    }
    tasks[name] = task;
  }
  const text = JSON.stringify({ name: "call", tasks }, null, 1);
  const members = relocated(await expanded(text, asking), cwd, config.root);
  if (!isReadOnly) return members.map((member) => ({ ...member, identify: member.identify && config.identify }));
  // A reader guesses no locks.
  return members.map((member) => ({ ...member, identify: false }));
}

async function expanded(text: string, { config, cwd }: Requesting): Promise<readonly Member[]> {
  try {
    const plan = parsePlan(text, {
      file: SHOWN,
      root: cwd,
      declared: config.declared,
      agents: config.agents,
      workspace: workspaceId(realRoot(config.root)),
    });
    return expandPlan(plan).tasks;
  } catch (error) {
    const shown = await withLines(error, { [SHOWN]: text });
    throw shown instanceof PlanFault ? new LockyardError("INVALID_TASK_CALL", shown.details, { cause: error }) : shown;
  }
}

/** An agent that exists, can be run here, may be started, and is what the tool says. */
function checkAgent(name: string, { config, trusted, isReadOnly }: Requesting): void {
  const agent = findAgent(name, config.agents);
  if (agent === undefined) {
    const names = knownAgents(config).map((known) => known.name);
    const near = suggest(name, names);
    throw new LockyardError("UNKNOWN_AGENT", `There is no agent named ${JSON.stringify(name)}.`, {
      hint: near === undefined ? hintOf(names) : `Did you mean ${JSON.stringify(near)}?`,
    });
  }
  const missing = missingProgram(agent);
  if (missing !== undefined) {
    const what = `The agent ${name} is ${missing.title}, and ${missing.program} is not installed, or not in PATH.`;
    throw new LockyardError("UNKNOWN_AGENT", what, { hint: missing.hint });
  }
  if (!trusted(agent.declaredBy)) throw untrusted(agent);
  if (isReadOnly && agent.readOnly !== true) {
    throw new LockyardError("INVALID_OPTION", `The agent ${name} is not declared read-only.`, {
      hint: "Use run_task. If it really changes nothing, its entry in the configuration can say readOnly: true.",
    });
  }
}

function hintOf(names: readonly string[]): string {
  if (names.length === 0) return "No agents are configured: a person adds agents to lockyard.yaml.";
  return `Agents: ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}.`;
}

function untrusted({ name, declaredBy }: PlanAgent): LockyardError {
  return new LockyardError(
    "TRUST_REQUIRED",
    `The agent ${name} would start what ${declaredBy} says, a file that was found and that nobody has approved.`,
    { hint: "Ask the user to look at it and to run there: lockyard trust" },
  );
}
