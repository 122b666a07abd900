/** Takes what has the wrong shape out of the data, so that the rest of the file is checked too: all faults at once. */
import type * as z from "zod";

export interface Pruned {
  readonly data: Readonly<Record<string, unknown>>;
  /** Ids and names that stand in the file, but partly or wholly wrong. */
  readonly tasks: ReadonlySet<string>;
  readonly agents: ReadonlySet<string>;
  readonly resources: ReadonlySet<string>;
}

/** The data without what the issues complain of. Shares what is untouched. */
export function prune(data: unknown, issues: readonly z.core.$ZodIssue[]): Pruned {
  const broken = { tasks: new Set<string>(), agents: new Set<string>(), resources: new Set<string>() };
  const root = copyOf(data);
  for (const issue of issues) {
    for (const key of issue.code === "unrecognized_keys" ? issue.keys : [undefined]) {
      const path = [...issue.path, ...(key === undefined ? [] : [key])].map(String);
      const [section, name] = path;
      if ((section === "tasks" || section === "agents" || section === "resources") && name !== undefined)
        broken[section].add(name);
      if (section === "tasks" && path.length === 2) copyAt(root, ["tasks"])[path[1] ?? ""] = {};
      else if (path.length > 0) removeAt(root, path.slice(0, cutDepth(path)));
    }
  }
  return { data: root, ...broken };
}

/** How much of a path is removed: one variable, one key of a task, one agent, one resource; else the whole section. */
function cutDepth(path: readonly string[]): number {
  switch (path[0]) {
    case "env":
    case "agents":
    case "resources":
      return 2;
    case "tasks":
      return path[2] === "env" ? 4 : 3;
    default:
      return 1;
  }
}

function removeAt(root: Record<string, unknown>, path: readonly string[]): void {
  const last = path.at(-1);
  if (last !== undefined) delete copyAt(root, path.slice(0, -1))[last];
}

/** The object at a path, copied with all that contains it. */
function copyAt(root: Record<string, unknown>, path: readonly string[]): Record<string, unknown> {
  let at = root;
  for (const step of path) {
    const inner = copyOf(at[step]);
    at[step] = inner;
    at = inner;
  }
  return at;
}

function copyOf(value: unknown): Record<string, unknown> {
  const copy: Record<string, unknown> = Object.create(null);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) Object.assign(copy, value);
  return copy;
}
