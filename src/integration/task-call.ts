import type { JsonObject, JsonValue, TaskCall } from "../core/task.ts";
import { Faults } from "../engine/faults.ts";
import { looseTaskId } from "../engine/ids.ts";
import { CheckedCall } from "../engine/task-call.ts";

/**
 * Makes a task call: checks it at once and gives it an id. Handing it to a layer costs no second check; a plain object of
 * the same shape is accepted there too. The result is frozen. Throws INVALID_TASK_CALL (or INVALID_CONTEXT) with every
 * fault in `faults`.
 */
export function createTaskCall<const Id extends string, Context = JsonObject, Output = JsonValue>(
  call: TaskCall<Id, Context, Output>,
): TaskCall<Id, Context, Output> & { readonly taskId: string } {
  const faults = new Faults("call");
  const checked = CheckedCall.from(call, looseTaskId, faults);
  faults.throwIfAny();
  // What was checked is what was given, with its types and an id; without a fault there is one.
  return checked as unknown as TaskCall<Id, Context, Output> & { readonly taskId: string };
}
