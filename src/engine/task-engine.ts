/**
 * The engine of one manager: its parts wired together, its store, its owner, its end. Nothing starts before the first task
 * is handed over.
 */
import { IsoTimes } from "../clock/iso-times.ts";
import { BOUNDS } from "../core/bounds.ts";
import type { Command, Effect } from "../core/command.ts";
import { LockyardError } from "../core/errors.ts";
import { NOTE } from "../core/message.ts";
import type { Awaitable, StoreView } from "../core/ports.ts";
import type { TaskRow } from "../core/row.ts";
import type { AgentResult, JsonObject, JsonValue } from "../core/task.ts";
import { Agenda, type Due } from "./agenda.ts";
import { AgentTable } from "./agent-table.ts";
import type { Attempt } from "./attempt.ts";
import { BudgetKeeper } from "./budget.ts";
import { Control } from "./control.ts";
import { Dispatcher } from "./dispatcher.ts";
import { EventHub } from "./event-hub.ts";
import type { EngineHost } from "./fates.ts";
import type { Grants } from "./grants.ts";
import { IdSource, randomPart } from "./ids.ts";
import { MachineShare } from "./machine-share.ts";
import { Neighbours } from "./neighbours.ts";
import { loanOf, NestedRequests } from "./nested-requests.ts";
import { Notices } from "./notices.ts";
import type { Observations } from "./observations.ts";
import { OutsideWaits } from "./outside-waits.ts";
import type { Budget, ManagerParts } from "./parts.ts";
import { Ranking } from "./ranking.ts";
import type { ResourceClaims } from "./resource-claims.ts";
import { GatheredResults } from "./result-sinks.ts";
import { StoreLink, type StoreLinkHost } from "./store-link.ts";
import { type Place, type PreparedTasks, Submission } from "./submission.ts";
import type { Task } from "./task.ts";
import type { ContextHost, StartedInside } from "./task-context.ts";
import type { Stop, TaskRecord } from "./task-record.ts";
import { TaskTable } from "./task-table.ts";
import { type Batch, type Ticket, TurnQueue } from "./turn-queue.ts";

const NO_TICKETS: readonly Ticket[] = [];

export class TaskEngine implements EngineHost, ContextHost, StoreLinkHost {
  readonly parts: ManagerParts;
  readonly ownerId: string;
  readonly table = new TaskTable();
  readonly times: IsoTimes;
  readonly hub: EventHub;
  readonly notices: Notices;
  readonly agenda: Agenda;
  readonly budget: BudgetKeeper;
  readonly dispatcher: Dispatcher;
  readonly turns: TurnQueue;
  readonly requests: NestedRequests;
  readonly agents: AgentTable;
  readonly ids: IdSource;
  readonly control: Control;
  readonly #submission: Submission;
  readonly #link: StoreLink;
  readonly neighbours: Neighbours;
  readonly #share: MachineShare;
  readonly #idleWaiters = new Set<() => void>();
  #closing: Promise<void> | null = null;
  #isWatched = false;
  #declaredSlots = -1;
  /** Tasks handed over since the last time nothing was left to do. */
  #handedOver = 0;

