/**
 * One workflow of a server: an engine with the agents its configuration may start. A configuration that changes, or an id
 * that is used again, begins another one; the old one goes on until its tasks have ended.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { BOUNDS } from "../../edges/basics.ts";
import { type HolderToken, randomPart } from "../../edges/run.ts";
import type { AgentResult, Clock, JsonValue, StoreDescriptor } from "../../index.ts";
import type { Log, TaskLook, WatchedTask } from "../../mcp/desk.ts";
import { builtInAgent, CODING_KINDS } from "../../plan/agent.ts";
import type { Member } from "../../plan/member.ts";
import type { PlanAgent } from "../../plan/plan.ts";
import { missingProgram } from "../run/missing-program.ts";
import { agentsFor, type PlanAgents } from "../run/plan-agents.ts";
import { logFile, TaskLogs } from "../run/task-logs.ts";
import { SessionManager } from "./session-manager.ts";

export interface SessionOptions {
  readonly config: Config;
  /** Absolute. */
  readonly cwd: string;
  readonly trusted: (declaredBy: string) => boolean;
  readonly store: StoreDescriptor;
  readonly clock: Clock;
  readonly concurrency: number;
  readonly client: string;
  /** What the host holds itself: in nobody's way here. */
  readonly inside: HolderToken | null;
}

export class Session {
  readonly workflowId: string;
  readonly manager: SessionManager;
  readonly #agents: PlanAgents;
  readonly #logs: TaskLogs;
  readonly #ids = new Set<string>();
  readonly #clock: Clock;
  #live = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looks: ReadonlyMap<string, TaskLook> = new Map();
  #closing: Promise<void> | null = null;

  constructor({ config, cwd, trusted, store, clock, concurrency, client, inside }: SessionOptions) {
    this.#clock = clock;
    this.workflowId = `mcp-${randomPart(() => clock.random())}`;
    this.#agents = agentsFor(startable(config, trusted), { root: cwd, keep: config.keep });
    this.#logs = new TaskLogs(this.workflowId, () => this.file);
    this.manager = new SessionManager({
      workflowId: this.workflowId,
      config,
      concurrency,
      agents: this.#agents.agents,
      memberOf: (taskId) => this.#agents.memberOf(taskId),
      store,
      clock,
      monitor: { onEvent: (event) => this.#logs.event(event) },
      label: `mcp ${client}`,
      inside,
    });
  }

  /** The file of the store others see too; null for none, and before it is open. */
  get file(): string | null {
    const { store } = this.manager;
    return store === null || store.scope === "process" ? null : store.location;
  }

  /** Whether something runs or waits. */
  get isBusy(): boolean {
    return this.#live > 0;
  }

  knows(taskId: string): boolean {
    return this.#ids.has(taskId);
  }

  /** Hands tasks over. Throws as the engine does; rejects with STORE_… when the store cannot be opened. */
  async start(members: readonly Member[]): Promise<readonly WatchedTask[]> {
    // Opened first: what is wrong with the store is the call's fault, not that of every task.
    await this.manager.view(() => null);
    this.#agents.add(members);
    const handles = this.manager.handOver(members.map(({ call }) => call));
    return handles.map((handle, at) => {
      const { taskId } = handle;
      this.#ids.add(taskId);
      this.#live++;
      let result: AgentResult | null = null;
      const ended = handle.result.then((given) => {
        result = given;
        this.#live--;
        return given;
      });
      const session = this;
      return {
        id: taskId,
        workflowId: this.workflowId,
        agent: members[at]?.call.agentId ?? "",
        get result() {
          return result;
        },
        get log() {
          return session.#logOf(taskId);
        },
        ended,
        cancel: () => handle.cancel(),
        look: () => session.#look(taskId),
      };
    });
  }

  answer(taskId: string, input: JsonValue): void {
    this.manager.answer(taskId, input);
  }

  /** Ends what is left; twice is fine. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.manager.close();
    this.#logs.close();
    await this.#agents.close();
  }

  #logOf(taskId: string): Log | null {
    return this.file === null ? null : readEnd(logFile(this.file, this.workflowId, taskId));
  }

  /** Asked for every task of a call at once, so looked at once. */
  #look(taskId: string): TaskLook {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#lookedAtMs > LOOK_MS) {
      this.#lookedAtMs = nowMs;
      this.#looks = looksAt(this.manager);
    }
    return this.#looks.get(taskId) ?? { status: "waiting", fraction: 0, detail: "" };
  }
}

/** Bytes read of a log: more than an answer has room for. */
const END_BYTES = 8 * 1024;

/** Null where there is none: a task that printed nothing, or a disk that is full. */
function readEnd(file: string): Log | null {
  try {
    const handle = openSync(file, "r");
    try {
      const bytes = fstatSync(handle).size;
      const buffer = Buffer.alloc(Math.min(bytes, END_BYTES));
      readSync(handle, buffer, 0, buffer.length, bytes - buffer.length);
      return { file, bytes, end: buffer.toString("utf8") };
    } finally {
      closeSync(handle);
    }
  } catch {
    return null;
  }
}

/** Milliseconds a look is good for. */
const LOOK_MS = 100;

function looksAt(manager: SessionManager): ReadonlyMap<string, TaskLook> {
  const { runningInstances, waiting } = manager.getParallelExecutionStatus();
  const looks = new Map<string, TaskLook>();
  for (const { taskId, reason } of waiting) looks.set(taskId, { status: "waiting", fraction: 0, detail: reason });
  for (const { taskId, status, progress, detail = "" } of Object.values(runningInstances))
    looks.set(taskId, { status, fraction: progress, detail });
  return looks;
}

/** Agents that are installed and that somebody vouches for. */
function startable(config: Config, trusted: (declaredBy: string) => boolean): readonly PlanAgent[] {
  return knownAgents(config).filter((agent) => missingProgram(agent) === undefined && trusted(agent.declaredBy));
}

/** Those of the configuration, and those that need no entry in it where they are installed. */
export function knownAgents(config: Config): readonly PlanAgent[] {
  const builtIn = CODING_KINDS.filter((kind) => config.agents[kind] === undefined).flatMap((kind) => {
    const agent = builtInAgent(kind);
    return agent === undefined || missingProgram(agent) !== undefined ? [] : agent;
  });
  return [...Object.values(config.agents), ...builtIn].slice(0, BOUNDS.agentMetrics);
}
