/**
 * `lockyard retry TASK|WORKFLOW`: what ended without success runs again, and what was skipped because of it; in the process
 * that runs the workflow or, when that is gone, in this one. What succeeded stays.
 */
import { BOUNDS, LockyardError, neutralise } from "../../edges/basics.ts";
import { isFinal, type StoreView, type TaskRow } from "../../edges/store.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { liveTasks } from "../look/workflow-look.ts";
import { type Earlier, earlierResults } from "../run/earlier.ts";
import { type RunNote, readRunNote } from "../run/run-note.ts";
import { tellOwners, until, withStore } from "../store/reach.ts";
import { freeWhatTheDeadHeld } from "../store/remains.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";

interface Retrying {
  readonly options: CommonOptions;
  readonly surroundings: Surroundings;
}

interface Meant {
  readonly workflowId: string;
  readonly taskIds: readonly string[];
}

const FREE_LIMIT_MS = 10_000;

export async function retryCommand(name: string, { options, surroundings }: Retrying): Promise<ExitCode> {
  let gone: { readonly note: RunNote; readonly earlier: Earlier } | null = null;
  const code = await withStore("retry", { options, surroundings }, async (shared) => {
    const { store, clock } = shared;
    await freeWhatTheDeadHeld(store, clock, FREE_LIMIT_MS);
    const meant = store.view((view) => meantBy(view, name));
    const { workflowId, taskIds: again } = meant;
    if (again.length === 0) {
      if (options.json === true) surroundings.out.json({ type: "retry", workflowId, tasks: [] });
      else
        surroundings.out.line(
          neutralise(`Nothing to run again: no task of ${workflowId} failed, timed out or was skipped.`),
        );
      return EXIT.ok;
    }
    const owned = store.view((view) => liveTasks(view, workflowId)).filter(({ ownerId }) => ownerId !== "");
    if (owned.length > 0) return retryThere(shared, { ...meant, owned, options, surroundings });
    const note = store.view((view) => readRunNote(view, workflowId));
    if (note === undefined) {
      throw new LockyardError(
        "INVALID_OPTION",
        `Workflow ${workflowId} was run by a program of its own, and only that program can run its tasks again.`,
      );
    }
    const results = store.view((view) => earlierResults(view, workflowId, clock));
    gone = { note, earlier: { workflowId, startedAtMs: note.startedAtMs, results, again } };
    return EXIT.ok;
  });
  if (gone === null) return code;
  const { goOnWith } = await import("../run/run-plan.ts");
  const { note, earlier }: { readonly note: RunNote; readonly earlier: Earlier } = gone;
  return goOnWith({ note, earlier, options, budget: {}, surroundings });
}

const MAY_RUN_AGAIN = ["failed", "timed_out", "skipped"] as const;

/** A task by its name, else everything of a workflow that did not get through. Throws INVALID_OPTION. */
function meantBy(view: StoreView, name: string): Meant {
  const tasks = findTasks(view, name);
  const ended = tasks.filter(({ status }) => isFinal(status) && status !== "succeeded");
  const [task, other] = ended;
  if (task !== undefined && other === undefined) return { workflowId: task.workflowId, taskIds: [task.taskId] };
  if (other !== undefined) {
    const names = ended.map(({ workflowId, taskId }) => `${workflowId}/${taskId}`);
    throw new LockyardError("INVALID_OPTION", `${name} is the id of a task in ${names.length} workflows.`, {
      hint: `Say which: ${names.slice(0, 5).join(", ")}.`,
    });
  }
  const [known] = tasks;
  if (known !== undefined) {
    throw new LockyardError(
      "INVALID_OPTION",
      `Task ${known.workflowId}/${known.taskId} is ${known.status}; only what ended without success runs again.`,
    );
  }
  const workflowId = findWorkflow(view, name);
  const rows = view.tasks({ workflowId, statuses: MAY_RUN_AGAIN, limit: BOUNDS.tasksPerWorkflow });
  return { workflowId, taskIds: rows.filter(({ kind }) => kind === "task").map(({ taskId }) => taskId) };
}

interface There extends Retrying, Meant {
  readonly owned: readonly TaskRow[];
}

/** The process that runs it lives: it is told, and has done it when the old rows are gone. */
async function retryThere(
  shared: SharedStore,
  { workflowId, taskIds, owned, options, surroundings: { out } }: There,
): Promise<ExitCode> {
  const keyOf = (view: StoreView, taskId: string) => view.task(workflowId, taskId)?.key;
  const before = shared.store.view((view) => new Map(taskIds.map((taskId) => [taskId, keyOf(view, taskId)])));
  await tellOwners(shared, owned, { kind: "retry", taskIds });
  const isDone = await until(shared, (view) => taskIds.every((taskId) => keyOf(view, taskId) !== before.get(taskId)));
  if (options.json === true) out.json({ type: "retry", workflowId, done: isDone, tasks: taskIds });
  else
    out.line(
      neutralise(
        isDone
          ? `${count(taskIds.length, "task")} of ${workflowId} ${taskIds.length === 1 ? "runs" : "run"} again, in the process that runs it.`
          : `The process that runs ${workflowId} was told and has not answered yet. See: lockyard status`,
      ),
    );
  return isDone ? EXIT.ok : EXIT.failed;
}
