import type { TaskRow } from "../core/row.ts";
import type { Due } from "./agenda.ts";
import type { OpenPools } from "./grants.ts";
import type { NestedRequest } from "./nested-requests.ts";
import type { Stop, TaskRecord } from "./task-record.ts";

/**
 * How far an attempt that is asked to stop has come:
 *
 *   none → asked     its signal is aborted; it may settle within the same turn of the event loop
 *   asked → ending   it did not: the slot goes to others, its locks stay
 *   ending → abandoned   it did not within the grace either: quarantined, its result is delivered without it
 */
export type StopStage = "none" | "asked" | "ending" | "abandoned";

/** What the manager answers when an attempt's clock has run. */
export interface AttemptClocks {
  clockElapsed(attempt: Attempt, nowMs: number): void;
}

/** What only attempts have that ask for something themselves, or own a process. Made when first touched. */
export class Inside {
  /** Time spent waiting for more, for a person or for its own tasks: the run and idle clocks stand still meanwhile. */
  pausedMs = 0;
  pauses = 0;
  pausedSinceMs = 0;
  /** When the wait for a person began; 0 when it does not wait. */
  askedAtMs = 0;
  answer: { readonly question: string; readonly resolve: (input: unknown) => void } | null = null;
  /** Of the process behind it, once its agent has said so. */
  pid: number | null = null;
  env: Readonly<Record<string, string>> = NO_VARIABLES;
  readonly requests: NestedRequest[] = [];
  /** Rates it asked for while it ran. */
  readonly rates = new Set<string>();
  /** What it observes and changed meanwhile. */
  touched: readonly string[] = NO_TEXTS;
  /** Pools it took beyond those it was started with. */
  readonly pools = new Set<OpenPools>();
  readonly children = new Set<TaskRecord>();
  /** Called when the attempt is asked to stop: what waits inside it gives up. */
  readonly onStop = new Set<(stop: Stop) => void>();
  /** Whether its slot is given back for now. */
  hasGivenSlot = false;
  /** The one account of its waits for others: whoever waits in its name gives and takes through it. */
  loan: Loan | null = null;
}

export interface Loan {
  /** `asPerson` also shows the task as waiting for input. */
  give(asPerson?: boolean): void;
  takeBack(): Promise<void>;
}

const NO_TEXTS: readonly string[] = Object.freeze([]);
const NO_VARIABLES: Readonly<Record<string, string>> = Object.freeze({});

/** One attempt at one task: an instance. Exists from the grant to the end of the attempt. */
export class Attempt implements Due {
  readonly kind = "attempt";
  readonly record: TaskRecord;
  readonly row: TaskRow;
  readonly fence: number;
  readonly instanceId: string;
  readonly startedAtMs: number;
  /** Milliseconds from submission to this start, and the part spent behind locks. */
  readonly queuedMs: number;
  readonly lockWaitMs: number;
  lastSignMs: number;
  progress = 0;
  detail = "";
  stop: Stop | null = null;
  stage: StopStage = "none";
  /** When the next stage of stopping is reached. */
  stageAtMs = 0;
  /** The agent's promise has settled, or was never made. */
  hasSettled = false;
  controller: AbortController | null = null;
  #inside: Inside | null = null;
  dueAtMs = 0;
  place = -1;
  readonly #clocks: AttemptClocks;

  constructor(
    record: TaskRecord,
    row: TaskRow,
    start: { readonly instanceId: string; readonly clocks: AttemptClocks; readonly nowMs: number },
  ) {
    this.record = record;
    this.row = row;
    this.fence = row.fence;
    this.instanceId = start.instanceId;
    this.#clocks = start.clocks;
    this.startedAtMs = start.nowMs;
    this.lastSignMs = start.nowMs;
    this.queuedMs = start.nowMs - row.submittedAtMs;
    this.lockWaitMs = row.lockWaitMs;
  }

  /** As the task says, else as its agent does. */
  get idleTimeoutMs(): number | undefined {
    return this.record.task.idleTimeoutMs ?? this.record.agent.idleTimeoutMs;
  }

  onDue(nowMs: number): void {
    this.#clocks.clockElapsed(this, nowMs);
  }

  /** What it has inside, when it has anything. */
  get peek(): Inside | null {
    return this.#inside;
  }

  get inside(): Inside {
    this.#inside ??= new Inside();
    return this.#inside;
  }

  /** Made when first asked for: an AbortController costs more than all the rest of an attempt. */
  get signal(): AbortSignal {
    if (this.controller === null) {
      this.controller = new AbortController();
      if (this.stop !== null) this.controller.abort(abortReason(this.stop));
    }
    return this.controller.signal;
  }

  /** Aborts the signal, if anybody has it, and wakes what waits inside. */
  askToStop(stop: Stop): void {
    this.stop = stop;
    this.stage = "asked";
    this.controller?.abort(abortReason(stop));
    const waiters = this.#inside?.onStop;
    if (waiters === undefined) return;
    for (const wake of [...waiters]) wake(stop);
    waiters.clear();
  }

  /** The run and idle clocks stand still from here to the matching `resume`. */
  pause(nowMs: number): void {
    const { inside } = this;
    if (inside.pauses++ === 0) inside.pausedSinceMs = nowMs;
  }

  resume(nowMs: number): void {
    const { inside } = this;
    if (--inside.pauses > 0) return;
    inside.pausedMs += nowMs - inside.pausedSinceMs;
    // Waiting was not silence.
    this.lastSignMs = nowMs;
  }
}

/** The reason of an abort: an AbortError, so that `fetch` and friends end the way their users know, with our code. */
function abortReason(stop: Stop): Error {
  return Object.assign(new Error(stop.message), { name: "AbortError", code: stop.code });
}

export type ClockName = "run" | "idle" | "input" | "stage";

/** The next clock of an attempt that runs out, and when; null when none runs. */
export function nextClock(attempt: Attempt): { readonly name: ClockName; readonly atMs: number } | null {
  if (attempt.stage === "abandoned") return null;
  if (attempt.stage !== "none") return { name: "stage", atMs: attempt.stageAtMs };
  const { timeoutMs, inputTimeoutMs } = attempt.record.task;
  const { idleTimeoutMs } = attempt;
  const inside = attempt.peek;
  if (inside !== null) {
    if (inside.askedAtMs > 0)
      return inputTimeoutMs === undefined ? null : { name: "input", atMs: inside.askedAtMs + inputTimeoutMs };
    if (inside.pauses > 0) return null;
  }
  if (timeoutMs === undefined && idleTimeoutMs === undefined) return null;
  const runAtMs =
    timeoutMs === undefined ? Number.POSITIVE_INFINITY : attempt.startedAtMs + (inside?.pausedMs ?? 0) + timeoutMs;
  const idleAtMs = idleTimeoutMs === undefined ? Number.POSITIVE_INFINITY : attempt.lastSignMs + idleTimeoutMs;
  return runAtMs <= idleAtMs ? { name: "run", atMs: runAtMs } : { name: "idle", atMs: idleAtMs };
}
