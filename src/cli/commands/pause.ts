/** `lockyard pause WORKFLOW`: nothing more is started, what runs goes on. */
import { LockyardError, neutralise } from "../../edges/basics.ts";
import { NOTE } from "../../edges/store.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { countsOf, liveTasks } from "../look/workflow-look.ts";
import { tellOwners, until, withStore } from "../store/reach.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";

export function pauseCommand(
  name: string,
  { options, surroundings }: { readonly options: CommonOptions; readonly surroundings: Surroundings },
): Promise<ExitCode> {
  return withStore("pause", { options, surroundings }, async (shared) => {
    const { out } = surroundings;
    const workflowId = shared.store.view((view) => findWorkflow(view, name));
    const rows = shared.store.view((view) => liveTasks(view, workflowId));
    const owned = rows.filter(({ ownerId }) => ownerId !== "");
    if (owned.length === 0) {
      throw new LockyardError(
        "INVALID_OPTION",
        rows.length === 0
          ? `Workflow ${workflowId} has ended; there is nothing to pause.`
          : `Workflow ${workflowId} is suspended already: the process that ran it is gone.`,
        { hint: rows.length === 0 ? undefined : `Go on: lockyard resume ${workflowId}` },
      );
    }
    await tellOwners(shared, owned, { kind: "pause", reason: "by `lockyard pause`" });
    const isPaused = await until(shared, (view) => {
      const counts = countsOf(view, workflowId);
      return view.note(NOTE.pause(workflowId)) !== undefined && counts.waiting === 0;
    });
    const counts = shared.store.view((view) => countsOf(view, workflowId));
    if (options.json === true) out.json({ type: "pause", workflowId, done: isPaused, counts });
    else if (!isPaused) out.line(neutralise(`Asked ${workflowId} to pause; its process has not answered yet.`));
    else {
      const held = counts.suspended + counts.blocked + counts.retrying;
      out.line(
        neutralise(
          `Paused ${workflowId}: ${count(counts.running, "running task")} ${counts.running === 1 ? "goes" : "go"} on, ${count(held, "task")} ${held === 1 ? "waits" : "wait"}. Continue: lockyard resume ${workflowId}`,
        ),
      );
    }
    return isPaused ? EXIT.ok : EXIT.failed;
  });
}
