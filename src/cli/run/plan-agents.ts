/** The agents of a plan, built: commands and threads. What cannot be run yet is refused before anything starts. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type Fault, LockyardError } from "../../edges/basics.ts";
import { acpAgent, commandAgent, SHARED_DAEMONS, threadAgent } from "../../edges/run.ts";
import type { Agent, AgentContext, AgentTask } from "../../index.ts";
import { findAgent, RUN_AGENT } from "../../plan/agent.ts";
import type { ExpandedPlan } from "../../plan/expand.ts";
import { type Member, startOf } from "../../plan/member.ts";
import type { AgentKind, Leftovers, Plan, PlanAgent } from "../../plan/plan.ts";

export interface PlanAgents {
  /** By agent id or type, for the engine. */
  readonly agents: Readonly<Record<string, Agent>>;
  /** Tasks the agents may be given: called before they are handed over. */
  add(members: readonly Member[]): void;
  memberOf(taskId: string): Member | undefined;
  close(): Promise<void>;
}

/**
 * Builds what the plan uses. Throws INVALID_PLAN when a task needs an agent that this version cannot run, or one that was
 * found in a repository rather than named.
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
    if (agent.kind === "command") agents[agent.name] = { ...commandsOf(members, keep), ...limit };
    else if (agent.kind === "acp") agents[agent.name] = { ...acpOf(agent, { members, root, keep }), ...limit };
    else {
      const threads = threadAgent(pathToFileURL(resolve(root, agent.module ?? "")), {
        ...(agent.threads === undefined ? {} : { concurrency: agent.threads }),
      });
      closers.push(() => threads.close());
      agents[agent.name] = { ...threads, ...limit, run: (task, ctx) => threads.run(filled(task, ctx, members), ctx) };
    }
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

/** What keeps a plan from being run: an agent this version cannot start, or one that nobody named. */
export function agentFaults(expanded: ExpandedPlan, trusted: (declaredBy: string) => boolean): readonly Fault[] {
  const faults: Fault[] = [];
  for (const [agent, taskId] of usedAgents(expanded.plan, expanded.tasks)) {
    const missing = missingFor(agent.kind);
    if (missing !== null) {
      faults.push({
        where: `task ${taskId}:`,
        what: `its agent ${agent.name} is of kind ${agent.kind}, and this version of Lockyard cannot run ${missing} yet`,
        hint: "start its command line as a command agent: agents: { NAME: { kind: command, run: … } }",
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

/** What this version cannot run, in words; null for what it can. */
export function missingFor(kind: AgentKind): string | null {
  switch (kind) {
    case "command":
    case "thread":
    case "acp":
      return null;
    case "claude-code":
      return "Claude Code";
    case "codex":
      return "Codex";
    case "gemini":
      return "Gemini CLI";
    case "opencode":
      return "opencode";
  }
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

/** An agent that speaks ACP, started once for each task, with the task's variables and where the task says. */
function acpOf(agent: PlanAgent, { members, root, keep }: AgentParts): Agent {
  const { command, model, permissions, isolation } = agent;
  const acp = acpAgent({
    ...(command !== undefined && "argv" in command ? { argv: command.argv } : {}),
    ...(model === undefined ? {} : { model }),
    ...(permissions === undefined ? {} : { permissions }),
    root,
    cwd: (task) => memberFor(task, members).cwd,
    // Its files are locked one by one as it asks for them, so it may work in place.
    isolation: (task) => memberFor(task, members).isolation ?? isolation ?? "optimistic",
    keepList: [...SHARED_DAEMONS, ...keep],
    surroundingsFor: (task, ctx) => {
      const member = memberFor(task, members);
      return { env: startOf(member, ctx.dependencies).env, passEnv: member.passEnv };
    },
  });
  return { ...acp, run: (task, ctx) => acp.run(filled(task, ctx, members), ctx) };
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
