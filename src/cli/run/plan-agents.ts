/** The agents of a plan, built. What cannot be run here is refused before anything starts. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Fault, LockyardError } from "../../edges/basics.ts";
import { acpAgent, codingCliAgent, commandAgent, SHARED_DAEMONS, threadAgent } from "../../edges/run.ts";
import type { Agent, AgentContext, AgentTask } from "../../index.ts";
import { findAgent, RUN_AGENT } from "../../plan/agent.ts";
import type { ExpandedPlan } from "../../plan/expand.ts";
import { type Member, startOf } from "../../plan/member.ts";
import type { CodingKind, Leftovers, Plan, PlanAgent } from "../../plan/plan.ts";
import { missingProgram } from "./missing-program.ts";

export interface PlanAgents {
  /** By agent id or type, for the engine. */
  readonly agents: Readonly<Record<string, Agent>>;
  /** Tasks the agents may be given: called before they are handed over. */
  add(members: readonly Member[]): void;
  memberOf(taskId: string): Member | undefined;
  close(): Promise<void>;
}

/**
 * Builds what the plan uses. Throws INVALID_PLAN when a task needs an agent that is not installed, TRUST_REQUIRED for one that
 * was found in a repository rather than named.
 */
export function planAgents(
  expanded: ExpandedPlan,
  { trusted, keep }: { readonly trusted: (declaredBy: string) => boolean; readonly keep: readonly string[] },
): PlanAgents {
  const { plan } = expanded;
  const faults = agentFaults(expanded, trusted);
  const first = faults[0];
  if (first !== undefined) {
    const code = faults.some(({ hint }) => hint !== TRUST_HINT) ? "INVALID_PLAN" : "TRUST_REQUIRED";
    throw new LockyardError(code, `${first.where} ${first.what}.`, { hint: first.hint, faults });
  }
  return agentsFor(usedAgents(plan, expanded.tasks).keys(), { root: plan.root, keep });
}

/** Builds these agents, whoever named them. `root`: the directory their modules lie below. */
export function agentsFor(
  declared: Iterable<PlanAgent>,
  { root, keep }: { readonly root: string; readonly keep: readonly string[] },
): PlanAgents {
  const members = new Map<string, Member>();
  const agents: Record<string, Agent> = { [RUN_AGENT]: commandsOf(members, keep) };
  const closers: (() => Promise<void>)[] = [];
  for (const agent of declared) {
    const limit = agent.concurrency === undefined ? {} : { concurrency: agent.concurrency };
    const built = build(agent, { members, root, keep });
    if (built.close !== undefined) closers.push(() => built.close?.() ?? Promise.resolve());
    agents[agent.name] = { ...built, ...limit };
  }
  return {
    agents,
    add: (fresh) => {
      for (const member of fresh) members.set(member.call.taskId, member);
    },
    memberOf: (taskId) => members.get(taskId),
    close: async () => {
      await Promise.all(closers.map((close) => close()));
    },
  };
}

/** Every agent some task uses, with the first task that does. Tasks of lists not known yet count by what is written. */
function usedAgents(plan: Plan, members: readonly Member[]): ReadonlyMap<PlanAgent, string> {
  const used = new Map<PlanAgent, string>();
  for (const { agent, call } of members) if (agent !== null && !used.has(agent)) used.set(agent, call.taskId);
  for (const { agent: name, id } of plan.tasks) {
    const agent = name === undefined || name.includes("{{") ? undefined : findAgent(name, plan.agents);
    if (agent !== undefined && ![...used.keys()].some((other) => other.name === agent.name)) used.set(agent, id);
  }
  return used;
}

const TRUST_HINT = "look at it and approve it for this repository: lockyard trust";

/** What keeps a plan from being run: an agent that is not installed, or one that nobody named. */
export function agentFaults(expanded: ExpandedPlan, trusted: (declaredBy: string) => boolean): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [agent, taskId] of usedAgents(expanded.plan, expanded.tasks)) {
    const missing = missingProgram(agent);
    if (missing !== undefined) {
      faults.push({
        where: `task ${taskId}:`,
        what: `its agent ${agent.name} is ${missing.title}, and ${missing.program} is not installed, or not in PATH`,
        hint: missing.hint,
      });
    } else if (!trusted(agent.declaredBy)) {
      faults.push({
        where: `task ${taskId}:`,
        what: `its agent ${agent.name} would start what ${agent.declaredBy} says, a file that was found and not named`,
        hint: TRUST_HINT,
      });
    }
  }
  return faults;
}

