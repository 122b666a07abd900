import { RATE } from "../core/claims.ts";
import { LockyardError } from "../core/errors.ts";
import { toJson } from "../core/json.ts";
import type { AgentContext, Clock, HeldLocks, Logger, Store } from "../core/ports.ts";
import type { TaskRow } from "../core/row.ts";
import type { AgentResult, Claim, JsonValue, TaskCall } from "../core/task.ts";
import { tokenVariables } from "../core/token.ts";
import type { Attempt, Loan } from "./attempt.ts";
import { type Grants, usesPool, type WrongGrant } from "./grants.ts";
import { loanOf, type NestedRequests } from "./nested-requests.ts";
import type { Observations } from "./observations.ts";
import type { ManagerParts } from "./parts.ts";
import type { Place } from "./submission.ts";
import type { Stop, TaskRecord } from "./task-record.ts";
import type { TurnQueue } from "./turn-queue.ts";

/** What a context reaches of the manager it belongs to. */
export interface ContextHost {
  readonly parts: ManagerParts;
  readonly storeFacts: Pick<Store, "scope" | "location"> | null;
  readonly requests: NestedRequests;
  readonly turns: TurnQueue;
  progressed(attempt: Attempt): void;
  /** Locks that were taken, or let go, in the middle of an attempt. */
  locksChanged(type: "lock-granted" | "lock-released", attempt: Attempt, row: TaskRow): void;
  emitted(attempt: Attempt, chunk: JsonValue): void;
  asked(attempt: Attempt, question: string): void;
  answered(attempt: Attempt): void;
  clocksChanged(attempt: Attempt): void;
  /** Submits tasks inside an attempt. Throws what is wrong with the calls. */
  startInside(attempt: Attempt, calls: readonly unknown[]): StartedInside;
  cancel(record: TaskRecord, stop: Stop): void;
  readonly grants: Grants;
  readonly observations: Pick<Observations, "locked">;
  gather(places: readonly Place[]): Promise<AgentResult[]>;
}

export interface StartedInside {
  /** One for each call. */
  readonly places: readonly Place[];
  /** Those that were started, and did not join another task. */
  readonly fresh: readonly TaskRecord[];
}

/**
 * The `ctx` of one attempt. Everything is a getter that makes what it returns when it is touched: a trivial task pays for
 * one object, and methods may be taken apart (`async (task, { progress }) => …`).
 */
export class TaskContext implements AgentContext {
  readonly #attempt: Attempt;
  readonly #host: ContextHost;

  constructor(attempt: Attempt, host: ContextHost) {
    this.#attempt = attempt;
    this.#host = host;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }
  get taskId(): string {
    return this.#attempt.record.task.taskId;
  }
  get instanceId(): string {
    return this.#attempt.instanceId;
  }
  get workflowId(): string {
    return this.#attempt.record.task.workflowId;
  }
  get attempt(): number {
    return this.#attempt.record.attempts;
  }
  get fence(): number {
    return this.#attempt.fence;
  }
  get clock(): Clock {
    return this.#host.parts.clock;
  }
  get log(): Logger {
    return this.#host.parts.logger;
  }
  get dependencies(): Readonly<Record<string, AgentResult>> {
    return this.#attempt.record.linked().results;
  }

  get env(): Readonly<Record<string, string>> {
    const { record, instanceId, fence, peek } = this.#attempt;
    const store = this.#host.storeFacts;
    return {
      ...peek?.env,
      ...tokenVariables({ workflowId: record.task.workflowId, taskId: record.task.taskId, key: record.key, fence }),
      LOCKYARD_INSTANCE: instanceId,
      LOCKYARD_FENCE: String(fence),
      // What it starts must ask the same store, or it would not be known there as this task's.
      ...(store?.scope === "machine" ? { LOCKYARD_STORE: store.location } : undefined),
    };
  }

  get progress(): AgentContext["progress"] {
    return (fraction, detail) => {
      const attempt = this.#attempt;
      if (attempt.hasSettled) return;
      attempt.lastSignMs = this.#host.parts.clock.nowMs();
      if (typeof fraction === "number" && fraction >= 0) attempt.progress = Math.min(fraction, 1);
      if (typeof detail === "string") attempt.detail = detail.slice(0, 1_024);
      this.#host.progressed(attempt);
    };
  }

  get owns(): NonNullable<AgentContext["owns"]> {
    return ({ pid }) => {
      this.#attempt.inside.pid = pid;
    };
  }

  get heartbeat(): AgentContext["heartbeat"] {
    return () => {
      this.#attempt.lastSignMs = this.#host.parts.clock.nowMs();
    };
  }

  get emit(): AgentContext["emit"] {
    return (chunk) => {
      const attempt = this.#attempt;
      if (attempt.hasSettled) return;
      attempt.lastSignMs = this.#host.parts.clock.nowMs();
      this.#host.emitted(attempt, chunk);
    };
  }

  get run(): AgentContext["run"] {
    return (calls) => this.#run(calls);
  }
  get lock(): AgentContext["lock"] {
    return (claims, options) => this.#lock(claims, options ?? {});
  }
  get ask(): AgentContext["ask"] {
    return (question) => this.#ask(question);
  }
  get rate(): AgentContext["rate"] {
    return (name, tokens) => this.#rate(name, tokens ?? 1);
  }

  async #run(calls: readonly TaskCall[]): Promise<AgentResult[]> {
    const attempt = this.#live("run tasks");
    const host = this.#host;
    const { places, fresh } = host.startInside(attempt, calls);
    const { clock } = host.parts;
    const loan = this.#slot();
    loan.give();
    attempt.pause(clock.nowMs());
    host.clocksChanged(attempt);
    // Tasks do not outlive the task that started them.
    const { inside } = attempt;
    for (const record of fresh) inside.children.add(record);
    const stopAll = (stop: Stop) => {
      for (const record of fresh) host.cancel(record, stop);
    };
    inside.onStop.add(stopAll);
    try {
      return await host.gather(places);
    } finally {
      inside.onStop.delete(stopAll);
      for (const record of fresh) inside.children.delete(record);
      if (!attempt.hasSettled && attempt.stop === null) await loan.takeBack();
      attempt.resume(clock.nowMs());
      host.clocksChanged(attempt);
    }
  }

