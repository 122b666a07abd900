/** The engine behind one server: its tasks are a workflow of their own, and end with it. */
import type { Config } from "../../config/config.ts";
import { builtinResourceManager } from "../../edges/plan.ts";
import { type ComposedParts, composeParts, type HolderToken, TaskManager } from "../../edges/run.ts";
import type { Agent, AgentTask, Clock, Monitor, StoreDescriptor, TaskCall } from "../../index.ts";
import type { Member } from "../../plan/member.ts";
import { effectiveResources } from "../../plan/resource.ts";

export interface SessionManagerOptions {
  readonly workflowId: string;
  readonly config: Config;
  readonly concurrency: number;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly memberOf: (taskId: string) => Member | undefined;
  readonly store: StoreDescriptor;
  readonly clock: Clock;
  readonly monitor: Monitor;
  /** For people: `mcp claude-code 2.1.331`. */
  readonly label: string;
  /** Of locks that a host takes: they lapse. */
  readonly leaseMs?: number;
  /** What its tasks run inside of, instead of what this process was started in. */
  readonly inside?: HolderToken | null;
}

export class SessionManager extends TaskManager {
  readonly parts: ComposedParts;

  constructor(options: SessionManagerOptions) {
    const parts = partsOf(options);
    super(parts);
    this.parts = parts;
  }

  /** Hands tasks over together. Throws when one is malformed, and none was started then. */
  handOver(calls: readonly TaskCall[]) {
    return this.submitAll(calls);
  }

  /** What this guest holds lapses so much later. */
  renewLease({ key, fence }: HolderToken, leaseMs: number): void {
    this.push({ type: "renew", key, fence, leaseMs });
  }

  /** The task this process runs inside of hears that we wait for tasks, for so much longer; 0: no more. */
  tellWait(key: number, forMs: number): void {
    this.push({ type: "tell", key, message: { kind: "waits", forMs } });
  }
}

function partsOf(options: SessionManagerOptions): ComposedParts {
  const { workflowId, config, concurrency, agents, store, clock, monitor, memberOf, label, leaseMs, inside } = options;
  const builtin = builtinResourceManager();
  const given = {
    workflowId,
    maxConcurrentTasks: concurrency,
    agents,
    store,
    resourceManager: {
      identify: (task: AgentTask) => (memberOf(task.taskId)?.identify === true ? builtin.identify(task) : []),
    },
    monitor,
    clock,
    root: config.root,
  };
  const parts = composeParts(given, effectiveResources(config.declared));
  return {
    ...parts,
    standing: {
      inside: inside ?? parts.standing.inside,
      orphan: "fail",
      ...(leaseMs === undefined ? {} : { leaseMs, countsForMachine: false }),
    },
    machineConcurrency: config.machineConcurrency ?? undefined,
    onQuarantine: config.onQuarantine ?? "skip",
    describeOwner: (_, opened) => parts.describeOwner(label, opened),
  };
}
