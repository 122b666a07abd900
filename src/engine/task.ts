import type { AgentTask, JsonObject, TaskGroup } from "../core/task.ts";
import type { Faults } from "./faults.ts";
import { CallFields, CheckedCall, fillCall } from "./task-call.ts";

/** What the engine hangs on a task. */
export type TaskOwner = object;

/** The task a call becomes. One object a task: it waits with it, runs with it, and is what agents are given. */
export class Task extends CallFields implements AgentTask {
  #owner: TaskOwner | null = null;
  // Named here, so that the engine of the language reserves their places in the object.
  override readonly agentId: string = "";
  override readonly taskType: string = "";
  override readonly description: string = "";
  // Set once, by `place` and `describe`, before anybody sees the task; readonly in the type that agents see.
  override taskId = "";
  override workflowId = "";
  group: TaskGroup = "general";
  declare contextData?: JsonObject;

  /** Reads anything given as a call. Undefined when it has faults, which are then in `faults`. */
  static from(input: unknown, faults: Faults): Task | undefined {
    const task = new Task();
    if (CheckedCall.is(input)) return Object.assign(task, input);
    return fillCall(task, input, faults) ? task : undefined;
  }

  /** What hangs on the task that a row carries; null for the row of a shared store, which carries data. */
  static ownerOf(payload: unknown): TaskOwner | null {
    return typeof payload === "object" && payload !== null && #owner in payload ? payload.#owner : null;
  }

  belongsTo(owner: TaskOwner): void {
    this.#owner = owner;
  }

  /** Gives it its place, once, before anybody sees it. */
  place(taskId: string, workflowId: string): void {
    this.taskId = taskId;
    this.workflowId = workflowId;
  }

  /** What was worked out from what it says. */
  describe(group: TaskGroup, contextData: JsonObject | undefined): void {
    this.group = group;
    if (contextData !== undefined) this.contextData = contextData;
  }

  /** What other processes may read of it: a schema is code. */
  toJSON(): object {
    const { outputSchema: _, ...data } = this;
    return data;
  }
}
