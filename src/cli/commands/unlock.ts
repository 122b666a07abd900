/** `lockyard unlock RESOURCE|TASK`: frees what a quarantined holder held; by `--force`, what a living one holds. */
import { LockyardError, neutralise } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { isFinal, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { UnlockOptions } from "../control-commands.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { lookAt } from "../look/resource-look.ts";
import { ownerNames } from "../look/status-report.ts";
import { workspaceRoot } from "../look/workspace.ts";
import { withStore } from "../store/reach.ts";
import type { SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";

interface Unlocking {
  readonly options: UnlockOptions;
  readonly surroundings: Surroundings;
}

export function unlockCommand(what: string, { options, surroundings }: Unlocking): Promise<ExitCode> {
  return withStore("unlock", { options, surroundings }, async (shared) => {
    const { out, cwd } = surroundings;
    const context = { nowMs: shared.clock.nowMs(), root: workspaceRoot(cwd), cwd };
    const rows = shared.store.view((view) => holdersOf(view, what, context));
    if (rows.length === 0) {
      if (options.json === true) out.json({ type: "unlock", what, freed: [] });
      else out.line(neutralise(`${what} is free: nobody holds it.`));
      return EXIT.ok;
    }
    const meant = options.force === true ? rows : rows.filter(({ quarantined }) => quarantined);
    if (meant.length === 0) throw shared.store.view((view) => refusal(view, { what, rows, nowMs: context.nowMs }));
    return free(shared, meant, { options, surroundings });
  });
}

/** Tasks that hold it: the task itself, or whoever holds the resource, something above or something below it. */
function holdersOf(
  view: StoreView,
  what: string,
  context: { readonly nowMs: number; readonly root: string; readonly cwd: string },
): readonly TaskRow[] {
  const tasks = findTasks(view, what).filter(({ holdsClaims, status }) => holdsClaims && !isFinal(status));
  if (tasks.length > 0) return tasks;
  const { node } = lookAt(view, what, context);
  const rows = new Map<number, TaskRow>();
  for (const { row } of view.holds({ node, limit: 1_000 })) {
    // What a task got in the middle goes with the task.
    const holder =
      row.kind === "task"
        ? row
        : view.tasks({ workflowId: row.workflowId, limit: 100_000 }).find(({ key }) => key === row.holderKey);
    if (holder !== undefined) rows.set(holder.key, holder);
  }
  return [...rows.values()];
}

function refusal(
  view: StoreView,
  { what, rows, nowMs }: { readonly what: string; readonly rows: readonly TaskRow[]; readonly nowMs: number },
): LockyardError {
  const [row] = rows;
  const task = `${row?.workflowId}/${row?.taskId}`;
  const owner = ownerNames(view, nowMs).get(row?.ownerId ?? "");
  const others = rows.length > 1 ? ` and ${count(rows.length - 1, "other task")}` : "";
  return new LockyardError(
    "INVALID_OPTION",
    `${what} is held by ${task}${owner === undefined ? "" : ` (${owner})`}${others}, which is not quarantined. Nothing was unlocked.`,
    {
      hint: `Stop it: lockyard cancel ${task}. To take it from a task that may still write: lockyard unlock ${what} --force`,
    },
  );
}

async function free(
  { store }: SharedStore,
  rows: readonly TaskRow[],
  { options, surroundings }: Unlocking,
): Promise<ExitCode> {
  const { out, cwd } = surroundings;
  const root = workspaceRoot(cwd);
  const force = options.force === true;
  const waiting = () => store.view((view) => view.count({ statuses: ["waiting"] }));
  const before = waiting();
  const told = rows.map((row) => ({
    workflowId: row.workflowId,
    taskId: row.taskId,
    wasQuarantined: row.quarantined,
    resources: row.claims.map(({ node }) => resourceId(node, root)),
    key: row.key,
  }));
  const effects = await store.turn(rows.map(({ key }) => ({ type: "unlock", key, force })));
  // What one release could not test any more is tested now.
  await store.turn([{ type: "tick" }]);
  const ended = new Set(effects.flatMap((effect) => (effect.type === "ended" ? [effect.row.key] : [])));
  const freed = told.filter(({ key }) => ended.has(key));
  const admitted = Math.max(0, before - waiting());
  if (options.json === true) {
    out.json({ type: "unlock", freed: freed.map(({ key: _, ...rest }) => rest), admitted });
    return EXIT.ok;
  }
  for (const { workflowId, taskId, wasQuarantined, resources } of freed) {
    const held = resources.join(", ") || "nothing";
    out.line(
      neutralise(
        wasQuarantined
          ? `Freed ${held}: ${workflowId}/${taskId}, which could not be stopped, counts as failed (QUARANTINED).`
          : `Took ${held} from ${workflowId}/${taskId}, which may still write; it counts as failed (QUARANTINED).`,
      ),
    );
  }
  if (freed.length === 0) out.line("Nothing had to be freed: it was over in the meantime.");
  else if (admitted > 0) out.line(`${count(admitted, "task")} that waited ${admitted === 1 ? "was" : "were"} let in.`);
  return EXIT.ok;
}
