/** What the tools of `lockyard mcp` are served with: sessions of one host, what they started, looks at the store. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Config } from "../../config/config.ts";
import { BOUNDS, LockyardError, neutralise, stateDirectory, suggest } from "../../edges/basics.ts";
import { realRoot } from "../../edges/names.ts";
import type { HolderToken } from "../../edges/run.ts";
import type { AgentResult, Clock, JsonObject, JsonValue, StoreDescriptor, Timer } from "../../index.ts";
import type { Asking, Batch, Desk, HeldByHost, LockRequest, TaskRequest, WatchedTask } from "../../mcp/desk.ts";
import { whyJson } from "../commands/why.ts";
import { configFor } from "../config-for.ts";
import { statusReport } from "../look/status-report.ts";
import { missingProgram } from "../run/missing-program.ts";
import { DEFAULT_CONCURRENCY } from "../run/plan-manager.ts";
import { forgetOldLogs, logFile } from "../run/task-logs.ts";
import { trustOf } from "../run/trust.ts";
import type { Environment } from "../terminal/capabilities.ts";
import { HostLocks } from "./host-locks.ts";
import { membersOf } from "./requests.ts";
import { knownAgents, Session } from "./session.ts";

export interface DeskOptions {
  /** Absolute: where the server was started. */
  readonly cwd: string;
  readonly env: Environment;
  readonly clock: Clock;
  readonly storeFor: (config: Config) => StoreDescriptor;
  /** The task that the server runs inside of; null outside of any. */
  readonly inside: HolderToken | null;
}

/** What is known of the configuration now; a change of it makes another one. */
interface Setting {
  readonly config: Config;
  readonly trusted: (declaredBy: string) => boolean;
  /** Equal for equal settings. */
  readonly key: string;
}

/** Milliseconds between two signs that we wait. */
const TELL_MS = 10_000;