  async #lock(claims: readonly Claim[], { queueTimeoutMs }: { readonly queueTimeoutMs?: number }): Promise<HeldLocks> {
    const attempt = this.#live("take locks");
    const { parts, requests, grants } = this.#host;
    const resolved = parts.resolveClaims(claims);
    const what = resolved.map(({ node }) => parts.resourceId(node)).join(", ");
    const look = async (row: TaskRow): Promise<WrongGrant | null> => {
      const moved = grants.moved(row, claims);
      if (moved !== null) return { taken: [], claims: moved };
      const taken = usesPool(row.claims) ? await grants.taken(row) : [];
      return taken.length === 0 ? null : { taken, claims: null };
    };
    const waiting = requests.acquire(attempt, { claims: resolved, wants: "locks", queueTimeoutMs, what, look });
    this.#host.clocksChanged(attempt);
    const request = await waiting;
    this.#host.clocksChanged(attempt);
    const row = request.row;
    if (row === null) throw new LockyardError("BUG", "a granted request has a row");
    this.#host.observations.locked(row);
    this.#host.locksChanged("lock-granted", attempt, row);
    const onEnded = () => this.#host.locksChanged("lock-released", attempt, row);
    request.onEnded = onEnded;
    const pools = usesPool(row.claims) ? await grants.open(row) : null;
    if (pools !== null) attempt.inside.pools.add(pools);
    let releasing: Promise<void> | null = null;
    const release = () => {
      releasing ??= letGo();
      return releasing;
    };
    const letGo = async () => {
      await pools?.close();
      if (request.isReleased) return;
      const ended = new Promise<void>((resolve) => {
        request.onEnded = () => {
          onEnded();
          resolve();
        };
      });
      requests.release(request);
      await ended;
    };
    const resources = row.claims.map(({ node }) => parts.resourceId(node));
    const members = pools?.members ?? {};
    return { fence: row.fence, resources, members, release, [Symbol.asyncDispose]: release };
  }

  async #rate(name: string, tokens: number): Promise<void> {
    const attempt = this.#live("take a rate");
    const { parts, requests } = this.#host;
    const resolved = parts.resolveClaims([{ use: name, units: tokens }]);
    if (resolved.some(({ mode }) => mode !== RATE)) {
      throw new LockyardError("INVALID_CLAIM", `${name} is not a rate.`, {
        hint: `Use ctx.lock([{ use: ${JSON.stringify(name)} }]) for a capacity or pool.`,
      });
    }
    for (const { node } of resolved) attempt.inside.rates.add(node);
    const waiting = requests.acquire(attempt, { claims: resolved, wants: "locks", what: name });
    this.#host.clocksChanged(attempt);
    requests.release(await waiting);
    this.#host.clocksChanged(attempt);
  }

  async #ask(question: string): Promise<JsonValue> {
    const attempt = this.#live("ask");
    const { clock } = this.#host.parts;
    const { inside } = attempt;
    if (inside.answer !== null)
      throw new LockyardError("INVALID_OPTION", `Task ${this.taskId} has asked already and waits for the answer.`);
    const loan = this.#slot();
    let giveUp: (stop: Stop) => void = () => undefined;
    const answered = new Promise<unknown>((resolve, reject) => {
      inside.answer = { question: String(question), resolve };
      giveUp = (stop) => reject(new LockyardError(stop.code, stop.message));
    });
    inside.onStop.add(giveUp);
    loan.give(true);
    inside.askedAtMs = clock.nowMs();
    attempt.pause(inside.askedAtMs);
    attempt.record.state = "needs_input";
    this.#host.clocksChanged(attempt);
    this.#host.asked(attempt, String(question));
    try {
      const { ok, fault } = toJson(await answered, { where: "input" });
      if (fault !== undefined)
        throw new LockyardError("INVALID_CONTEXT", `${fault.where} ${fault.what}.`, { hint: fault.hint });
      return ok;
    } finally {
      inside.onStop.delete(giveUp);
      inside.answer = null;
      inside.askedAtMs = 0;
      this.#host.answered(attempt);
      if (!attempt.hasSettled && attempt.stop === null) {
        await loan.takeBack();
        attempt.record.state = "running";
      }
      attempt.resume(clock.nowMs());
      this.#host.clocksChanged(attempt);
    }
  }

  #slot(): Loan {
    return loanOf(this.#attempt, this.#host);
  }

  /** The attempt, when it may still ask for things. */
  #live(what: string): Attempt {
    const attempt = this.#attempt;
    if (attempt.stop !== null) throw new LockyardError(attempt.stop.code, attempt.stop.message);
    if (attempt.hasSettled) {
      throw new LockyardError("CLOSED", `Task ${this.taskId} has ended and can no longer ${what}.`, {
        hint: "Await everything the task starts before it returns.",
      });
    }
    return attempt;
  }
}
