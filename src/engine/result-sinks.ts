import type { AgentResult } from "../core/task.ts";
import type { ResultSink, TaskRecord } from "./task-record.ts";

/** Gathers results in the order of their tasks: one promise for all of them. */
export class GatheredResults implements ResultSink {
  readonly #results: AgentResult[];
  readonly promise: Promise<AgentResult[]>;
  #left: number;
  #resolve: (results: AgentResult[]) => void = () => undefined;

  constructor(count: number) {
    this.#results = new Array<AgentResult>(count);
    this.#left = count;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (count === 0) this.#resolve(this.#results);
  }

  deliver(index: number, result: AgentResult): void {
    this.#results[index] = result;
    if (--this.#left === 0) this.#resolve(this.#results);
  }
}

/** Hands out results in the order they come. */
export class ResultQueue implements ResultSink {
  readonly #ready: AgentResult[] = [];
  #at = 0;
  #wake: (() => void) | null = null;

  deliver(_index: number, result: AgentResult): void {
    this.#ready.push(result);
    this.#wake?.();
    this.#wake = null;
  }

  async next(): Promise<AgentResult> {
    for (;;) {
      const result = this.#ready[this.#at];
      if (result !== undefined) {
        this.#at++;
        return result;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

/** A task that was submitted by itself. */
export class TaskHandle implements ResultSink {
  readonly taskId: string;
  readonly #cancel: () => Promise<number>;
  #resolve: ((result: AgentResult) => void) | null = null;
  #delivered: AgentResult | null = null;
  #promise: Promise<AgentResult> | null = null;

  constructor(taskId: string, cancel: () => Promise<number>) {
    this.taskId = taskId;
    this.#cancel = cancel;
  }

  /** How it ended; never rejects. Made when first asked for. */
  get result(): Promise<AgentResult> {
    this.#promise ??= new Promise((resolve) => {
      if (this.#delivered !== null) resolve(this.#delivered);
      else this.#resolve = resolve;
    });
    return this.#promise;
  }

  /** Whether it really ended as cancelled; resolves when it has ended. */
  async cancel(): Promise<boolean> {
    return (await this.#cancel()) > 0;
  }

  deliver(_index: number, result: AgentResult): void {
    this.#delivered = result;
    this.#resolve?.(result);
  }
}

/** Counts how many of some tasks end as cancelled. */
export class CancelCount implements ResultSink {
  readonly promise: Promise<number>;
  #left: number;
  #cancelled = 0;
  #resolve: (count: number) => void = () => undefined;

  constructor(records: readonly TaskRecord[]) {
    this.#left = records.length;
    this.promise = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (records.length === 0) this.#resolve(0);
    for (const record of records) record.tell(this, 0);
  }

  deliver(_index: number, result: AgentResult): void {
    if (result.status === "cancelled") this.#cancelled++;
    if (--this.#left === 0) this.#resolve(this.#cancelled);
  }
}
