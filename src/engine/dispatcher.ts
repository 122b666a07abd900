/**
 * The one direction of things: what happens to tasks becomes commands, effects become starts and results.
 *
 *  D1 a result is delivered once, and only after the store accepted it; what a stale fence brings is dropped and counted
 *  D2 a task that was asked to stop before it started never starts
 *  D3 no `await` lies between reading a task's state and writing it
 */
import type { Command, Effect } from "../core/command.ts";
import { isFinal, type TaskRow } from "../core/row.ts";
import type { Attempt } from "./attempt.ts";
import { judge } from "./dependencies.ts";
import { type EngineHost, type EngineWiring, Fates, type Line } from "./fates.ts";
import { NestedRequest, type NestedRequests } from "./nested-requests.ts";
import { type Ending, stoppedEnding } from "./results.ts";
import { Task } from "./task.ts";
import { type Stop, TaskRecord } from "./task-record.ts";
import type { Batch, Ticket, TurnListener, TurnQueue } from "./turn-queue.ts";

type Of<Type extends Effect["type"]> = Extract<Effect, { type: Type }>;

export class Dispatcher implements TurnListener, Line {
  readonly #wiring: EngineWiring;
  readonly #host: EngineHost;
  readonly fates: Fates;
  #turns: TurnQueue | null = null;
  #requests: NestedRequests | null = null;
  /** Nothing is started that does not run inside a task that runs. */
  #isPaused = false;

  constructor(wiring: EngineWiring, host: EngineHost) {
    this.#wiring = wiring;
    this.#host = host;
    this.fates = new Fates(wiring, host, this);
  }

  /** Second half of the wiring: the queue hands its effects to this dispatcher, which hands its commands to the queue. */
  connect(turns: TurnQueue, requests: NestedRequests): void {
    this.#turns = turns;
    this.#requests = requests;
  }

  // ---------------------------------------------------------------- in: tasks and wishes

  /** Hands tasks over. Of those handed over together the lowest rank arrives first, whatever their order. */
  submit(records: readonly TaskRecord[]): void {
    const { table, notices, ranking } = this.#wiring;
    ranking.begin();
    let isSorted = true;
    let last = Number.NEGATIVE_INFINITY;
    for (const record of records) {
      table.add(record);
      notices.submitted(record);
      const fate = judge(record);
      record.state = fate === "run" && !this.#isHeldBack(record) ? "waiting" : "blocked";
      if (typeof fate === "object") record.stop = fate;
      if (fate === "run") record.rank = ranking.rank(record);
      if (record.rank < last) isSorted = false;
      last = record.rank;
    }
    for (const record of isSorted ? records : sorted(records)) this.push({ type: "submit", row: record }, record);
  }

  /** The store is shared fairly: ranks are told from now. What waits for the store to open is ranked anew. */
  rankFromNow(): void {
    const { table, ranking } = this.#wiring;
    ranking.isRelative = true;
    ranking.begin();
    for (const record of table.records()) record.rank = ranking.rank(record);
  }

  /** What waits leaves the line and comes back with `resume`; what runs goes on, with all that it starts. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    for (const record of this.#wiring.table.records()) {
      if (record.state !== "waiting" || record.key === 0 || !this.#isHeldBack(record)) continue;
      this.push({ type: "suspend", key: record.key }, null);
    }
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    for (const record of this.#wiring.table.records()) if (record.state === "suspended") this.unblock(record);
  }

  #isHeldBack({ links }: TaskRecord): boolean {
    return this.#isPaused && (links === null || links.parent === null);
  }

  /** Asks a task to stop, wherever it stands. The first to ask decides what its result says. */
  stop(record: TaskRecord, stop: Stop): void {
    if (record.result !== null || record.pending !== null) return;
    const { phase } = record;
    if (phase?.kind === "attempt" && phase.stop === null) return this.fates.instances.stop(phase, stop);
    if (record.stop !== null) return;
    record.stop = stop;
    // It is being stopped already, by a time-out that might have been retried: now it will not be.
    if (phase?.kind === "attempt") return;
    if (phase !== null) this.#wiring.agenda.clear(phase);
    if (record.key > 0) this.#cancelRow(record, stop);
  }

