import { BOUNDS } from "../core/bounds.ts";
import type { AgentResult } from "../core/task.ts";
import type { Attempt } from "./attempt.ts";
import type { TaskRecord } from "./task-record.ts";

/**
 * Every task this process knows: live ones in the order they were handed over, finished ones as far back as the history
 * goes. A task that was given its id by its caller is found by it at once; one that was not is hardly ever looked for, and
 * then searched.
 */
export class TaskTable {
  #first: TaskRecord | null = null;
  #last: TaskRecord | null = null;
  readonly #named = new Map<string, TaskRecord>();
  /** By key of their rows, when the store hands back data instead of the task it was given. */
  readonly #byKey = new Map<number, TaskRecord>();
  /** Finished tasks in two halves: when the younger is full, the older goes. Nothing is ever searched for the oldest. */
  #young = new Finished();
  #old = new Finished();
  /** Idempotency key → live task. */
  readonly #keys = new Map<string, TaskRecord>();
  /** Instances that run. */
  readonly attempts = new Set<Attempt>();
  /** Instances whose task has its result although they did not stop: quarantined. */
  readonly abandoned = new Set<Attempt>();
  /** Live tasks, and those of them that still owe a result. */
  size = 0;
  unfinished = 0;

  add(record: TaskRecord): void {
    this.size++;
    this.unfinished++;
    record.before = this.#last;
    if (this.#last === null) this.#first = record;
    else this.#last.after = record;
    this.#last = record;
    if (record.isNamed) this.#named.set(record.task.taskId, record);
    const key = record.task.idempotencyKey;
    if (key !== undefined) this.#keys.set(key, record);
  }

  get(taskId: string): TaskRecord | undefined {
    const named = this.#named.get(taskId);
    if (named !== undefined) return named;
    // Running ones first: they are few, and what is asked about mostly runs.
    for (const { record } of this.attempts) if (record.task.taskId === taskId) return record;
    for (const record of this.records()) if (!record.isNamed && record.task.taskId === taskId) return record;
    return undefined;
  }

  /** Remembers the key of a row that will not lead back to its task. */
  setKey(record: TaskRecord): void {
    this.#byKey.set(record.key, record);
  }

  byKey(key: number): TaskRecord | undefined {
    return this.#byKey.get(key);
  }

  /** Live tasks in the order they were handed over; what ends meanwhile is left out. */
  *records(): Generator<TaskRecord, void, undefined> {
    for (let record = this.#first; record !== null; record = record.after) yield record;
  }

  /** Whether an id that a caller gives is taken. */
  has(taskId: string): boolean {
    return this.#named.has(taskId) || this.#young.results.has(taskId) || this.#old.results.has(taskId);
  }

  resultOf(taskId: string): AgentResult | undefined {
    return this.#named.get(taskId)?.result ?? this.#young.results.get(taskId) ?? this.#old.results.get(taskId);
  }

  /** What ended may be handed over again. */
  forget(taskId: string): void {
    for (const half of [this.#young, this.#old]) half.results.delete(taskId);
  }

  /** The task an idempotency key belongs to: live, or the id of a remembered one. */
  ownerOfKey(key: string): TaskRecord | string | undefined {
    return this.#keys.get(key) ?? this.#young.keys.get(key) ?? this.#old.keys.get(key);
  }

  /** The result was delivered: remembered within the bound. */
  finished(record: TaskRecord, result: AgentResult): void {
    this.unfinished--;
    if (this.#young.results.size >= BOUNDS.finishedHistory / 2) {
      this.#old = this.#young;
      this.#young = new Finished();
    }
    const { taskId, idempotencyKey } = record.task;
    this.#young.results.set(taskId, result);
    if (idempotencyKey === undefined) return;
    this.#keys.delete(idempotencyKey);
    this.#young.keys.set(idempotencyKey, taskId);
  }

  /** The store has let go of it too. Twice is fine. */
  remove(record: TaskRecord): void {
    const { before, after } = record;
    const isIn = before !== null || this.#first === record;
    if (!isIn) return;
    this.size--;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    // `after` stays: whoever walks the list and stands here must get on.
    record.before = null;
    if (record.isNamed) this.#named.delete(record.task.taskId);
    if (this.#byKey.size > 0) this.#byKey.delete(record.key);
  }
}

class Finished {
  readonly results = new Map<string, AgentResult>();
  /** Idempotency key → task id. */
  readonly keys = new Map<string, string>();
}
