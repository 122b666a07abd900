/** The engine of one `exec`: a workflow of one task, which waits in the line everybody else stands in. */
import type { Config } from "../../config/config.ts";
import {
  type ComposedParts,
  composeParts,
  type HolderToken,
  identityOf,
  TaskManager,
  TICKET_AGENT,
  TICKET_MS,
} from "../../edges/run.ts";
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
  /** What it takes over: it runs inside of that. */
  readonly ticket: HolderToken | null;
  /** Takes a ticket itself, in the name of the process that started us. */
  readonly isTicket: boolean;
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
  const { workflowId, config, agent, store, clock, commandText, label, placeKey, graceMs, ticket, isTicket } = options;
  const given = {
    workflowId,
    maxConcurrentTasks: 1,
    agents: { [isTicket ? TICKET_AGENT : EXEC_AGENT]: agent },
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
    describeOwner: async (_, opened) => {
      const own = await parts.describeOwner(`exec ${commandText}`, opened);
      // Who takes a ticket is gone in a moment; whoever asked for it lives on.
      return isTicket ? { ...own, ...identityOf(process.ppid) } : own;
    },
    // Who waits and dies leaves the line, and its place behind.
    standing: {
      inside: ticket ?? parts.standing.inside,
      orphan: "vanish",
      placeKey,
      label,
      countsForMachine: false,
      ...(isTicket ? { leaseMs: TICKET_MS } : {}),
    },
  };
}
