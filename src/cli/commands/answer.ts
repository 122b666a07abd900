/** `lockyard answer TASK TEXT`: answers a task that asks, wherever it runs. */
import { LockyardError, neutralise } from "../../edges/basics.ts";
import { NOTE, type StoreView, type TaskRow } from "../../edges/store.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { tellOwners, until, withStore } from "../store/reach.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";

export function answerCommand(
  name: string,
  text: string,
  { options, surroundings }: { readonly options: CommonOptions; readonly surroundings: Surroundings },
): Promise<ExitCode> {
  return withStore("answer", { options, surroundings }, async (shared) => {
    const row = shared.store.view((view) => asking(view, name));
    await tellOwners(shared, [row], { kind: "answer", input: text });
    const isTaken = await until(shared, (view) => view.note(NOTE.question(row.key)) === undefined);
    const task = `${row.workflowId}/${row.taskId}`;
    const { out } = surroundings;
    if (options.json === true)
      out.json({ type: "answer", workflowId: row.workflowId, taskId: row.taskId, done: isTaken });
    else if (isTaken) out.line(neutralise(`Answered ${task}; it goes on.`));
    else
      out.line(
        neutralise(
          `The answer to ${task} is in the store, and its process has not taken it yet. See: lockyard why ${task}`,
        ),
      );
    return isTaken ? EXIT.ok : EXIT.failed;
  });
}

/** The one task of this name that asks. Throws INVALID_OPTION. */
function asking(view: StoreView, name: string): TaskRow {
  const found = findTasks(view, name);
  const rows = found.filter(({ status }) => status === "needs_input");
  const [row, other] = rows;
  if (row !== undefined && other === undefined) return row;
  const names = rows.map(({ workflowId, taskId }) => `${workflowId}/${taskId}`);
  const [known] = found;
  throw new LockyardError(
    "INVALID_OPTION",
    names.length > 0
      ? `${name} asks in ${names.length} workflows: ${names.slice(0, 5).join(", ")}.`
      : known === undefined
        ? `There is no task named ${name}.`
        : `Task ${known.workflowId}/${known.taskId} is ${known.status} and asks nothing.`,
    { hint: names.length > 0 ? "Say which." : "lockyard status lists the tasks that need an answer." },
  );
}
