/** The seams of the engine: what it needs from parts it must not know. `compose.ts` fills them in. */
import type { Agents } from "../core/agent-types.ts";
import type { ResolvedClaim } from "../core/claims.ts";
import type { Command, Owner } from "../core/command.ts";
import type { Pool } from "../core/pool.ts";
import type {
  Awaitable,
  Clock,
  DeadOwner,
  ErrorHandler,
  Logger,
  Monitor,
  Observed,
  ProgressTracker,
  QuarantinePolicy,
  ResourceManager,
  Scheduler,
  Store,
  StoreDescriptor,
} from "../core/ports.ts";
import type { OrphanPolicy } from "../core/row.ts";
import type { AgentResult, AgentTask, Claim, RetryPolicy, TaskGroup } from "../core/task.ts";
import type { HolderToken } from "../core/token.ts";

/** Figures of a run. Told about ends and waits; never asked in a decision. */
export interface MetricsRecorder {
  finished(
    result: AgentResult,
    facts: {
      readonly runMs: number;
      readonly heldMs: number;
      readonly claims: readonly ResolvedClaim[];
      readonly task: AgentTask;
    },
  ): void;
  retried(agentId: string): void;
  /** A task stopped waiting at this node after so many milliseconds. */
  waited(node: string, waitedMs: number): void;
  /** How long tasks of this kind usually run; null when nothing is known. */
  typicalMs(task: AgentTask): number | null;
}

/** Limits of a whole tree of tasks. A breach pauses what has not started, kills nothing, and says how to go on. */
export interface Budget {
  /** Tasks started. */
  readonly tasks?: number;
  /** Input and output tokens together, as agents report them. */
  readonly tokens?: number;
  readonly costUsd?: number;
  /** Milliseconds from the first start. */
  readonly wallMs?: number;
  /** Levels of tasks that start tasks; at most 4. */
  readonly spawnDepth?: number;
}

/**
 * The place of this whole manager in a shared store: what it was started inside of, and how its tasks stand in line. A
 * task that runs in another process hands its token to whatever it starts (L11).
 */
export interface Standing {
  /** The holder this process was started by; null outside of any. It counts only while it holds. */
  readonly inside: HolderToken | null;
  /** What becomes of this manager's tasks when its process is gone. Default `fail`. */
  readonly orphan?: OrphanPolicy;
  /** Session, directory and command of a waiter whose place is kept (L13). Default none. */
  readonly placeKey?: string;
  /** How people name its tasks; default the task's id. */
  readonly label?: string;
  /** Whether its tasks count among those the machine may run at once; default true. */
  readonly countsForMachine?: boolean;
  /** Of guests only: milliseconds after which what they got lapses. */
  readonly leaseMs?: number;
}

/** What went before, when a manager goes on with the workflow of a process that is gone. */
export interface EarlierWork {
  /** How a task ended in an earlier process, or so long ago that the manager has forgotten it. */
  resultOf(taskId: string): AgentResult | undefined;
  /** Whether this task takes the place of what is left of it in the store. */
  runsAgain(taskId: string): boolean;
  /** Counts against the budget. */
  readonly spent: Spent;
}

export interface Spent {
  readonly tasks: number;
  readonly tokens: number;
  readonly costUsd: number;
}

export type OwnerDescription = Omit<Owner, "ownerId" | "beatAtMs">;

export interface ManagerParts {
  readonly workflowId: string;
  /** Tasks that may run at once. The manager changes it when it is configured; metrics read it. */
  readonly slots: { configured: number };
  readonly agents: Agents;
  readonly budget: Budget;
  readonly clock: Clock;
  readonly store: StoreDescriptor;
  readonly scheduler: Scheduler;
  readonly resourceManager: ResourceManager;
  readonly errorHandler: ErrorHandler;
  readonly progressTracker: ProgressTracker;
  readonly monitor: Monitor | null;
  readonly metrics: MetricsRecorder;
  readonly logger: Logger;
  /** Milliseconds an instance has to stop after its signal was aborted. */
  readonly graceMs: number;
  /** Owner that stands behind this manager's tasks. Asked once, when the store is opened. */
  readonly describeOwner: (label: string, store: Pick<Store, "scope">) => Awaitable<OwnerDescription>;
  /** Those of a shared store's other owners that are gone. Absent: this manager does not look. */
  readonly findDeadOwners?: (owners: readonly Owner[]) => Promise<readonly DeadOwner[]>;
  /** Capacities, pools and rates declared with this manager, as an owner declares them. */
  readonly declarations: (by: string) => readonly Extract<Command, { type: "declare" }>[];
  readonly isDeclared: (name: string) => boolean;
  /** Looks at paths now; what it returns looks again and tells what changed. */
  readonly observe: (paths: readonly string[], root: string) => Promise<() => Promise<Observed>>;
  /** Keepers of the declared pools, by node, for a store at this place. */
  readonly pools: (storeLocation: string) => ReadonlyMap<string, Pool>;
  /** Throws one LockyardError that lists every fault of the claims, placed at `claims[0].write`. */
  readonly resolveClaims: (claims: readonly Claim[]) => readonly ResolvedClaim[];
  /** The same, asked of the file system anew: links may have changed while the task waited. */
  readonly recheckClaims: (claims: readonly Claim[]) => readonly ResolvedClaim[];
  /** Name of a node for people. */
  readonly resourceId: (node: string) => string;
  readonly groupOf: (task: AgentTask) => TaskGroup;
  /** Milliseconds before the attempt after this one. */
  readonly retryDelayMs: (policy: RetryPolicy, attempt: number, random: () => number) => number;
  /** What tasks do behind one that could not be stopped; default `wait`. */
  readonly onQuarantine?: QuarantinePolicy | undefined;
  /** Tasks that all processes of the machine may run at once, as the user's own file says. */
  readonly machineConcurrency?: number | undefined;
  /** Share of this workflow beside others in one store; default 1. */
  readonly weight?: number | undefined;
  readonly earlier?: EarlierWork;
  /** Another process wants tasks of this workflow that ended without success to run again. Absent: they cannot. */
  readonly onRetry?: (taskIds: readonly string[]) => void;
  /** Absolute directory that relative paths lie below, for sentences. */
  readonly root: string;
  readonly standing: Standing;
}
