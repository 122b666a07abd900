/**
 * Instances: from the grant to the end of an attempt. Everything an agent does to the engine comes through here.
 *
 *  A1 an attempt ends once: with its own outcome, or with the stop that was asked of it first
 *  A2 an instance that was asked to stop keeps its locks until it settles; its slot is free after this turn of the event
 *     loop, and after the grace it is quarantined and its task's result delivered without it
 *  A3 nothing an agent throws, returns or leaves behind reaches another task
 */
import type { IsoTimes } from "../clock/iso-times.ts";
import { DEFAULTS } from "../core/bounds.ts";
import type { ResolvedClaim } from "../core/claims.ts";
import type { Awaitable } from "../core/ports.ts";
import type { TaskRow } from "../core/row.ts";
import type { ResourceLock, StandardSchema } from "../core/task.ts";
import type { Agenda } from "./agenda.ts";
import { Attempt, type AttemptClocks, nextClock } from "./attempt.ts";
import { failure, type Outcome, outcomeOf, settled } from "./containment.ts";
import type { ManagerParts } from "./parts.ts";
import { type ContextHost, TaskContext } from "./task-context.ts";
import type { Stop, TaskRecord } from "./task-record.ts";
import type { TaskTable } from "./task-table.ts";

/** What the dispatcher does with what happens to attempts. */
export interface InstanceListener {
  started(attempt: Attempt): void;
  /** It settled: with its own outcome, or late after a stop. */
  ended(attempt: Attempt, outcome: Outcome): void;
  /** Stopping takes longer than a turn of the event loop. */
  lingering(attempt: Attempt): void;
  /** It did not stop within the grace. */
  abandoned(attempt: Attempt): void;
  /** Locks as the resource manager sees them. */
  locksOf(attempt: Attempt): Awaitable<readonly ResourceLock[]>;
}

export class Instances implements AttemptClocks {
  readonly #parts: ManagerParts;
  readonly #agenda: Agenda;
  readonly #table: TaskTable;
  readonly #times: IsoTimes;
  readonly #newId: (agentId: string) => string;
  readonly #listener: InstanceListener;
  /** Set once, by the manager that owns both. */
  host: ContextHost | null = null;

  constructor(wiring: {
    readonly parts: ManagerParts;
    readonly agenda: Agenda;
    readonly table: TaskTable;
    readonly times: IsoTimes;
    readonly newId: (agentId: string) => string;
    readonly listener: InstanceListener;
  }) {
    this.#parts = wiring.parts;
    this.#agenda = wiring.agenda;
    this.#table = wiring.table;
    this.#times = wiring.times;
    this.#newId = wiring.newId;
    this.#listener = wiring.listener;
  }

  start(record: TaskRecord, row: TaskRow): void {
    const attempt = new Attempt(record, row, {
      instanceId: this.#newId(record.task.agentId),
      clocks: this,
      nowMs: this.#parts.clock.nowMs(),
    });
    record.phase = attempt;
    record.state = "running";
    record.attempts++;
    this.#table.attempts.add(attempt);
    this.watchClocks(attempt);
    this.#listener.started(attempt);
    // Owned: it never rejects.
    void this.#perform(attempt);
  }