  constructor(parts: ManagerParts, identify: (task: Task) => ResourceClaims) {
    this.parts = parts;
    const { clock, workflowId } = parts;
    const managerId = randomPart(() => clock.random());
    this.ownerId = `library-${managerId}`;
    this.ids = new IdSource(() => clock.random());
    this.times = new IsoTimes(clock);
    this.hub = new EventHub(() => ({ at: this.times.text(clock.nowMs()), workflowId }));
    this.notices = new Notices(parts, this.hub, this.times);
    this.agenda = new Agenda(clock);
    const { earlier, standing } = parts;
    const runsAgain = (taskId: string) => earlier?.runsAgain(taskId) === true;
    this.agents = new AgentTable(parts.agents, { managerId, ownerId: this.ownerId, standing, runsAgain });
    this.budget = new BudgetKeeper(parts.budget, (reason) => this.#pauseForBudget(reason), earlier?.spent);
    const { agenda, table, times, notices, budget, ids } = this;
    const ranking = new Ranking(parts);
    this.dispatcher = new Dispatcher(
      { parts, agenda, table, times, notices, ranking, budget, newInstanceId: (agentId) => ids.instance(agentId) },
      this,
    );
    this.turns = new TurnQueue(this.dispatcher);
    this.requests = new NestedRequests(this.turns, clock, () => this.ownerId);
    this.dispatcher.connect(this.turns, this.requests);
    this.dispatcher.fates.instances.host = this;
    const { turns, dispatcher } = this;
    const configure = (change: Parameters<TaskEngine["configure"]>[0]) => this.configure(change);
    const isSpent = () => budget.reason !== "";
    const clocksChanged = (attempt: Attempt) => this.clocksChanged(attempt);
    const waits = new OutsideWaits({ clock, loanOf: (attempt) => loanOf(attempt, this), clocksChanged });
    this.control = new Control({ parts, table, dispatcher, turns, notices, isSpent, configure, waits });
    this.#submission = new Submission({ parts, table, agents: this.agents, newTaskId: () => ids.task(), identify });
    const view = <T>(read: (view: StoreView) => T) => this.view(read);
    this.neighbours = new Neighbours({ parts, agenda, turns, ownerId: this.ownerId, view, table, dispatcher });
    this.#share = new MachineShare(parts, this.ownerId);
    this.#link = new StoreLink(parts, { agenda, turns: this.turns }, this);
  }

  // ---------------------------------------------------------------- submission

  /** Checks calls and hands them over. Throws everything that is wrong with them; nothing is started then. */
  submit(calls: readonly unknown[], subject: string): PreparedTasks {
    this.#assertUsable();
    return this.#handOver(this.#submission.prepare(calls, subject, null));
  }

  startInside(attempt: Attempt, calls: readonly unknown[]): StartedInside {
    this.#assertUsable();
    const depth = (attempt.record.links?.depth ?? 0) + 1;
    const limit = Math.min(this.budget.depth ?? BOUNDS.nestedSpawn, BOUNDS.nestedSpawn);
    if (depth > limit) {
      throw new LockyardError(
        "LIMIT_EXCEEDED",
        `Task ${attempt.record.task.taskId} runs at level ${depth - 1} and tasks may start tasks down to level ${limit}.`,
      );
    }
    const prepared = this.#submission.prepare(calls, "calls", attempt);
    for (let above: Attempt | null = attempt; above !== null; above = above.record.links?.parent ?? null) {
      if (prepared.places.includes(above.record)) {
        throw new LockyardError(
          "DEADLOCK",
          `Task ${attempt.record.task.taskId} would wait for ${above.record.task.taskId}, inside which it runs.`,
          { hint: "Give the subtask another idempotencyKey." },
        );
      }
    }
    return this.#handOver(prepared);
  }

  #handOver(prepared: PreparedTasks): PreparedTasks {
    prepared.commit();
    const { fresh } = prepared;
    if (fresh.length === 0) return prepared;
    if (this.parts.monitor !== null && !this.#isWatched) this.hub.watch(this.parts.monitor);
    this.#isWatched = true;
    if (this.table.unfinished === 0) {
      this.#handedOver = 0;
      this.#attend(true);
      this.notices.workflow("workflow-started", fresh.length);
    }
    this.#handedOver += fresh.length;
    this.dispatcher.submit(fresh);
    return prepared;
  }

  #attend(isAwaited: boolean): void {
    this.#link.attend(isAwaited);
    this.neighbours.attend(isAwaited);
  }

  joinOther(record: TaskRecord): void {
    this.neighbours.join(record);
  }

  rejoined(): Promise<void> {
    return this.neighbours.rejoined();
  }

