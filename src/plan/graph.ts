/** The dependencies of a plan as a graph of task ids: cycles, and who comes before whom. No recursion: chains are long. */

/** What each task waits for. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * One cycle of every knot of tasks that wait for each other, in the order in which they wait: `[a, b, c]` means that a
 * waits for b, b for c and c for a. Found by depth-first search; each knot is told once.
 */
export function findCycles(graph: Dependencies): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const state = new Map<string, "open" | "done">();
  const isTold = new Set<string>();
  for (const start of graph.keys()) {
    if (state.has(start)) continue;
    const path: string[] = [];
    const pending: { readonly id: string; next: number }[] = [{ id: start, next: 0 }];
    while (pending.length > 0) {
      const top = pending.at(-1);
      if (top === undefined) break;
      if (top.next === 0) {
        state.set(top.id, "open");
        path.push(top.id);
      }
      const id = graph.get(top.id)?.[top.next++];
      if (id === undefined) {
        state.set(top.id, "done");
        path.pop();
        pending.pop();
      } else if (state.get(id) === "open") {
        const cycle = path.slice(path.indexOf(id));
        if (!cycle.some((member) => isTold.has(member))) cycles.push(cycle);
        for (const member of cycle) isTold.add(member);
      } else if (!state.has(id) && graph.has(id)) pending.push({ id, next: 0 });
    }
  }
  return cycles;
}

/** Whether `task` waits for `other`, directly or by way of others. */
export function comesAfter(graph: Dependencies, task: string, other: string): boolean {
  const seen = new Set<string>();
  const pending = [task];
  while (pending.length > 0) {
    for (const id of graph.get(pending.pop() ?? "") ?? []) {
      if (id === other) return true;
      if (seen.has(id)) continue;
      seen.add(id);
      pending.push(id);
    }
  }
  return false;
}

/** Every id after all it waits for; ids in a cycle are left out. */
export function topologicalOrder(graph: Dependencies): readonly string[] {
  const missing = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  for (const [id, dependencies] of graph) {
    const distinct = new Set(dependencies.filter((each) => graph.has(each)));
    missing.set(id, distinct.size);
    for (const each of distinct) push(dependents, each, id);
  }
  const order = [...graph.keys()].filter((id) => missing.get(id) === 0);
  for (const id of order) {
    for (const dependent of dependents.get(id) ?? []) {
      const left = (missing.get(dependent) ?? 0) - 1;
      missing.set(dependent, left);
      if (left === 0) order.push(dependent);
    }
  }
  return order;
}

/** `docs[docs/a.md]` → `docs`, when it names a member of a forEach task. */
export function groupOf(dependency: string): string {
  const open = dependency.indexOf("[");
  return open > 0 && dependency.endsWith("]") ? dependency.slice(0, open) : dependency;
}

function push(lists: Map<string, string[]>, key: string, value: string): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
