/** Tasks by what people type: `WORKFLOW/TASK`, a task id that only one workflow has, or a workflow's id for all of it. */
import type { StoreView, TaskRow } from "../../edges/store.ts";

/** Workflows looked through for a bare task id. */
const WORKFLOWS = 1_000;

/** The task, several when the id is not unique, none when there is no such task. */
export function findTasks(view: StoreView, text: string): readonly TaskRow[] {
  // A task id may hold slashes, a workflow's too when a program chose it: every cut is tried.
  for (let at = text.indexOf("/"); at > 0; at = text.indexOf("/", at + 1)) {
    const row = view.task(text.slice(0, at), text.slice(at + 1));
    if (row !== undefined) return [row];
  }
  return view.workflows(WORKFLOWS).flatMap(({ workflowId }) => view.task(workflowId, text) ?? []);
}