  gather(places: readonly Place[]): Promise<AgentResult[]> {
    const results = new GatheredResults(places.length);
    for (let index = 0; index < places.length; index++) {
      const place = places[index];
      if (typeof place === "object") place.tell(results, index);
      else if (place !== undefined) {
        const finished = this.table.resultOf(place);
        if (finished !== undefined) results.deliver(index, finished);
      }
    }
    return results.promise;
  }

  cancel(record: TaskRecord, stop: Stop): void {
    this.dispatcher.stop(record, stop);
  }

  // ---------------------------------------------------------------- store

  get isOpen(): boolean {
    return this.#link.isOpen;
  }

  /** Opens the store, once. Rejects with its error, after every task handed over has ended with it. */
  open(): Promise<void> {
    return this.#link.open();
  }

  declarations(): readonly Command[] {
    if (this.storeFacts?.scope !== "process") this.#share.begin(this.agents, this.dispatcher);
    const by = this.ownerId;
    const own = [...this.parts.declarations(by), ...this.agents.declarations(by), this.#slotDeclaration()];
    return [...own, ...this.#share.declarations()];
  }

  standInside(ancestors: readonly number[]): void {
    this.agents.standing.ancestors = ancestors;
  }

  onOthersEffects(effects: readonly Effect[]): void {
    this.dispatcher.onEffects(effects, NO_TICKETS);
  }

  onBroken(error: LockyardError): void {
    this.dispatcher.fates.failAll(error, error.message);
  }

  view<T>(read: (view: StoreView) => T): Awaitable<T> {
    return this.#link.view(read);
  }

  get storeFacts(): StoreLink["facts"] {
    return this.#link.facts;
  }

  get grants(): Grants {
    return this.dispatcher.fates.instances.grants;
  }

  get observations(): Observations {
    return this.dispatcher.fates.instances.observations;
  }

  drained(): void {
    this.#link.drained();
    if (this.table.unfinished === 0) this.agenda.rest();
  }

  turnFailed(error: unknown, batch: Batch): void {
    this.#link.turnFailed(error, batch);
  }

  told(taskId: string, message: JsonObject): void {
    this.control.told(taskId, message);
  }

  beatRefused(): void {
    this.#link.beatRefused();
  }

  idle(): void {
    this.#attend(false);
    this.agenda.rest();
    this.notices.workflow("workflow-finished", this.#handedOver);
    for (const wake of this.#idleWaiters) wake();
    this.#idleWaiters.clear();
  }

  #assertUsable(): void {
    if (this.#link.brokenBy !== null) throw this.#link.brokenBy;
    if (this.#closing !== null) {
      throw new LockyardError("CLOSED", `The layer of workflow ${this.parts.workflowId} is closed.`, {
        hint: "Make a new one.",
      });
    }
  }

  // ---------------------------------------------------------------- limits

  get concurrency(): { readonly limit: number; readonly reason: string } {
    const limit = this.budget.slots(this.parts.slots.configured, this.#slotsInUse());
    if (this.budget.reason !== "") return { limit, reason: this.budget.reason };
    return { limit, reason: limit < this.parts.slots.configured ? "the budget allows no more" : "maxConcurrentTasks" };
  }

  configure(change: { readonly maxConcurrentTasks?: number | undefined; readonly limits?: Budget | undefined }): void {
    if (change.maxConcurrentTasks !== undefined) this.parts.slots.configured = checkedSlots(change.maxConcurrentTasks);
    if (change.limits !== undefined) {
      this.agenda.clear(this.budget);
      const wasPaused = this.budget.reason !== "";
      this.budget.configure(change.limits);
      if (wasPaused && this.budget.reason === "") this.control.note(this.control.pausedBecause);
      const endsAtMs = this.budget.endsAtMs;
      if (endsAtMs !== null) this.agenda.set(this.budget, endsAtMs);
    }
    if (this.isOpen) this.slotsChanged();
  }

  slotsChanged(): void {
    const before = this.#declaredSlots;
    const declaration = this.#slotDeclaration();
    if (declaration.capacity !== before) this.turns.push(declaration, null);
  }

  #slotDeclaration(): Extract<Command, { type: "declare" }> {
    const capacity = this.budget.slots(this.parts.slots.configured, this.#slotsInUse());
    this.#declaredSlots = capacity;
    const slots = {
      type: "declare",
      node: this.agents.slots,
      kind: "limit",
      by: this.ownerId,
      authority: true,
    } as const;
    return { ...slots, capacity, intervalMs: this.#share.placeMs };
  }

  #slotsInUse(): number {
    let count = 0;
    for (const { peek, stage } of this.table.attempts) if (peek?.hasGivenSlot !== true && stage !== "ending") count++;
    return count;
  }

  #pauseForBudget(reason: string): void {
    this.notices.budgetPaused(reason);
    this.control.note(reason);
    this.parts.logger.warn(reason, { workflowId: this.parts.workflowId });
    if (this.isOpen) this.slotsChanged();
  }

  // ---------------------------------------------------------------- listeners of attempts

  locksChanged(type: "lock-granted" | "lock-released", attempt: Attempt, row: TaskRow): void {
    this.notices.locks(type, attempt, row);
  }

  progressed(attempt: Attempt): void {
    this.notices.progressed(attempt);
  }
  emitted(attempt: Attempt, chunk: JsonValue): void {
    this.notices.emitted(attempt, chunk);
  }
  asked(attempt: Attempt, question: string): void {
    this.notices.asked(attempt, question);
    const note = { question: question.slice(0, BOUNDS.errorMessageChars) };
    this.turns.push({ type: "note", topic: NOTE.question(attempt.record.key), note }, null);
  }
  answered(attempt: Attempt): void {
    this.turns.push({ type: "note", topic: NOTE.question(attempt.record.key), note: null }, null);
  }
  clocksChanged(attempt: Attempt): void {
    this.dispatcher.fates.instances.watchClocks(attempt);
  }

  // ---------------------------------------------------------------- the end

  /** True when every task has its result, false when `timeoutMs` passed first. */
  async whenIdle(timeoutMs: number): Promise<boolean> {
    if (this.table.unfinished === 0) return true;
    return new Promise((resolve) => {
      const timer: Due = {
        dueAtMs: 0,
        place: -1,
        onDue: () => {
          this.#idleWaiters.delete(wake);
          resolve(false);
        },
      };
      const wake = () => {
        this.agenda.clear(timer);
        resolve(true);
      };
      this.#idleWaiters.add(wake);
      this.agenda.set(timer, this.parts.clock.nowMs() + timeoutMs);
    });
  }

  close(options: { readonly drain: boolean; readonly leave: boolean }): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close({ drain, leave }: { readonly drain: boolean; readonly leave: boolean }): Promise<void> {
    await this.#link.settled();
    if (!drain && !leave) {
      for (const record of [...this.table.records()]) {
        const message = `Task ${record.task.taskId} was cancelled because its layer was closed.`;
        this.dispatcher.stop(record, { status: "cancelled", code: "CANCELLED", message });
      }
    }
    if (!leave) await this.whenIdle(Number.MAX_SAFE_INTEGER);
    this.neighbours.attend(false);
    this.neighbours.close();
    await this.#link.close();
    this.agenda.clear(this.budget);
    this.agenda.rest();
    this.hub.close();
    this.notices.progressCallbacks.clear();
    await this.agents.close();
  }
}

export function checkedSlots(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= BOUNDS.waitingInMemory)
    return value;
  throw new LockyardError(
    "INVALID_OPTION",
    `maxConcurrentTasks is ${String(value)}; it must be a whole number from 1 to ${BOUNDS.waitingInMemory.toLocaleString("en")}.`,
  );
}
