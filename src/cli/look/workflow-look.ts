/** One workflow as the store knows it. */
import { BOUNDS } from "../../edges/basics.ts";
import { isFinal, NOTE, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { TaskStatus } from "../../index.ts";

/** Its tasks that have not ended. */
export function liveTasks(view: StoreView, workflowId: string): readonly TaskRow[] {
  const limit = BOUNDS.tasksPerWorkflow;
  return view.tasks({ workflowId, limit }).filter(({ kind, status }) => kind === "task" && !isFinal(status));
}

export interface WorkflowCounts {
  /** Whatever holds locks. */
  readonly running: number;
  readonly waiting: number;
  readonly suspended: number;
  readonly blocked: number;
  readonly retrying: number;
}

export function countsOf(view: StoreView, workflowId: string): WorkflowCounts {
  const of = (...statuses: TaskStatus[]) => view.count({ workflowId, statuses });
  return {
    running: of("starting", "running", "needs_input", "ending"),
    waiting: of("waiting"),
    suspended: of("suspended"),
    blocked: of("blocked"),
    retrying: of("retrying"),
  };
}

/** Why nothing of it is started; null while it is not paused. */
export function pausedBecause(view: StoreView, workflowId: string): string | null {
  const note = view.note(NOTE.pause(workflowId));
  return typeof note === "object" && note !== null && "reason" in note ? String(note.reason) : null;
}

/** What a task asks; null when it asks nothing. */
export function questionOf(view: StoreView, { key, status }: TaskRow): string | null {
  const note = status === "needs_input" ? view.note(NOTE.question(key)) : undefined;
  return typeof note === "object" && note !== null && "question" in note ? String(note.question) : null;
}
