/**
 * Instances: from the grant to the end of an attempt. Everything an agent does to the engine comes through here.
 *
 *  A1 an attempt ends once: with its own outcome, or with the stop that was asked of it first
 *  A2 an instance that was asked to stop keeps its locks until it settles; its slot is free after this turn of the event
 *     loop, and after the grace it is quarantined and its task's result delivered without it
 *  A3 one whose agent says that something of it still runs is quarantined at once, and settles when that is gone
 *  A4 nothing an agent throws, returns or leaves behind reaches another task
 */
import type { IsoTimes } from "../clock/iso-times.ts";
import { DEFAULTS, EDGE } from "../core/bounds.ts";
import { LockyardError, type TaskError } from "../core/errors.ts";
import type { TaskRow } from "../core/row.ts";
import type { ResourceLock, StandardSchema } from "../core/task.ts";
import type { Agenda } from "./agenda.ts";
import { Attempt, type AttemptClocks, nextClock } from "./attempt.ts";
import { failure, type Outcome, outcomeOf, settled, whenGone } from "./containment.ts";
import { type Grants, hasPaths, type OpenPools, usesPool, type WrongGrant } from "./grants.ts";
import type { Observations } from "./observations.ts";
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
  /** It did not stop within the grace; or its agent says what could not be ended. */
  abandoned(attempt: Attempt, error: TaskError | null): void;
  /** What it was granted cannot be used as it is: back in line. */
  putBack(attempt: Attempt, wrong: WrongGrant): void;
  /** Locks as the resource manager sees them. */
  locksOf(attempt: Attempt): readonly ResourceLock[];
}

export class Instances implements AttemptClocks {
  readonly #parts: ManagerParts;
  readonly #agenda: Agenda;
  readonly #table: TaskTable;
  readonly #times: IsoTimes;
  readonly #newId: (agentId: string) => string;
  readonly #listener: InstanceListener;
  readonly grants: Grants;
  readonly observations: Observations;
  /** Set once, by the manager that owns both. */
  host: ContextHost | null = null;

  constructor(wiring: {
    readonly parts: ManagerParts;
    readonly agenda: Agenda;
    readonly table: TaskTable;
    readonly times: IsoTimes;
    readonly newId: (agentId: string) => string;
    readonly listener: InstanceListener;
    readonly grants: Grants;
    readonly observations: Observations;
  }) {
    this.#parts = wiring.parts;
    this.#agenda = wiring.agenda;
    this.#table = wiring.table;
    this.#times = wiring.times;
    this.#newId = wiring.newId;
    this.#listener = wiring.listener;
    this.grants = wiring.grants;
    this.observations = wiring.observations;
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
    // Owned: it never rejects.
    void this.#perform(attempt);
  }

  async #perform(attempt: Attempt): Promise<void> {
    const { agent, task, claims } = attempt.record;
    const { resourceManager } = this.#parts;
    let outcome: Outcome;
    let pools: OpenPools | null = null;
    let locks: readonly ResourceLock[] | null = null;
    let lookAgain: (() => Promise<readonly string[]>) | null = null;
    try {
      const wrong = this.#movedPaths(attempt) ?? (usesPool(claims) ? await this.#takenMembers(attempt) : null);
      if (wrong !== null && attempt.stop === null) return this.#putBack(attempt, wrong);
      this.#listener.started(attempt);
      if (usesPool(claims)) {
        pools = await this.grants.open(attempt.row);
        attempt.inside.env = pools.env;
      }
      if (resourceManager.prepare !== undefined || resourceManager.dispose !== undefined) {
        locks = this.#listener.locksOf(attempt);
        attempt.inside.env = { ...pools?.env, ...(await resourceManager.prepare?.(task, locks)) };
      }
      const observed = attempt.record.links?.observed ?? NOTHING;
      if (observed.length > 0 || agent.look !== undefined) lookAgain = await this.observations.begin(attempt, observed);
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
      const gone = whenGone(thrown);
      if (gone !== null) {
        this.#agenda.clear(attempt);
        if (attempt.stage !== "abandoned") this.#abandon(attempt, outcome.ok ? null : outcome.error);
        await gone.catch(() => undefined);
      }
    }
    if (lookAgain !== null) await this.#afterwards(attempt, "looking at what it observes", tell(attempt, lookAgain));
    if (locks !== null)
      await this.#afterwards(attempt, "resourceManager.dispose", () => resourceManager.dispose?.(task, locks));
    if (pools !== null) await this.#afterwards(attempt, "removing its directories", pools.close);
    for (const opened of attempt.peek?.pools ?? [])
      await this.#afterwards(attempt, "removing its directories", opened.close);
    this.#end(attempt, outcome);
  }

  /** What goes wrong after the end is told in the log: the task's outcome stands. */
  async #afterwards({ record }: Attempt, what: string, work: () => unknown): Promise<void> {
    try {
      await work();
    } catch (thrown) {
      this.#parts.logger.warn(`${what} failed for task ${record.task.taskId}`, { error: String(thrown) });
    }
  }

  /** A link on its way was changed while the task waited. */
  #movedPaths({ record, row }: Attempt): WrongGrant | null {
    if (!hasPaths(row.claims)) return null;
    const { task, agent, links } = record;
    const derived = agent.claims?.(task.contextData ?? {}, task) ?? NOTHING;
    const claims = this.grants.moved(row, [
      ...(task.claims ?? NOTHING),
      ...derived,
      ...(links?.inferredPaths ?? NOTHING),
    ]);
    if (claims === null) return null;
    if (++record.linked().moves > EDGE.movesInARow) {
      throw new LockyardError(
        "INVALID_CLAIM",
        `The paths of task ${task.taskId} led elsewhere ${EDGE.movesInARow} times when it was to start.`,
        { hint: "Something keeps changing a link on the way to them: claim the directory that holds it." },
      );
    }
    return { taken: NOTHING, claims };
  }

  async #takenMembers({ row }: Attempt): Promise<WrongGrant | null> {
    const taken = await this.grants.taken(row);
    return taken.length === 0 ? null : { taken, claims: null };
  }

  /** It never was: nothing of it has run, nothing has been told of it. */
  #putBack(attempt: Attempt, wrong: WrongGrant): void {
    const { record } = attempt;
    attempt.hasSettled = true;
    this.#agenda.clear(attempt);
    this.#table.attempts.delete(attempt);
    record.attempts--;
    record.phase = null;
    record.state = "waiting";
    if (wrong.claims !== null) record.linked().movedTo = wrong.claims;
    this.#listener.putBack(attempt, wrong);
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
            ms: attempt.idleTimeoutMs ?? 0,
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
    this.#abandon(attempt, null);
  }

  #abandon(attempt: Attempt, error: TaskError | null): void {
    attempt.stage = "abandoned";
    this.#table.attempts.delete(attempt);
    this.#table.abandoned.add(attempt);
    this.#listener.abandoned(attempt, error);
  }
}

/** Keeps what an attempt's result will say of what it observes. */
function tell(attempt: Attempt, look: () => Promise<readonly string[]>): () => Promise<void> {
  return async () => {
    attempt.inside.touched = await look();
  };
}

const NOTHING: readonly never[] = [];

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
