/** `lockyard resume WORKFLOW`: goes on, in the process that ran it or, when that is gone, in this one. */
import { LockyardError, neutralise } from "../../edges/basics.ts";
import type { StoreView, TaskRow } from "../../edges/store.ts";
import type { Budget } from "../../index.ts";
import type { ResumeOptions } from "../control-commands.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { liveTasks, pausedBecause } from "../look/workflow-look.ts";
import { type Earlier, earlierResults } from "../run/earlier.ts";
import { type RunNote, readRunNote } from "../run/run-note.ts";
import { tellOwners, until, withStore } from "../store/reach.ts";
import { freeWhatTheDeadHeld } from "../store/remains.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";

interface Resuming {
  readonly options: ResumeOptions;
  readonly surroundings: Surroundings;
}

/** Long enough for everything a dead process left. */
const FREE_LIMIT_MS = 10_000;

export async function resumeCommand(name: string, { options, surroundings }: Resuming): Promise<ExitCode> {
  let gone: { readonly note: RunNote; readonly earlier: Earlier } | null = null;
  const code = await withStore("resume", { options, surroundings }, async (shared) => {
    const { store, clock } = shared;
    await freeWhatTheDeadHeld(store, clock, FREE_LIMIT_MS);
    const workflowId = store.view((view) => findWorkflow(view, name));
    const rows = store.view((view) => liveTasks(view, workflowId));
    const owned = rows.filter(({ ownerId }) => ownerId !== "");
    if (owned.length > 0) return goOnThere(shared, { workflowId, rows, options, surroundings });
    const note = store.view((view) => leftRun(view, workflowId, rows));
    const results = store.view((view) => earlierResults(view, workflowId, clock));
    gone = { note, earlier: { workflowId, startedAtMs: note.startedAtMs, results, again: [] } };
    return EXIT.ok;
  });
  if (gone === null) return code;
  const { goOnWith } = await import("../run/run-plan.ts");
  const { note, earlier }: { readonly note: RunNote; readonly earlier: Earlier } = gone;
  return goOnWith({ note, earlier, options, budget: budgetOf(options), surroundings });
}

function budgetOf({ usd: costUsd, tokens, tasks, wall: wallMs }: ResumeOptions): Budget {
  return {
    ...(costUsd === undefined ? {} : { costUsd }),
    ...(tokens === undefined ? {} : { tokens }),
    ...(tasks === undefined ? {} : { tasks }),
    ...(wallMs === undefined ? {} : { wallMs }),
  };
}

/** What is kept of a run whose process is gone. Throws INVALID_OPTION when there is nothing to go on with. */
function leftRun(view: StoreView, workflowId: string, rows: readonly TaskRow[]): RunNote {
  const note = readRunNote(view, workflowId);
  if (note !== undefined && (rows.length > 0 || note.state !== "finished")) return note;
  throw new LockyardError(
    "INVALID_OPTION",
    rows.length > 0
      ? `Workflow ${workflowId} was run by a program of its own, and only that program can go on with it.`
      : `Workflow ${workflowId} has ended; there is nothing to go on with.`,
    {
      hint:
        rows.length > 0
          ? `lockyard cancel --workflow ${workflowId} ends what is left.`
          : `lockyard retry ${workflowId} runs what failed again.`,
    },
  );
}

interface There extends Resuming {
  readonly workflowId: string;
  readonly rows: readonly TaskRow[];
}

/** The process that runs it lives. */
async function goOnThere(shared: SharedStore, { workflowId, rows, options, surroundings }: There): Promise<ExitCode> {
  const { out } = surroundings;
  const owned = rows.filter(({ ownerId }) => ownerId !== "");
  const held = rows.filter(({ status }) => status === "suspended").length;
  const wasPaused = shared.store.view((view) => pausedBecause(view, workflowId)) !== null || held > 0;
  await tellOwners(shared, owned, { kind: "resume", ...budgetOf(options) });
  const goesOn = await until(shared, (view) => pausedBecause(view, workflowId) === null);
  if (options.json === true) out.json({ type: "resume", workflowId, done: goesOn, wasPaused, tasks: held });
  else if (!wasPaused) out.line(neutralise(`${workflowId} is not paused: ${count(owned.length, "task")} run or wait.`));
  else if (goesOn) out.line(neutralise(`${workflowId} goes on: ${count(held, "task")} back in line.`));
  else {
    const because = shared.store.view((view) => pausedBecause(view, workflowId)) ?? "";
    out.line(neutralise(`${workflowId} does not go on. ${because}`));
  }
  return goesOn ? EXIT.ok : EXIT.failed;
}
