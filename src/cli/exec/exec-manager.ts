/** The engine of one `exec`: a workflow of one task, which waits in the line everybody else stands in. */
import type { Config } from "../../config/config.ts";
import { type ComposedParts, composeParts, TaskManager } from "../../edges/run.ts";
import type { Agent, Clock, StoreDescriptor } from "../../index.ts";

export const EXEC_AGENT = "exec";

export interface ExecManagerOptions {
  readonly workflowId: string;
  readonly config: Config;
  readonly agent: Agent;
  readonly store: StoreDescriptor;
  readonly clock: Clock;
  /** `npm test`, for people. */
  readonly commandText: string;
  /** `"npm test" (claude, pid 4121)`. */
  readonly label: string;
  readonly placeKey: string;
  readonly graceMs: number;
}

export class ExecManager extends TaskManager {
  readonly parts: ComposedParts;

  constructor(options: ExecManagerOptions) {
    const parts = partsOf(options);
    super(parts);
    this.parts = parts;
  }
}

function partsOf(options: ExecManagerOptions): ComposedParts {
  const { workflowId, config, agent, store, clock, commandText, label, placeKey, graceMs } = options;
  const given = {
    workflowId,
    maxConcurrentTasks: 1,
    agents: { [EXEC_AGENT]: agent },
    resourceManager: { identify: () => [] },
    clock,
    root: config.root,
    graceMs,
  };
  const parts = composeParts(given, config.inForce);
  return {
    ...parts,
    // As it is, without the fall back to memory: a lock that nobody else sees must not be pretended.
    store,
    describeOwner: (_, opened) => parts.describeOwner(`exec ${commandText}`, opened),
    // Who waits and dies leaves the line, and its place behind.
    standing: { ...parts.standing, orphan: "vanish", placeKey, label, countsForMachine: false },
  };
}
