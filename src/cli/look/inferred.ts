/** What a task of the store claims without having said so, and from what that was inferred (M10). */
import { builtinResourceManager } from "../../edges/plan.ts";
import type { TaskRow } from "../../edges/store.ts";
import type { AgentTask } from "../../index.ts";

/**
 * By the end of the resource's name: `backend_services/users` → `contextData.endpoints[0]`. Worked out anew from the task as
 * it stands in the store; empty when what it was told is not kept there.
 */
export function inferredFrom(row: Pick<TaskRow, "payload">): ReadonlyMap<string, string> {
  const task = row.payload as Partial<AgentTask> | null; // the task as JSON, or nothing; read by shape below
  const found = new Map<string, string>();
  if (typeof task?.agentId !== "string" || typeof task.taskType !== "string") return found;
  try {
    for (const { claim, from } of builtinResourceManager().identify(task as AgentTask)) {
      const name = "lock" in claim ? claim.lock : "write" in claim ? claim.write : "read" in claim ? claim.read : null;
      if (name !== null) found.set(name, from);
    }
  } catch {
    // It was accepted, so other rules than ours made its claims: then nothing is said.
  }
  return found;
}
