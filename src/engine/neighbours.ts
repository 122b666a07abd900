/** What a manager has to do with the tasks of others in its store. */
import type { TaskRow } from "../core/row.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { Others, type OthersWiring } from "./others.ts";
import { QuarantineWatch } from "./quarantine-watch.ts";
import type { TaskRecord } from "./task-record.ts";
import type { TaskTable } from "./task-table.ts";

export interface NeighboursWiring extends OthersWiring {
  readonly table: TaskTable;
  readonly dispatcher: Dispatcher;
}

export class Neighbours {
  readonly #wiring: NeighboursWiring;
  readonly #others: Others;
  readonly #quarantine: QuarantineWatch;

  constructor(wiring: NeighboursWiring) {
    this.#wiring = wiring;
    this.#others = new Others(wiring);
    const { table, dispatcher } = wiring;
    this.#quarantine = new QuarantineWatch({
      ...wiring,
      stop: (taskId, stop) => {
        const record = table.get(taskId);
        if (record !== undefined) dispatcher.stop(record, stop);
      },
    });
  }

  attend(isAwaited: boolean): void {
    this.#quarantine.attend(isAwaited);
  }

  /** Asks tasks of others to end. Resolves with how many ended as cancelled, after they are gone. */
  cancel(isMeant: (row: TaskRow) => boolean, workflowId: string): Promise<number> {
    return this.#others.cancel(isMeant, workflowId);
  }

  /** Another process runs the task that bears this one's idempotency key: its result is this one's, too. */
  join(record: TaskRecord): void {
    const { parts, dispatcher } = this.#wiring;
    const { taskId } = record.task;
    this.#others.watch(parts.workflowId, taskId, ({ status, result }) => {
      if (record.result !== null) return;
      const message = `Task ${taskId} belongs to another process by its idempotencyKey, and ended ${status ?? "unknown"} there.`;
      if (result === null) dispatcher.fates.fail(record, { code: "OWNER_GONE", message, retryable: true });
      else dispatcher.fates.adopt(record, result);
    });
  }

  /** This process was judged gone and lives: what became of its tasks meanwhile was told to nobody. */
  async rejoined(): Promise<void> {
    const { table, dispatcher, view } = this.#wiring;
    const records = [...table.records()].filter(({ key, result, attempt }) => key > 0 && result === null && !attempt);
    const rows = await view((store) => records.map(({ task }) => store.task(task.workflowId, task.taskId)));
    for (const [index, record] of records.entries()) dispatcher.takeUp(record, rows[index]);
  }

  close(): void {
    this.#others.close();
  }
}
