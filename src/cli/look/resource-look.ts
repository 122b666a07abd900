/** Who holds a resource or path, who is next. */
import { existsSync } from "node:fs";
import { errorCode } from "../../edges/basics.ts";
import { ancestorsOf, gitNode, nameNode, pathNode, resourceId, workspaceId } from "../../edges/names.ts";
import { type Counter, type Explanation, explain, type StoreView, type TaskRow } from "../../edges/store.ts";
import { isSessionRow } from "./session-look.ts";
import { type LockRow, lockRows, ownerNames } from "./status-report.ts";

export interface ResourceLook {
  readonly resourceId: string;
  readonly node: string;
  /** Of a capacity, pool or rate. */
  readonly counter: Counter | null;
  readonly holders: readonly LockRow[];
  /** In the order in which they will be served. */
  readonly waiting: readonly (Explanation & { readonly waitingMs: number; readonly label: string })[];
}

export interface LookContext {
  readonly nowMs: number;
  readonly root: string;
  readonly cwd: string;
}

/** Waiters listed. */
const LINE = 20;

/** What the text names: a counter by its name, else a path, else a name of this workspace. */
export function lookAt(view: StoreView, text: string, context: LookContext): ResourceLook {
  const { nowMs, root, cwd } = context;
  const counters = view.counters();
  const candidates = nodesFor(text, { counters, root, cwd });
  const looks = candidates.map((node): ResourceLook => {
    const holders = lockRows(view, { nowMs, root, owners: ownerNames(view, nowMs), node });
    return {
      resourceId: resourceId(node, root),
      node,
      counter: counters.find((counter) => counter.node === node) ?? null,
      holders,
      waiting: line(view, node).map((row) => ({
        ...explain(view, row, { nowMs, root, typicalMs: (other) => view.typicalRunMs(other) }),
        waitingMs: Math.max(0, nowMs - row.waitingSinceMs),
        label: isSessionRow(row) ? row.label : `${row.workflowId}/${row.taskId}`,
      })),
    };
  });
  const busy = looks.find(({ holders, waiting }) => holders.length + waiting.length > 0);
  const [first] = looks;
  if (busy !== undefined) return busy;
  return first ?? { resourceId: text, node: "", counter: null, holders: [], waiting: [] };
}

function nodesFor(
  text: string,
  { counters, root, cwd }: { readonly counters: readonly Counter[]; readonly root: string; readonly cwd: string },
): readonly string[] {
  if (text.startsWith("file:")) return [pathNode(text.slice(5), root, { literal: true })];
  const named = counters
    .filter(({ node, kind }) => kind !== "limit" && resourceId(node, root) === text)
    .map(({ node }) => node);
  const path = pathNode(text, cwd, { literal: true });
  const isPath = /^[./~]/.test(text) || existsSync(path.slice(2) || "/");
  const name = /^[./~]/.test(text) ? [] : [gitName(text, cwd) ?? nameNode(text, workspaceId(root))];
  return isPath ? [...named, path, ...name] : [...named, ...name, path];
}

/** `git:index` as it is locked; outside of a repository there is no such thing, and nothing to see. */
function gitName(text: string, cwd: string): string | undefined {
  try {
    return gitNode(text, cwd);
  } catch (error) {
    if (errorCode(error) !== "INVALID_CLAIM") throw error;
    return undefined;
  }
}

/** Those who wait for it, for something above it, or for something below it. */
function line(view: StoreView, node: string): readonly TaskRow[] {
  const held = view.holds({ node, limit: LINE }).map(({ claim }) => claim.node);
  const nodes = new Set([node, `${node}/`, ...ancestorsOf(node), ...held, ...held.map((each) => `${each}/`)]);
  const rows = new Map<number, TaskRow>();
  for (const each of nodes) {
    for (const row of view.watchers(each, LINE)) {
      const isMeant = row.claims.some((claim) => touches(claim.node, node));
      if (isMeant) rows.set(row.key, row);
    }
  }
  return [...rows.values()].toSorted((a, b) => a.rank - b.rank || a.key - b.key).slice(0, LINE);
}

function touches(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}