  async #perform(attempt: Attempt): Promise<void> {
    const { agent, task } = attempt.record;
    const { resourceManager } = this.#parts;
    let outcome: Outcome;
    let locks: readonly ResourceLock[] | null = null;
    try {
      const moved = movedClaims(attempt, this.#parts);
      if (moved.length > 0) await this.#takeMoved(attempt, moved);
      const { members } = attempt.row;
      if (members !== null || resourceManager.prepare !== undefined || resourceManager.dispose !== undefined) {
        locks = await this.#listener.locksOf(attempt);
        attempt.inside.env = {
          ...poolEnvironment(locks, this.#parts),
          ...(await resourceManager.prepare?.(task, locks)),
        };
      }
      if (attempt.stop !== null) throw new Error(attempt.stop.message);
      const host = this.host;
      if (host === null) throw new Error("an instance starts after its manager is whole");
      const returned = settled(agent.run(task, new TaskContext(attempt, host)));
      const value = returned instanceof Promise ? await returned : returned;
      // A schema that is no Standard Schema throws here, and fails the attempt.
      const judged = outcomeOf(value, task.outputSchema ?? (agent.output as StandardSchema | undefined));
      outcome = judged instanceof Promise ? await judged : judged;
    } catch (thrown) {
      outcome = failure(thrown, this.#times.wallMs(this.#parts.clock.nowMs()));
    }
    if (locks !== null && resourceManager.dispose !== undefined) {
      // A manager that cannot clean up says so in its own log: the task's outcome stands.
      try {
        await resourceManager.dispose(task, locks);
      } catch (thrown) {
        this.#parts.logger.warn(`resourceManager.dispose failed for task ${task.taskId}`, { error: String(thrown) });
      }
    }
    this.#end(attempt, outcome);
  }

  /** A link on its way was changed while the task waited: what the path means now is locked too before anything runs. */
  async #takeMoved(attempt: Attempt, claims: readonly ResolvedClaim[]): Promise<void> {
    const what = claims.map(({ node }) => this.#parts.resourceId(node)).join(", ");
    await this.host?.requests.acquire(attempt, { claims, wants: "locks", what });
    this.watchClocks(attempt);
  }

  #end(attempt: Attempt, outcome: Outcome): void {
    attempt.hasSettled = true;
    this.#agenda.clear(attempt);
    this.#table.attempts.delete(attempt);
    this.#table.abandoned.delete(attempt);
    this.#listener.ended(attempt, outcome);
  }

  /** The store has ended it behind our back: nothing it still does counts. */
  disown(attempt: Attempt, stop: Stop): void {
    if (attempt.stop === null) attempt.askToStop(stop);
    attempt.stage = "abandoned";
    this.#agenda.clear(attempt);
    this.#table.attempts.delete(attempt);
    this.#table.abandoned.add(attempt);
  }

  /** Asks an instance to stop. The first to ask decides what its result says. */
  stop(attempt: Attempt, stop: Stop): void {
    if (attempt.stop !== null || attempt.hasSettled) return;
    const nowMs = this.#parts.clock.nowMs();
    attempt.record.state = "ending";
    attempt.stageAtMs = nowMs;
    // On the agenda first: whoever listens to the signal may settle the attempt in this very call.
    this.#agenda.set(attempt, nowMs);
    attempt.askToStop(stop);
  }

  /** Looks anew at which of its clocks runs out next. */
  watchClocks(attempt: Attempt): void {
    if (attempt.hasSettled) return;
    const next = nextClock(attempt);
    if (next === null) this.#agenda.clear(attempt);
    else this.#agenda.set(attempt, next.atMs);
  }

  clockElapsed(attempt: Attempt, nowMs: number): void {
    const next = nextClock(attempt);
    if (next === null) return;
    if (next.atMs > nowMs) return this.#agenda.set(attempt, next.atMs);
    const { task } = attempt.record;
    switch (next.name) {
      case "run":
        return this.stop(
          attempt,
          overrun(task.taskId, { verb: "ran", limit: "timeoutMs", code: "RUN_TIMEOUT", ms: task.timeoutMs ?? 0 }),
        );
      case "idle":
        return this.stop(
          attempt,
          overrun(task.taskId, {
            verb: "gave no sign of life for",
            limit: "idleTimeoutMs",
            code: "IDLE_TIMEOUT",
            ms: task.idleTimeoutMs ?? 0,
          }),
        );
      case "input":
        return this.stop(
          attempt,
          overrun(task.taskId, {
            verb: "waited for an answer for",
            limit: "inputTimeoutMs",
            code: "INPUT_TIMEOUT",
            ms: task.inputTimeoutMs ?? 0,
          }),
        );
      case "stage":
        return this.#nextStage(attempt, nowMs);
    }
  }

  #nextStage(attempt: Attempt, nowMs: number): void {
    if (attempt.stage === "asked") {
      attempt.stage = "ending";
      // An owned process is asked, killed and proven dead by its agent, which takes the grace and then some.
      const proofMs = attempt.record.agent.holder === "owned" ? DEFAULTS.proofMs : 0;
      attempt.stageAtMs = nowMs + this.#parts.graceMs + proofMs;
      this.#agenda.set(attempt, attempt.stageAtMs);
      this.#listener.lingering(attempt);
      return;
    }
    attempt.stage = "abandoned";
    this.#table.attempts.delete(attempt);
    this.#table.abandoned.add(attempt);
    this.#listener.abandoned(attempt);
  }
}

/** Locks its paths need now beyond those it has. */
function movedClaims({ record }: Attempt, { recheckClaims }: ManagerParts): readonly ResolvedClaim[] {
  if (!hasPaths(record.claims)) return NOTHING;
  const { task, agent } = record;
  const asked = [...(task.claims ?? NOTHING), ...(agent.claims?.(task.contextData ?? {}, task) ?? NOTHING)];
  const paths = asked.filter((claim) => "write" in claim || "read" in claim);
  const held = new Map(record.claims.map(({ node, mode }) => [node, mode]));
  return recheckClaims(paths).filter(({ node, mode }) => (held.get(node) ?? 0) < mode);
}

function hasPaths(claims: readonly ResolvedClaim[]): boolean {
  for (const { node } of claims) if (node.charCodeAt(0) === 102 /* f */) return true;
  return false;
}

const NOTHING: readonly never[] = [];

/** Members of pools, as the variables that were declared with them: `PORT=3000`, several with commas. */
function poolEnvironment(locks: readonly ResourceLock[], { poolVariables }: ManagerParts): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { resourceId, members } of locks) {
    const name = members === undefined ? undefined : poolVariables.get(resourceId);
    if (name !== undefined && members !== undefined) variables[name] = members.join(",");
  }
  return variables;
}

function overrun(
  taskId: string,
  facts: { readonly verb: string; readonly limit: string; readonly code: Stop["code"]; readonly ms: number },
): Stop {
  const ms = facts.ms.toLocaleString("en");
  return {
    status: "timed_out",
    code: facts.code,
    message: `Task ${taskId} ${facts.verb} ${ms} ms and its ${facts.limit} is ${ms}.`,
  };
}