/** One agent for all commands: what to start is the task's business, only leftovers are settled a runner. */
function commandsOf(members: ReadonlyMap<string, Member>, keep: readonly string[]): Agent {
  const keepList = [...SHARED_DAEMONS, ...keep];
  const runner = (leftovers: Leftovers) =>
    commandAgent({ leftovers, keepList, commandFor: (task, ctx) => commandOf(memberFor(task, members), ctx) });
  const runners = { keep: runner("keep"), wait: runner("wait"), kill: runner("kill") };
  return {
    ...runners.kill,
    run: (task, ctx) => runners[memberFor(task, members).leftovers].run(filled(task, ctx, members), ctx),
  };
}

function build(agent: PlanAgent, parts: AgentParts): Agent {
  switch (agent.kind) {
    case "command":
      return commandsOf(parts.members, parts.keep);
    case "thread":
      return threadOf(agent, parts);
    case "acp":
      return acpOf(agent, parts);
    case "claude-code":
    case "codex":
    case "gemini":
    case "opencode":
      return codingOf(agent.kind, agent, parts);
  }
}

function threadOf({ module, threads }: PlanAgent, { members, root }: AgentParts): Agent {
  const agent = threadAgent(pathToFileURL(resolve(root, module ?? "")), {
    ...(threads === undefined ? {} : { concurrency: threads }),
  });
  return { ...agent, run: (task, ctx) => agent.run(filled(task, ctx, members), ctx), close: () => agent.close() };
}

/** An agent that speaks ACP, started once for each task. */
function acpOf(agent: PlanAgent, parts: AgentParts): Agent {
  const { command, isolation } = agent;
  const acp = acpAgent({
    ...(command !== undefined && "argv" in command ? { argv: command.argv } : {}),
    ...placedOptions(agent, parts),
    // Its files are locked one by one as it asks for them, so it may work in place.
    isolation: (task) => memberFor(task, parts.members).isolation ?? isolation ?? "optimistic",
  });
  return { ...acp, run: (task, ctx) => acp.run(filled(task, ctx, parts.members), ctx) };
}

/** The command line of a coding agent, started once for each task. */
function codingOf(kind: CodingKind, agent: PlanAgent, parts: AgentParts): Agent {
  const coding = codingCliAgent({
    kind,
    args: agent.args,
    ...placedOptions(agent, parts),
    isolation: (task) => memberFor(task, parts.members).isolation ?? agent.isolation,
  });
  return { ...coding, run: (task, ctx) => coding.run(filled(task, ctx, parts.members), ctx) };
}

/** As the agent is declared, with the task's variables, where the task says. */
function placedOptions({ model, permissions }: PlanAgent, { members, root, keep }: AgentParts) {
  return {
    ...(model === undefined ? {} : { model }),
    ...(permissions === undefined ? {} : { permissions }),
    root,
    cwd: (task: AgentTask) => memberFor(task, members).cwd,
    keepList: [...SHARED_DAEMONS, ...keep],
    surroundingsFor: (task: AgentTask, ctx: AgentContext) => {
      const member = memberFor(task, members);
      return { env: startOf(member, ctx.dependencies).env, passEnv: member.passEnv };
    },
  };
}

interface AgentParts {
  readonly members: ReadonlyMap<string, Member>;
  readonly root: string;
  readonly keep: readonly string[];
}

function commandOf(member: Member, ctx: AgentContext) {
  const { command, env } = startOf(member, ctx.dependencies);
  if (command === null) {
    throw new LockyardError("BUG", `Task ${member.call.taskId} is run as a command and has none.`);
  }
  return { ...command, env, passEnv: member.passEnv, cwd: member.cwd };
}

/** The task with the results it uses put into its texts. */
function filled(task: AgentTask, ctx: AgentContext, members: ReadonlyMap<string, Member>): AgentTask {
  const member = memberFor(task, members);
  if (member.usesResults.length === 0) return task;
  const { description, contextData } = startOf(member, ctx.dependencies);
  return { ...task, description, ...(contextData === undefined ? {} : { contextData }) };
}

function memberFor(task: AgentTask, members: ReadonlyMap<string, Member>): Member {
  const member = members.get(task.taskId);
  if (member === undefined) throw new LockyardError("BUG", `Task ${task.taskId} is not of this plan.`);
  return member;
}
