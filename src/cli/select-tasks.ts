/** `--only`: a plan cut down to some of its tasks and what they depend on. */
import { LockyardError, suggest } from "../edges/basics.ts";
import type { Plan, PlanTask } from "../plan/plan.ts";

/** Throws INVALID_OPTION when a name is none of the plan's tasks. */
export function selectTasks(plan: Plan, only: readonly string[]): Plan {
  const byId = new Map(plan.tasks.map((task) => [task.id, task]));
  const wanted = new Set<string>();
  const open = only.map((name) => known(name, byId));
  for (const task of open) {
    if (wanted.has(task.id)) continue;
    wanted.add(task.id);
    for (const id of dependenciesOf(task)) {
      const dependency = byId.get(id) ?? byId.get(groupOf(id));
      if (dependency !== undefined) open.push(dependency);
    }
  }
  return { ...plan, tasks: plan.tasks.filter((task) => wanted.has(task.id)) };
}

function known(name: string, byId: ReadonlyMap<string, PlanTask>): PlanTask {
  const task = byId.get(name) ?? byId.get(groupOf(name));
  if (task !== undefined) return task;
  const near = suggest(name, byId.keys());
  throw new LockyardError("INVALID_OPTION", `The plan has no task named ${JSON.stringify(name)}.`, {
    hint: near === undefined ? `It has ${[...byId.keys()].slice(0, 10).join(", ")}.` : `Did you mean ${near}?`,
  });
}

function dependenciesOf(task: PlanTask): readonly string[] {
  const { forEach } = task;
  return forEach?.kind === "from" ? [...task.dependsOn, forEach.task] : task.dependsOn;
}

/** `docs[a.md]` is a member of `docs`. */
function groupOf(id: string): string {
  const at = id.indexOf("[");
  return at > 0 ? id.slice(0, at) : id;
}
