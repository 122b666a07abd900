/** What the tools need of the inside: tasks handed over, watched, ended. The command line has the one that runs them. */
import type { AgentResult, JsonValue, LiveStatus } from "../index.ts";

/** A task as a host asks for it: a task of a plan that names its agent and never brings a command. */
export interface TaskRequest {
  readonly agent: string;
  readonly description: string;
  readonly id?: string | undefined;
  /** The rest as in a plan, word for word: `write`, `dependsOn`, `timeout` … */
  readonly [field: string]: unknown;
}

export interface Asking {
  /** Of the host's call: whoever hands the same call over twice gets the tasks of the first. */
  readonly callId: string | undefined;
  /** Refuses what may change anything. */
  readonly isReadOnly: boolean;
  /** For people: `claude-code 2.1.331`. */
  readonly client: string;
}

/** Tasks that were handed over by one call. */
export interface Batch {
  readonly workflowId: string;
  readonly tasks: readonly WatchedTask[];
}

export interface WatchedTask {
  /** Unique in its workflow. */
  readonly id: string;
  readonly workflowId: string;
  readonly agent: string;
  /** How it ended; null while it has not. */
  readonly result: AgentResult | null;
  /** Never rejects. */
  readonly ended: Promise<AgentResult>;
  /** What it printed, once it has ended; null when nothing was kept. */
  readonly log: Log | null;
  /** Resolves after its processes are gone, with whether it really ended as cancelled. */
  cancel(): Promise<boolean>;
  look(): TaskLook;
}

/** The file with everything a task printed. */
export interface Log {
  readonly file: string;
  readonly bytes: number;
  /** The last of it. */
  readonly end: string;
}

/** Of a task that has not ended. */
export interface TaskLook {
  readonly status: LiveStatus;
  /** 0 to 1. */
  readonly fraction: number;
  /** What it does, or what it waits for; empty when nothing is known. */
  readonly detail: string;
}

export interface LockRequest {
  readonly write?: readonly string[] | undefined;
  readonly read?: readonly string[] | undefined;
  readonly use?: readonly string[] | undefined;
  readonly lock?: readonly string[] | undefined;
}

export interface Desk {
  /** Checks everything, then hands over. Throws LockyardError with every fault; nothing was started then. */
  start(requests: readonly TaskRequest[], asking: Asking): Promise<Batch>;
  /** Tasks by id, or `WORKFLOW/ID`; all that are remembered when none is named. Throws INVALID_OPTION. */
  find(ids: readonly string[] | undefined): readonly WatchedTask[];
  /** What runs and what waits on this machine, and the agents there are. */
  status(): Promise<JsonValue>;
  why(what: string): Promise<JsonValue>;
  /** Throws INVALID_OPTION when the task asks nothing. */
  answer(id: string, input: JsonValue): void;
  /** Puts the whole of some results into a file; null where nothing can be written. */
  keep(results: readonly AgentResult[]): string | null;
  /** Waits in line for at most `waitMs`; null when they were not free by then. Held until released, or not renewed in time. */
  lock(request: LockRequest, options: { readonly waitMs: number; readonly client: string }): Promise<HeldByHost | null>;
  renew(id: string): Promise<HeldByHost>;
  release(id: string): Promise<void>;
  /** Waits; meanwhile the task that this server runs inside, if any, gives its slot back. */
  whileWaiting<T>(work: Promise<T>): Promise<T>;
  /** Ends everything that was started here; resolves after it is gone. */
  close(): Promise<void>;
}

export interface HeldByHost {
  readonly id: string;
  readonly resources: readonly string[];
  /** ISO 8601: let go then, unless renewed. */
  readonly until: string;
}
