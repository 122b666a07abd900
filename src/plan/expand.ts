/**
 * A plan → the tasks that will run: one for each item of `forEach`, variables put in, group names in `dependsOn` replaced
 * by their members. Reads the disk through `files` and `readText` only.
 *
 *  X1 the same plan over the same files expands to the same tasks in the same order
 *  X2 a task that waits for a list not known yet (`forEach: { from }`), itself or by way of others, names it in `waitsFor`
 *  X3 who depends on a group of no members depends on what that group depends on
 */
import { BOUNDS } from "../core/bounds.ts";
import type { AgentResult } from "../core/task.ts";
import { FaultList, inputError, quote } from "./faults.ts";
import { filesBelow, type PlanFiles } from "./glob.ts";
import { type Items, itemsOf, itemsOfList, UNKNOWN_ITEMS } from "./items.ts";
import type { Member } from "./member.ts";
import { MemberMaker } from "./member-maker.ts";
import type { ForEach, Plan, PlanTask } from "./plan.ts";
import { lookUp } from "./template.ts";

/** A `forEach: { from }` task whose list is not known yet. */
export interface DeferredGroup {
  readonly id: string;
  /** The task whose result holds the list. */
  readonly from: string;
  /** At most how many tasks it becomes. */
  readonly max: number;
}

export interface ExpandedPlan {
  readonly plan: Plan;
  /** Every task known so far, in the order of the plan. Submit those whose `waitsFor` is empty. */
  readonly tasks: readonly Member[];
  /** Members of each `forEach` task that is expanded, by its id. */
  readonly groups: Readonly<Record<string, readonly string[]>>;
  readonly deferred: readonly DeferredGroup[];
  /** What people should be told: globs without a match. */
  readonly warnings: readonly string[];
  /** For `expandDeferred`. */
  readonly items: ReadonlyMap<string, Items>;
}

/**
 * Expands a plan. `files` and `readText` default to the disk below the plan's root. Throws LockyardError INVALID_PLAN with
 * every fault that shows only now: too many matches, two tasks of one name, prompt files that cannot be read.
 */
export function expandPlan(plan: Plan, options: Partial<PlanFiles> = {}): ExpandedPlan {
  const files = { ...filesBelow(plan.root), ...options };
  const faults = new FaultList(plan.locator);
  const items = new Map<string, Items>();
  for (const task of plan.tasks) {
    items.set(task.id, itemsOf(task, { files, faults }));
  }
  return assemble(plan, { items, files, faults, known: [] });
}

/**
 * Expands a deferred group when its source has succeeded; `result` is the source's. When the source did not succeed give
 * undefined: the group then has no members, and who depends on it depends on the source. Tasks known before stay the same
 * objects. Throws INVALID_PLAN when the result holds no list, or a longer one than `max`.
 */
export function expandDeferred(
  expanded: ExpandedPlan,
  id: string,
  { result, files = {} }: { readonly result: AgentResult | undefined; readonly files?: Partial<PlanFiles> },
): ExpandedPlan {
  const { plan } = expanded;
  const faults = new FaultList(plan.locator);
  const task = plan.tasks.find((each) => each.id === id);
  const items = new Map(expanded.items);
  if (task?.forEach?.kind === "from")
    items.set(id, result === undefined ? [] : listOf(task, task.forEach, { result, faults }));
  return assemble(plan, { items, files: { ...filesBelow(plan.root), ...files }, faults, known: expanded.tasks });
}

function listOf(
  task: PlanTask,
  forEach: Extract<ForEach, { kind: "from" }>,
  { result, faults }: { readonly result: AgentResult; readonly faults: FaultList },
): Items {
  const at = { path: [...task.path, "forEach", "from"] };
  const list = lookUp(result, forEach.path);
  const where = `${forEach.task}.${forEach.path.join(".")}`;
  if (!Array.isArray(list)) {
    faults.add(at, `${where} is no list`, "the output of that task must hold one");
    return [];
  }
  if (list.length > forEach.max) {
    faults.add(
      at,
      `${where} has ${list.length} items and max is ${forEach.max}`,
      "raise max, or make the list shorter",
    );
    return [];
  }
  return itemsOfList(list, forEach.as);
}

interface Assembly {
  readonly items: ReadonlyMap<string, Items>;
  readonly files: PlanFiles;
  readonly faults: FaultList;
  /** Tasks of an earlier expansion: those that could be submitted then are taken as they are. */
  readonly known: readonly Member[];
}

function assemble(plan: Plan, { items, files, faults, known }: Assembly): ExpandedPlan {
  const started = new Map(
    known.filter(({ waitsFor }) => waitsFor.length === 0).map((member) => [member.call.taskId ?? "", member]),
  );
  const maker = new MemberMaker(plan, { files, faults, items });
  const tasks: Member[] = [];
  const groups: Record<string, readonly string[]> = Object.create(null);
  const deferred: DeferredGroup[] = [];
  const warnings: string[] = [];
  const count = plan.tasks.reduce((sum, { id }) => sum + (items.get(id)?.length ?? 0), 0);
  if (count > BOUNDS.tasksPerWorkflow) {
    const [many, limit] = [count, BOUNDS.tasksPerWorkflow].map((number) => number.toLocaleString("en"));
    faults.add({ path: ["tasks"], at: "key" }, `the plan becomes ${many} tasks and the limit is ${limit}`, "split it");
    throw inputError("INVALID_PLAN", faults.list());
  }
  for (const task of plan.tasks) {
    const its = items.get(task.id) ?? UNKNOWN_ITEMS;
    if (its === UNKNOWN_ITEMS) {
      if (task.forEach?.kind === "from") deferred.push({ id: task.id, from: task.forEach.task, max: task.forEach.max });
      continue;
    }
    const ids = maker.idsOf(task.id);
    if (task.forEach !== undefined) {
      groups[task.id] = ids;
      if (its.length === 0 && task.forEach.kind === "glob")
        warnings.push(`${quote(task.id)} is no task at all: nothing matches ${task.forEach.globs.join(", ")}`);
    }
    for (const [index, item] of its.entries())
      tasks.push(started.get(ids[index] ?? "") ?? maker.make(task, item, ids[index] ?? task.id));
  }
  if (!faults.isEmpty) throw inputError("INVALID_PLAN", faults.list());
  return { plan, tasks, groups, deferred, warnings, items };
}
