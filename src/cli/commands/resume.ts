/** `lockyard resume WORKFLOW`: goes on, in the process that ran it or, when that is gone, in this one. */
import { LockyardError, neutralise } from "../../edges/basics.ts";
import type { ResumeOptions } from "../control-commands.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { liveTasks, pausedBecause } from "../look/workflow-look.ts";
import { tellOwners, until, withStore } from "../store/reach.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";

export function resumeCommand(
  name: string,
  { options, surroundings }: { readonly options: ResumeOptions; readonly surroundings: Surroundings },
): Promise<ExitCode> {
  return withStore("resume", { options, surroundings }, async (shared) => {
    const { out } = surroundings;
    const workflowId = shared.store.view((view) => findWorkflow(view, name));
    const rows = shared.store.view((view) => liveTasks(view, workflowId));
    const owned = rows.filter(({ ownerId }) => ownerId !== "");
    if (owned.length === 0) {
      throw new LockyardError("INVALID_OPTION", `Workflow ${workflowId} has ended; there is nothing to go on with.`);
    }
    const { usd: costUsd, tokens, tasks } = options;
    await tellOwners(shared, owned, {
      kind: "resume",
      ...(costUsd === undefined ? {} : { costUsd }),
      ...(tokens === undefined ? {} : { tokens }),
      ...(tasks === undefined ? {} : { tasks }),
    });
    const goesOn = await until(shared, (view) => pausedBecause(view, workflowId) === null);
    const held = rows.filter(({ status }) => status === "suspended" || status === "waiting").length;
    if (options.json === true) out.json({ type: "resume", workflowId, done: goesOn, tasks: held });
    else if (goesOn) out.line(neutralise(`${workflowId} goes on: ${count(held, "task")} back in line.`));
    else {
      const because = shared.store.view((view) => pausedBecause(view, workflowId)) ?? "";
      out.line(neutralise(`${workflowId} does not go on yet. ${because}`));
    }
    return goesOn ? EXIT.ok : EXIT.failed;
  });
}
