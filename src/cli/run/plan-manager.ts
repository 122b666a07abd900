/** The engine of one run: usual parts, with what only a command line knows put in. */
import { availableParallelism } from "node:os";
import { posix } from "node:path";
import type { Config } from "../../config/config.ts";
import { builtinResourceManager } from "../../edges/plan.ts";
import { type ComposedParts, composeParts, type EarlierWork, TaskManager } from "../../edges/run.ts";
import { NOTE } from "../../edges/store.ts";
import type { Agent, AgentTask, Budget, Claim, Clock, Monitor, StoreDescriptor } from "../../index.ts";
import type { Member } from "../../plan/member.ts";
import type { Plan, PlanBudget, QuarantinePolicy } from "../../plan/plan.ts";
import { effectiveResources } from "../../plan/resource.ts";
import type { RunNote } from "./run-note.ts";

export interface PlanManagerOptions {
  readonly workflowId: string;
  readonly plan: Plan;
  readonly config: Config;
  readonly concurrency: number;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly memberOf: (taskId: string) => Member | undefined;
  readonly store: StoreDescriptor;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** Instead of what the plan says. */
  readonly budget: Budget;
  readonly onQuarantine: QuarantinePolicy;
  readonly earlier: EarlierWork;
  readonly onRetry: (taskIds: readonly string[]) => void;
}

export class PlanManager extends TaskManager {
  readonly parts: ComposedParts;

  constructor(options: PlanManagerOptions) {
    const parts = partsOf(options);
    super(parts);
    this.parts = parts;
  }

  /** Keeps what another process needs to go on with this run. */
  keep(note: RunNote): void {
    this.remember(NOTE.run(this.workflowId), note);
  }

  /** Tasks that have ended may be handed over again. */
  reopen(taskIds: readonly string[]): void {
    this.forget(taskIds);
  }

  /** Tasks that run in this process. */
  get running(): number {
    return this.runningCount;
  }
}

function partsOf(options: PlanManagerOptions): ComposedParts {
  const { workflowId, plan, config, concurrency, agents, store, clock, monitor, memberOf } = options;
  const builtin = builtinResourceManager();
  const declared = effectiveResources([...config.declared, ...Object.values(plan.resources)]);
  const given = {
    workflowId,
    maxConcurrentTasks: concurrency,
    agents,
    store,
    limits: { ...budgetOf(plan.budget), ...options.budget },
    resourceManager: {
      identify: (task: AgentTask) => (memberOf(task.taskId)?.identify === false ? [] : builtin.identify(task)),
    },
    monitor,
    clock,
    root: config.root,
  };
  const parts = composeParts(given, declared);
  return {
    ...parts,
    // A plan's tasks can be started by whoever has the plan.
    standing: { ...parts.standing, orphan: "suspend" },
    machineConcurrency: config.machineConcurrency ?? undefined,
    weight: plan.weight,
    onQuarantine: options.onQuarantine,
    earlier: options.earlier,
    onRetry: options.onRetry,
    describeOwner: (_, store) => parts.describeOwner(`run ${plan.name}`, store),
  };
}

function budgetOf({ tasks, tokens, usd, wallMs }: PlanBudget): Budget {
  return {
    ...(tasks === undefined ? {} : { tasks }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(usd === undefined ? {} : { costUsd: usd }),
    ...(wallMs === undefined ? {} : { wallMs }),
  };
}

/** Tasks at once: as asked, as the plan says, as the configuration says, else 10. `auto` is a task a core, at least two. */
export function concurrencyFor(asked: number | undefined, plan: Plan, config: Config): number {
  const said = asked ?? plan.concurrency ?? config.concurrency ?? DEFAULT_CONCURRENCY;
  return said === "auto" ? Math.min(DEFAULT_CONCURRENCY, Math.max(2, availableParallelism())) : said;
}

export const DEFAULT_CONCURRENCY = 10;

/** Claims of a plan are relative to its directory, those of the engine to the workspace, so that names are shared in it. */
export function relocated(members: readonly Member[], planRoot: string, workspaceRoot: string): readonly Member[] {
  const prefix = posix.relative(workspaceRoot, planRoot);
  if (prefix === "") return members;
  const place = (path: string) => (path.startsWith("/") ? path : posix.join(planRoot, path));
  const move = (claim: Claim): Claim => {
    if ("write" in claim) return { write: place(claim.write) };
    if ("read" in claim) return { read: place(claim.read) };
    if ("observe" in claim) return { observe: place(claim.observe) };
    return claim;
  };
  return members.map((member) => {
    const { claims } = member.call;
    return claims === undefined ? member : { ...member, call: { ...member.call, claims: claims.map(move) } };
  });
}
