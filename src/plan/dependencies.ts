/** Which tasks a concrete task waits for: members instead of groups, and which lists must be known before. */
import { BOUNDS } from "../core/bounds.ts";
import { invariant } from "../core/errors.ts";
import { type FaultList, quote } from "./faults.ts";
import { groupOf, topologicalOrder } from "./graph.ts";
import { type Item, type Items, labelOf, UNKNOWN_ITEMS } from "./items.ts";
import type { PlanTask } from "./plan.ts";
import { putIn, textOf } from "./template.ts";

export interface Resolved {
  readonly dependsOn: readonly string[];
  /** Deferred groups, also those that its dependencies wait for. */
  readonly waitsFor: readonly string[];
}

interface Known {
  readonly items: ReadonlyMap<string, Items>;
  readonly faults: FaultList;
}

/** Names the members of every task and resolves what they depend on. */
export class DependencyResolver {
  readonly #known: Known;
  readonly #ids = new Map<string, readonly string[]>();
  readonly #groups = new Map<string, string>();
  readonly #resolved = new Map<string, Resolved>();
  readonly #tasks: ReadonlyMap<string, PlanTask>;

  constructor(tasks: readonly PlanTask[], known: Known) {
    this.#known = known;
    this.#tasks = new Map(tasks.map((task) => [task.id, task]));
    for (const task of tasks) this.#name(task);
    const graph = new Map(tasks.map((task) => [task.id, task.dependsOn.map((id) => this.#groupOf(id))]));
    for (const id of topologicalOrder(graph)) {
      const task = this.#tasks.get(id);
      if (task !== undefined) this.#resolved.set(id, this.#resolve(task));
    }
  }

  /** Ids of the members of a task, in order. */
  idsOf(group: string): readonly string[] {
    return this.#ids.get(group) ?? [];
  }

  /** What one member waits for: what its task waits for, and the members it names itself (`docs[{{file}}]`). */
  resolve(task: PlanTask, { variables }: Item): Resolved {
    const shared = this.#resolved.get(task.id);
    invariant(shared !== undefined, `the task ${task.id} is in no cycle`);
    const own = task.dependsOn.filter((id) => this.#groupOf(id) !== id);
    if (own.length === 0) return shared;
    const dependsOn = new Set(shared.dependsOn);
    for (const written of own) {
      const group = this.#groupOf(written);
      const inside = textOf(putIn(written.slice(group.length + 1, -1), variables, { keepsResults: false }));
      const id = `${group}[${labelOf(inside)}]`;
      if (this.#known.items.get(group) === UNKNOWN_ITEMS) continue;
      if (this.#groups.has(id)) dependsOn.add(id);
      else {
        const index = task.dependsOn.indexOf(written);
        this.#known.faults.add(
          { path: [...task.path, "dependsOn", index] },
          `no task named ${quote(id)}`,
          `${group} has no such member`,
        );
      }
    }
    return { dependsOn: [...dependsOn], waitsFor: shared.waitsFor };
  }

  #groupOf(dependency: string): string {
    return this.#tasks.has(dependency) ? dependency : groupOf(dependency);
  }

  #name(task: PlanTask): void {
    const { items, faults } = this.#known;
    const ids = (items.get(task.id) ?? []).map(({ label }) => (label === undefined ? task.id : `${task.id}[${label}]`));
    this.#ids.set(task.id, ids);
    for (const id of ids) {
      const target = { path: task.forEach === undefined ? task.path : [...task.path, "forEach"], at: "key" } as const;
      if (this.#groups.has(id))
        faults.add(target, `two tasks would be called ${quote(id)}`, "give the items different names");
      else if (Buffer.byteLength(id) > BOUNDS.idBytes)
        faults.add(
          target,
          `the id ${quote(id)} is longer than ${BOUNDS.idBytes} bytes`,
          "shorten the name of the task",
        );
      this.#groups.set(id, task.id);
    }
  }

  /** What every member of a task waits for. Its dependencies were resolved before it. */
  #resolve(task: PlanTask): Resolved {
    const dependsOn = new Set<string>();
    const waitsFor = new Set<string>();
    for (const written of task.dependsOn) {
      const group = this.#groupOf(written);
      const before = this.#resolved.get(group);
      const items = this.#known.items.get(group) ?? [];
      for (const id of before?.waitsFor ?? []) waitsFor.add(id);
      if (items === UNKNOWN_ITEMS) {
        waitsFor.add(group);
        const { forEach } = this.#tasks.get(group) ?? {};
        // When the list never comes, who waits for its tasks is skipped with its source.
        if (forEach?.kind === "from") dependsOn.add(forEach.task);
      } else if (items.length === 0) for (const id of before?.dependsOn ?? []) dependsOn.add(id);
      else if (group === written) for (const id of this.idsOf(group)) dependsOn.add(id);
    }
    if (dependsOn.size > BOUNDS.dependenciesPerTask) {
      const [count, limit] = [dependsOn.size, BOUNDS.dependenciesPerTask].map((number) => number.toLocaleString("en"));
      this.#known.faults.add(
        { path: [...task.path, "dependsOn"], at: "key" },
        `${quote(task.id)} depends on ${count} tasks and the limit is ${limit}`,
        "put tasks between that gather a part each",
      );
    }
    return { dependsOn: [...dependsOn], waitsFor: [...waitsFor] };
  }
}
