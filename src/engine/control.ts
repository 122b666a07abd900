/**
 * What people do to a workflow while it runs: pause it, go on, change how much runs at once, answer a task. In this process
 * by a call, from another through the store (`tell`). Why it is paused is noted in the store, for whoever looks.
 */
import { type Message, messageOf, NOTE } from "../core/message.ts";
import type { JsonObject, JsonValue } from "../core/task.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Notices } from "./notices.ts";
import type { OutsideWaits } from "./outside-waits.ts";
import type { Budget, ManagerParts } from "./parts.ts";
import type { TaskTable } from "./task-table.ts";
import type { TurnQueue } from "./turn-queue.ts";

export interface ControlWiring {
  readonly parts: ManagerParts;
  readonly table: TaskTable;
  readonly dispatcher: Dispatcher;
  readonly turns: TurnQueue;
  readonly notices: Notices;
  /** Whether its budget is used up. */
  readonly isSpent: () => boolean;
  readonly waits: OutsideWaits;
  readonly configure: (change: { readonly maxConcurrentTasks?: number; readonly limits?: Budget }) => void;
}

export class Control {
  readonly #wiring: ControlWiring;
  readonly #configuredSlots: number;
  /** Why nothing is started; empty while it is. */
  #pausedBecause = "";

  constructor(wiring: ControlWiring) {
    this.#wiring = wiring;
    this.#configuredSlots = wiring.parts.slots.configured;
  }

  /** Empty while it is not paused. */
  get pausedBecause(): string {
    return this.#pausedBecause;
  }

  /** Starts nothing more. What runs goes on. */
  pause(reason: string): void {
    const { dispatcher, notices, table } = this.#wiring;
    const isNew = this.#pausedBecause === "";
    this.#pausedBecause = reason;
    this.note(reason);
    if (!isNew) return;
    dispatcher.pause();
    notices.workflow("workflow-paused", table.unfinished);
  }

  resume(): void {
    if (this.#pausedBecause === "") return;
    const { dispatcher, notices, table } = this.#wiring;
    this.#pausedBecause = "";
    this.note("");
    dispatcher.resume();
    notices.workflow("workflow-started", table.unfinished);
  }

  /** For whoever looks from another process; empty: it goes on. */
  note(reason: string): void {
    const { parts, turns } = this.#wiring;
    const note = reason === "" ? null : { reason };
    turns.push({ type: "note", topic: NOTE.pause(parts.workflowId), note }, null);
  }

  /** False when the task does not ask anything. */
  answer(taskId: string, input: JsonValue): boolean {
    const waiting = this.#wiring.table.get(taskId)?.attempt?.peek?.answer;
    if (waiting === null || waiting === undefined) return false;
    waiting.resolve(input);
    return true;
  }

  /** Another process speaks to the owner of this task. */
  told(taskId: string, given: JsonObject): void {
    const message = messageOf(given);
    if (message !== null) this.#carryOut(taskId, message);
  }

  #carryOut(taskId: string, message: Message): void {
    const { configure, parts } = this.#wiring;
    switch (message.kind) {
      case "answer":
        this.answer(taskId, message.input);
        return;
      case "pause":
        return this.pause(message.reason);
      case "resume": {
        const { kind: _, ...limits } = message;
        if (Object.keys(limits).length > 0) configure({ limits });
        // With a budget that is spent nothing could start: it stays as it is, and says why.
        if (this.#wiring.isSpent()) return;
        return this.resume();
      }
      case "configure":
        return configure({ maxConcurrentTasks: message.maxConcurrentTasks ?? this.#configuredSlots });
      case "waits": {
        const attempt = this.#wiring.table.get(taskId)?.attempt;
        if (attempt !== null && attempt !== undefined) this.#wiring.waits.told(attempt, message.forMs);
        return;
      }
      case "retry":
        return parts.onRetry?.(message.taskIds);
    }
  }
}
