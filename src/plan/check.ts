/** What can only be said of a plan as a whole: names that lead nowhere, cycles, tasks that could never start. */
import type { DeclaredResource } from "../core/declared.ts";
import { CODING_KINDS, findAgent } from "./agent.ts";
import { checkClaims } from "./claims.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import { comesAfter, type Dependencies, findCycles, groupOf } from "./graph.ts";
import type { PlanAgent, PlanTask } from "./plan.ts";
import { hasTemplate, isResult, type Reference, referencesOf } from "./template.ts";

export interface Whole {
  readonly tasks: readonly PlanTask[];
  readonly agents: Readonly<Record<string, PlanAgent>>;
  readonly resources: ReadonlyMap<string, DeclaredResource>;
  readonly root: string;
  readonly faults: FaultList;
  /** Names that stand in the file, but wrongly: their own fault was told. */
  readonly brokenAgents: ReadonlySet<string>;
  readonly brokenResources: ReadonlySet<string>;
}

/** Checks everything that spans tasks; returns the tasks with their claims in one form. */
export function checkWhole(whole: Whole): readonly PlanTask[] {
  const { tasks, faults } = whole;
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const graph: Dependencies = new Map(tasks.map((task) => [task.id, task.dependsOn.map(groupOf)]));
  for (const task of tasks) {
    checkAgent(task, whole);
    checkDependencies(task, byId, faults);
  }
  for (const cycle of findCycles(graph)) reportCycle(cycle, byId, faults);
  for (const task of tasks) checkResults(task, { byId, graph, faults });
  return tasks.map((task) => {
    const isBroken = (name: string) => whole.brokenResources.has(name);
    return {
      ...task,
      claims: checkClaims(task.claims, { root: whole.root, faults, resources: whole.resources, isBroken }),
    };
  });
}

function checkAgent(task: PlanTask, { agents, faults, brokenAgents }: Whole): void {
  const { agent: name } = task;
  if (name === undefined || task.command !== undefined || hasTemplate(name) || brokenAgents.has(name)) return;
  const agent = findAgent(name, agents);
  if (agent === undefined) {
    const names = [...Object.keys(agents), ...brokenAgents, ...CODING_KINDS];
    faults.add({ path: [...task.path, "agent"] }, `no agent named ${quote(name)}`, didYouMean(name, names));
  } else if (task.description === undefined && agent.kind !== "command" && agent.kind !== "thread") {
    faults.add(
      { path: task.path, at: "key" },
      `the task ${quote(task.id)} tells its agent nothing`,
      "write description",
    );
  }
}

/** Where a dependency of a task stands in the file. */
function dependencyPath(task: PlanTask, index: number): Path {
  const isSource =
    task.forEach?.kind === "from" && task.forEach.task === task.dependsOn[index] && index === task.dependsOn.length - 1;
  return isSource ? [...task.path, "forEach", "from"] : [...task.path, "dependsOn", index];
}

function checkDependencies(task: PlanTask, byId: ReadonlyMap<string, PlanTask>, faults: FaultList): void {
  for (const [index, id] of task.dependsOn.entries()) {
    const path = dependencyPath(task, index);
    const group = byId.get(id) === undefined ? groupOf(id) : id;
    if (group === task.id) faults.add({ path }, `the task ${quote(task.id)} depends on itself`, "remove it");
    else if (!byId.has(group))
      faults.add(
        { path },
        `no task named ${quote(group)}`,
        didYouMean(
          group,
          [...byId.keys()].filter((each) => each !== task.id),
        ),
      );
    else if (group !== id && byId.get(group)?.forEach === undefined)
      faults.add({ path }, `the task ${quote(group)} has no members`, `write ${quote(group)}`);
  }
  if (task.forEach?.kind !== "from") return;
  const source = byId.get(task.forEach.task);
  if (source?.forEach !== undefined) {
    faults.add(
      { path: [...task.path, "forEach", "from"] },
      `the task ${quote(source.id)} is many tasks itself`,
      "take the list from one task",
    );
  }
}

function reportCycle(cycle: readonly string[], byId: ReadonlyMap<string, PlanTask>, faults: FaultList): void {
  const [first = ""] = cycle;
  const last = byId.get(cycle.at(-1) ?? "");
  if (last === undefined || cycle.length < 2) return; // a task that depends on itself was told
  const shown = cycle.length > 8 ? [...cycle.slice(0, 6), `… ${cycle.length - 6} more …`] : cycle;
  const way = [...shown, first].map((id) => quote(id, 30).slice(1, -1)).join(" → ");
  const index = last.dependsOn.findIndex((id) => groupOf(id) === first || id === first);
  faults.add(
    { path: dependencyPath(last, index) },
    `tasks that wait for each other: ${way}`,
    "remove one of these dependencies",
  );
}

interface ResultChecking {
  readonly byId: ReadonlyMap<string, PlanTask>;
  readonly graph: Dependencies;
  readonly faults: FaultList;
}

/** A result can be used only by tasks that wait for it. */
function checkResults(task: PlanTask, { byId, graph, faults }: ResultChecking): void {
  for (const { reference, path } of resultsOf(task)) {
    const name = String(reference.path[1] ?? "");
    const target = { path, find: reference.text };
    if (name === "") continue; // told where the text was read
    const group = byId.has(name) ? name : groupOf(name);
    if (!byId.has(group)) faults.add(target, `no task named ${quote(group)}`, didYouMean(group, [...byId.keys()]));
    else if (group === task.id) faults.add(target, "a task cannot use its own result", "name an earlier one");
    else if (!(graph.get(task.id)?.includes(group) || comesAfter(graph, task.id, group))) {
      faults.add(target, `${quote(task.id)} does not wait for ${quote(group)}`, `add ${group} to dependsOn`);
    }
  }
}

/** Every `{{results…}}` of a task, with the path of its text. */
export function resultsOf(task: PlanTask): readonly { readonly reference: Reference; readonly path: Path }[] {
  const found: { readonly reference: Reference; readonly path: Path }[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === "string") {
      if (value.includes("{{"))
        for (const reference of referencesOf(value)) if (isResult(reference)) found.push({ reference, path });
    } else if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, [...path, index]);
    else if (typeof value === "object" && value !== null)
      for (const [key, item] of Object.entries(value)) visit(item, [...path, key]);
  };
  if (task.description !== undefined && "text" in task.description)
    visit(task.description.text, [...task.path, "description"]);
  if (task.command !== undefined && "argv" in task.command)
    for (const argument of task.command.argv) visit(argument, [...task.path, "run"]);
  visit(task.env, [...task.path, "env"]);
  visit(task.context, [...task.path, "context"]);
  return found;
}