export class ServerDesk implements Desk {
  readonly #options: DeskOptions;
  readonly #sessions: Session[] = [];
  readonly #settings = new Map<Session, string>();
  /** Everything that was started here, by id; the latest of that name. */
  readonly #tasks = new Map<string, WatchedTask>();
  readonly #calls = new Map<string, Promise<Batch>>();
  readonly #locks: HostLocks;
  /** Calls that wait for tasks. */
  #waits = 0;
  #telling: Timer | null = null;
  #names = 0;
  #files = 0;
  #isClosed = false;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#locks = new HostLocks({
      clock: options.clock,
      cwd: options.cwd,
      setting: async () => {
        const { config } = await this.#setting();
        return { config, store: options.storeFor(config) };
      },
    });
  }

  start(requests: readonly TaskRequest[], asking: Asking): Promise<Batch> {
    const { callId } = asking;
    const known = callId === undefined ? undefined : this.#calls.get(callId);
    if (known !== undefined) return known;
    const starting = this.#start(requests, asking);
    if (callId === undefined) return starting;
    this.#calls.set(callId, starting);
    forgetFirst(this.#calls, BOUNDS.mcpCalls);
    // What was refused may be handed over again.
    starting.catch(() => this.#calls.delete(callId));
    return starting;
  }

  async #start(requests: readonly TaskRequest[], { isReadOnly, client }: Asking): Promise<Batch> {
    const setting = await this.#setting();
    const { config, trusted } = setting;
    const { cwd } = this.#options;
    const nameFor = (agent: string) => `${agent}-${++this.#names}`;
    const members = await membersOf(requests, { config, cwd, trusted, isReadOnly, nameFor });
    const live = members.find(({ call }) => this.#tasks.get(call.taskId)?.result === null);
    if (live !== undefined) {
      throw new LockyardError("DUPLICATE_TASK", `Task ${live.call.taskId} has not ended yet.`, {
        hint: "Choose another id, or wait for it.",
      });
    }
    const session = this.#sessionFor(
      setting,
      members.map(({ call }) => call.taskId),
      client,
    );
    const tasks = await session.start(members);
    for (const task of tasks) {
      this.#tasks.delete(task.id);
      this.#tasks.set(task.id, task);
    }
    this.#forgetTasks();
    return { workflowId: session.workflowId, tasks };
  }

  /** One that has this setting and none of these ids; what is not needed any more is closed. */
  #sessionFor(setting: Setting, ids: readonly string[], client: string): Session {
    if (this.#isClosed) throw new LockyardError("CANCELLED", "The server is closing.");
    const { config, trusted } = setting;
    const { inside } = this.#locks;
    const key = `${inside?.key ?? ""} ${setting.key}`;
    const fitting = this.#sessions.find(
      (session) => this.#settings.get(session) === key && !ids.some((id) => session.knows(id)),
    );
    if (fitting !== undefined) return fitting;
    for (const old of this.#sessions.filter(({ isBusy }) => !isBusy)) {
      this.#sessions.splice(this.#sessions.indexOf(old), 1);
      this.#settings.delete(old);
      old.close().catch(() => undefined); // it has nothing left to lose
    }
    const { cwd, clock, storeFor } = this.#options;
    const concurrency = typeof config.concurrency === "number" ? config.concurrency : DEFAULT_CONCURRENCY;
    const store = storeFor(config);
    const session = new Session({ config, cwd, trusted, store, clock, concurrency, client, inside });
    this.#sessions.push(session);
    this.#settings.set(session, key);
    return session;
  }

  /** The configuration as it is now: a person may approve or change it while the host runs. */
  async #setting(): Promise<Setting> {
    const { cwd, env } = this.#options;
    const config = await configFor({ cwd, env });
    const trust = trustOf(config, env);
    const trusted = (declaredBy: string) => declaredBy === "" || trust.isTrusted(declaredBy);
    const key = JSON.stringify(config.files.map(({ path, text }) => [path, text, trusted(path)]));
    return { config, trusted, key };
  }

  /** What ended long ago is forgotten; the store remembers it. */
  #forgetTasks(): void {
    for (const [id, { result }] of this.#tasks) {
      if (this.#tasks.size <= BOUNDS.mcpTasks) return;
      if (result !== null) this.#tasks.delete(id);
    }
  }

  find(ids: readonly string[] | undefined): readonly WatchedTask[] {
    if (ids === undefined) return [...this.#tasks.values()];
    return ids.map((id) => this.#taskNamed(id));
  }

  #taskNamed(name: string): WatchedTask {
    const short = name.slice(name.indexOf("/") + 1);
    const task = this.#tasks.get(name) ?? this.#tasks.get(short);
    if (task !== undefined && (task.id === name || name === `${task.workflowId}/${task.id}`)) return task;
    const near = suggest(name, [...this.#tasks.keys()]);
    throw new LockyardError("INVALID_OPTION", `Nothing named ${JSON.stringify(neutralise(name))} was started here.`, {
      hint: near === undefined ? "status lists what runs; why tells of tasks of others." : `Did you mean "${near}"?`,
    });
  }

  async status(): Promise<JsonValue> {
    const { config, trusted } = await this.#setting();
    const { cwd, clock } = this.#options;
    const root = realRoot(config.root);
    const manager = (await this.#anySession()).manager;
    const location = manager.store?.location ?? "";
    const report = await manager.view((view) =>
      statusReport(view, { location, nowMs: clock.nowMs(), root, withLocks: false }),
    );
    const agents = knownAgents(config).map((agent) => ({
      name: agent.name,
      kind: agent.kind,
      ...(agent.readOnly === true ? { readOnly: true } : {}),
      ...(missingProgram(agent) === undefined ? {} : { canRun: false }),
      ...(trusted(agent.declaredBy) ? {} : { needs: "the user must approve it: lockyard trust" }),
    }));
    const { counts, running, waiting, paused } = report;
    const capacities = [...config.inForce.values()].map(({ name }) => name);
    return plain({
      agents,
      capacities,
      counts,
      running: running.map(({ forMs, ...row }) => ({ ...row, forMs: Math.round(forMs) })),
      waiting: waiting.map(({ workflowId, taskId, reason, position, hint }) => ({
        workflowId,
        taskId,
        reason,
        position,
        hint,
      })),
      paused,
      directory: cwd,
    });
  }

  async why(what: string): Promise<JsonValue> {
    const { config } = await this.#setting();
    const { cwd, clock } = this.#options;
    const { manager } = await this.#anySession();
    const context = { nowMs: clock.nowMs(), root: realRoot(config.root), cwd };
    return plain(await manager.view((view) => whyJson(view, what, context)));
  }

  /** Whatever looks needs a store; any session has it. */
  async #anySession(): Promise<Session> {
    const [session] = this.#sessions;
    return session ?? this.#sessionFor(await this.#setting(), [], "a host");
  }

  answer(id: string, input: JsonValue): void {
    const { id: taskId, workflowId } = this.#taskNamed(id);
    const session = this.#sessions.find((each) => each.workflowId === workflowId);
    if (session === undefined) throw new LockyardError("INVALID_OPTION", `Task ${taskId} has ended and asks nothing.`);
    session.answer(taskId, input);
  }

  keep(results: readonly AgentResult[]): string | null {
    const [session] = this.#sessions;
    if (session === undefined) return null;
    const store = session.file ?? join(stateDirectory(), "memory");
    const file = join(dirname(logFile(store, session.workflowId, "x")), `answer-${++this.#files}.json`);
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      writeFileSync(file, JSON.stringify(results, null, 2), { mode: 0o600 });
      return file;
    } catch {
      // The answer says how much was left out; a full disk is no reason to lose the rest.
      return null;
    }
  }

  lock(
    request: LockRequest,
    options: { readonly waitMs: number; readonly client: string },
  ): Promise<HeldByHost | null> {
    return this.#locks.lock(request, options);
  }

  renew(id: string): Promise<HeldByHost> {
    return this.#locks.renew(id);
  }

  release(id: string): Promise<void> {
    return this.#locks.release(id);
  }

  async whileWaiting<T>(work: Promise<T>): Promise<T> {
    if (this.#options.inside === null) return work;
    if (this.#waits++ === 0) this.#tellWait();
    try {
      return await work;
    } finally {
      if (--this.#waits === 0) this.#tellWait();
    }
  }

  /** The task around us is told again and again while we wait: it goes on by itself when we are gone. */
  #tellWait(): void {
    const { inside, clock } = this.#options;
    this.#telling?.cancel();
    // One that does not hold any more hears nothing, and that is as good.
    if (inside !== null) this.#sessions.at(-1)?.manager.tellWait(inside.key, this.#waits > 0 ? 3 * TELL_MS : 0);
    if (this.#waits > 0) this.#telling = clock.setTimer(TELL_MS, () => this.#tellWait(), { background: true });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const file = this.#sessions[0]?.file ?? null;
    await Promise.all([...this.#sessions.map((session) => session.close()), this.#locks.close()]);
    if (file !== null) forgetOldLogs(file, this.#options.clock.wallMs());
  }
}

function forgetFirst(map: Map<string, unknown>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

/** Without what is undefined, and no reference to what may change. */
function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject; // made from an object
}