  #cancelRow(record: TaskRecord, stop: Stop): void {
    const { submittedAtMs } = record;
    const result = this.fates.result(record, stoppedEnding(stop), { submittedAtMs, lockWaitMs: 0 });
    this.push({ type: "cancel", key: record.key, status: stop.status, result }, null);
  }

  // ---------------------------------------------------------------- in: effects of turns

  onEffects(effects: readonly Effect[], tickets: readonly Ticket[]): void {
    for (const effect of effects) this.#apply(effect, tickets);
  }

  onTurnFailed(error: unknown, batch: Batch): void {
    this.#host.turnFailed(error, batch);
  }

  onDrained(): void {
    this.#host.drained();
  }

  #apply(effect: Effect, tickets: readonly Ticket[]): void {
    switch (effect.type) {
      case "submitted":
        return this.#onSubmitted(effect, tickets[effect.index] ?? null);
      case "refused":
        return this.#onRefused(effect, tickets[effect.index] ?? null);
      case "waiting":
      case "requeued":
        return this.#onWaiting(effect.row);
      case "admitted":
        return this.#onAdmitted(effect.row);
      case "confirmed":
        return this.#onGranted(effect.row);
      case "waited":
        return this.#wiring.parts.metrics.waited(effect.node, effect.waitedMs);
      case "stop-requested":
        return this.#onStopRequested(effect.row);
      case "ended":
        return this.#onEnded(effect);
      case "suspended":
        return this.#onSuspended(effect.row);
      case "quarantined":
        return this.#onQuarantined(effect.row);
      case "told":
        return this.#onTold(effect);
      case "limit-changed":
        return this.#wiring.notices.limitChanged(effect.node, effect.capacity, "declared");
      case "reserved":
      case "owner-gone":
        return;
    }
  }

  #onSubmitted({ row }: Of<"submitted">, ticket: Ticket): void {
    if (ticket instanceof NestedRequest) return this.#requests?.submitted(ticket, row);
    if (!(ticket instanceof TaskRecord)) return;
    ticket.key = row.key;
    if (this.#host.storeFacts?.scope !== "process") this.#wiring.table.setKey(ticket);
    if (ticket.stop !== null) return this.#cancelRow(ticket, ticket.stop);
    // Its dependencies may have ended while it was on its way, or its workflow was paused.
    if (ticket.state === "blocked") this.unblock(ticket);
    else if (this.#isHeldBack(ticket)) this.push({ type: "suspend", key: ticket.key }, null);
  }

  #onRefused(effect: Of<"refused">, ticket: Ticket): void {
    if (ticket instanceof NestedRequest) return this.#requests?.refused(ticket, effect);
    if (ticket instanceof TaskRecord) {
      const isTheirs = effect.code === "DUPLICATE_TASK" && ticket.task.idempotencyKey !== undefined;
      if (ticket.key === 0 && isTheirs && ticket.stop === null) return this.#host.joinOther(ticket);
      if (ticket.key === 0) this.fates.fail(ticket, { code: effect.code, message: effect.message, retryable: false });
      return;
    }
    if (ticket !== null && "record" in ticket) {
      const { record } = ticket as Attempt; // settles carry their attempt, and nothing else has a record
      if (record.phase !== ticket || record.result !== null) return;
      // The result was not accepted, and nobody has ended the task otherwise: its books were lost.
      this.fates.staleResults++;
      record.pending = null;
      return this.fates.fail(record, { code: effect.code, message: effect.message, retryable: false });
    }
    if (effect.code === "OWNER_GONE") this.#host.beatRefused();
  }

  #onWaiting(row: TaskRow): void {
    const record = this.#recordOf(row);
    if (record === undefined || record.result !== null) return;
    record.phase = null;
    record.state = "waiting";
    const { links } = record;
    if (links !== null && links.movedTo !== null) {
      // The row claims them by now; the record is what a store in this process looks at.
      record.claims = links.movedTo;
      links.movedTo = null;
    }
    this.#wiring.notices.waiting(record, row.watch);
  }

  #onAdmitted(row: TaskRow): void {
    // A turn tells its maker what it did to everybody; those it concerns are told by the store.
    if (row.ownerId !== this.#host.ownerId) return;
    // A turn answers with what became of others' rows, too: their owners were told, and only they confirm.
    if (row.ownerId !== this.#host.ownerId) return;
    // A row granted by its own owner's turn runs; one granted by somebody else's waits until its owner is seen to live.
    if (row.status === "starting" && row.wants !== "slot") {
      this.push({ type: "confirm", key: row.key, fence: row.fence }, null);
      const record = this.#recordOf(row);
      if (record !== undefined) record.state = "starting";
      return;
    }
    this.#onGranted(row);
  }

  #onGranted(row: TaskRow): void {
    const record = this.#recordOf(row);
    if (record === undefined) {
      const request = this.#requestOf(row);
      if (request !== undefined && !request.isReleased) request.grant(row);
      return;
    }
    // Told twice is started once.
    if (record.result !== null || record.attempt !== null) return;
    if (record.stop !== null) {
      // The wish to stop and the grant crossed (D2).
      const result = this.fates.result(record, stoppedEnding(record.stop), row);
      record.pending = result;
      this.push({ type: "settle", key: row.key, fence: row.fence, status: record.stop.status, result }, null);
      return;
    }
    this.fates.instances.start(record, row);
  }

  #onStopRequested(row: TaskRow): void {
    const record = this.#recordOf(row);
    if (record === undefined || row.stop === "") return;
    this.stop(record, {
      status: row.stop,
      code: "CANCELLED",
      message: `Task ${row.taskId} was cancelled by another process.`,
    });
  }

  #onSuspended(row: TaskRow): void {
    const record = this.#recordOf(row);
    if (record === undefined || record.result !== null) return;
    record.phase = null;
    record.state = "suspended";
    // It was resumed, or asked to stop, while the store took it out of the line.
    if (record.stop !== null) this.#cancelRow(record, record.stop);
    else if (!this.#isHeldBack(record)) this.unblock(record);
  }

  #onTold({ row, message }: Of<"told">): void {
    if (row.ownerId === this.#host.ownerId) this.#host.told(row.taskId, message);
  }

  #onQuarantined(row: TaskRow): void {
    const record = this.#recordOf(row);
    if (record?.attempt) this.#wiring.notices.locks("lock-quarantined", record.attempt);
  }

  #onEnded(effect: Of<"ended">): void {
    const { row } = effect;
    const record = this.#recordOf(row);
    if (record === undefined) {
      const request = this.#requestOf(row);
      if (request !== undefined) this.#requests?.ended(request, effect);
      return;
    }
    const { attempt } = record;
    const lock = effect.code === "LOCK_EXPIRED" ? "lock-expired" : "lock-released";
    if (attempt !== null) this.#wiring.notices.locks(lock, attempt);
    if (record.result !== null) return this.#wiring.table.remove(record);
    const result = record.pending ?? this.fates.result(record, this.#endingOf(record, effect), row);
    this.fates.disown(record, effect.code ?? "CANCELLED");
    this.fates.finish(record, result);
    this.#wiring.table.remove(record);
  }

  #endingOf({ stop, task }: TaskRecord, { row, status, code, message: told }: Of<"ended">): Ending {
    if (stop !== null && stop.status === status) return stoppedEnding(stop);
    const ms = (value: number) => Math.round(value).toLocaleString("en");
    const message =
      code === "QUEUE_TIMEOUT"
        ? `Task ${task.taskId} waited ${ms(row.queueTimeoutMs)} ms in line and its queueTimeoutMs is ${ms(row.queueTimeoutMs)}.`
        : (told ?? `Task ${task.taskId} was ended from outside: ${code ?? status}.`);
    return { status, output: null, error: { code: code ?? "CANCELLED", message, retryable: false }, report: null };
  }

  enqueue(record: TaskRecord): void {
    record.phase = null;
    if (this.#isHeldBack(record)) return this.push({ type: "suspend", key: record.key }, null);
    record.state = "waiting";
    const { ranking } = this.#wiring;
    ranking.begin();
    this.push({ type: "enqueue", key: record.key, rank: ranking.rank(record) }, record);
  }

  /** What the store says of a task whose owner was judged gone and lives. */
  takeUp(record: TaskRecord, row: TaskRow | undefined): void {
    if (record.result !== null || record.attempt !== null) return;
    if (row === undefined || row.key !== record.key || isFinal(row.status)) {
      const message = `Task ${record.task.taskId} ended ${row?.status ?? "unknown"} while this process was thought gone.`;
      return this.fates.fail(record, { code: "OWNER_GONE", message, retryable: true });
    }
    if (row.status !== "suspended" || row.ownerId !== "") return;
    const { ranking } = this.#wiring;
    ranking.begin();
    record.state = "waiting";
    this.push({ type: "enqueue", key: row.key, rank: ranking.rank(record), ownerId: this.#host.ownerId }, record);
  }

  unblock(record: TaskRecord): void {
    const fate = judge(record);
    if (typeof fate === "object") this.stop(record, fate);
    else if (fate === "run" && record.key > 0) this.enqueue(record);
  }

  /**
   * A store in this process hands back the task it was given; of any other the key is looked up. Which of the two is
   * never told by the payload: a shared store hands back the task itself in the turn it was submitted in, data later, and
   * looking costs a read.
   */
  #recordOf(row: TaskRow): TaskRecord | undefined {
    if (row.ownerId !== this.#host.ownerId) return undefined;
    const isHere = this.#host.storeFacts?.scope === "process";
    const record = isHere ? Task.ownerOf(row.payload) : this.#wiring.table.byKey(row.key);
    return record instanceof TaskRecord && record.key === row.key ? record : undefined;
  }

  /** Others' requests may bear the same name: the key tells. */
  #requestOf(row: TaskRow): NestedRequest | undefined {
    const request = this.#requests?.get(row.taskId);
    return request?.key === row.key ? request : undefined;
  }

  push(command: Command, ticket: Ticket): void {
    this.#turns?.push(command, ticket);
  }
}

/** In the order of their ranks; equal ranks stay as they were. */
function sorted(records: readonly TaskRecord[]): TaskRecord[] {
  return [...records].sort((a, b) => a.rank - b.rank);
}
