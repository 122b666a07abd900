/** `observe` claims: what changed while a task ran, and by whom as far as that is known. */
import { BOUNDS } from "../core/bounds.ts";
import { covers, EXCLUSIVE, type ResolvedClaim } from "../core/claims.ts";
import { pathNode, resourceId } from "../core/paths.ts";
import type { Awaitable, FirstLook, Observed, StoreView } from "../core/ports.ts";
import type { TaskRow } from "../core/row.ts";
import type { Attempt } from "./attempt.ts";
import { askerOf } from "./nested-requests.ts";
import type { ManagerParts } from "./parts.ts";

interface Observation {
  readonly attempt: Attempt;
  readonly nodes: readonly string[];
  /** What the attempt locked for writing in its middle. */
  readonly own: ResolvedClaim[];
  /** Who held something of it for writing, at some time: name → what. */
  readonly writers: Map<string, readonly ResolvedClaim[]>;
}

export class Observations {
  readonly #parts: ManagerParts;
  readonly #view: <T>(read: (view: StoreView) => T) => Awaitable<T>;
  readonly #live = new Set<Observation>();

  constructor(parts: ManagerParts, view: <T>(read: (view: StoreView) => T) => Awaitable<T>) {
    this.#parts = parts;
    this.#view = view;
  }

  /** An attempt of this process starts: those who observe what it may write remember it. */
  started(attempt: Attempt): void {
    if (this.#live.size === 0) return;
    for (const observation of this.#live) note(observation, attempt.row);
  }

  /** An attempt of this process got locks in its middle: it may write there, too. */
  locked(row: TaskRow): void {
    for (const observation of this.#live) note(observation, row);
  }

  /** Looks at what a task observes; what it returns looks again and tells what its result will say. */
  async begin(attempt: Attempt, paths: readonly string[]): Promise<(() => Promise<readonly string[]>) | null> {
    const { resolveClaims, root, clock } = this.#parts;
    const { agent, task } = attempt.record;
    const look = (await agent.look?.(task, clock)) ?? null;
    if (look === null && paths.length === 0) return null;
    const places = look === null ? paths : [...paths, look.place];
    const nodes = resolveClaims(places.map((path) => ({ read: path }))).map(({ node }) => node);
    const observation: Observation = { attempt, nodes, own: [], writers: new Map() };
    const again = await this.#firstLook(paths, look);
    this.#live.add(observation);
    try {
      await this.#noteHolders(observation);
    } catch (error) {
      this.#live.delete(observation);
      throw error;
    }
    return async () => {
      try {
        const { changed, isWhole } = await again();
        if (changed.length > 0) await this.#noteHolders(observation);
        return told(observation, { changed, isWhole, root });
      } finally {
        this.#live.delete(observation);
      }
    };
  }

  /** At what the task observes, and at what its agent looks at. */
  async #firstLook(paths: readonly string[], look: FirstLook | null): Promise<() => Promise<Observed>> {
    const { observe, root } = this.#parts;
    const observed = paths.length === 0 ? null : await observe(paths, root);
    return async () => {
      const [mine, agents] = [await observed?.(), await look?.again()];
      return {
        changed: [...new Set([...(mine?.changed ?? []), ...(agents?.changed ?? [])])].sort(),
        isWhole: mine?.isWhole !== false && agents?.isWhole !== false,
      };
    };
  }

  /** Writers of other processes, as far as they hold something at this moment. */
  async #noteHolders(observation: Observation): Promise<void> {
    for (const node of observation.nodes) {
      const holds = await this.#view((view) => view.holds({ node }));
      for (const { row } of holds) note(observation, row);
    }
  }
}

function note({ attempt, nodes, own, writers }: Observation, row: TaskRow): void {
  if (row.key === attempt.row.key) return;
  const claims = row.claims.filter(
    ({ node, mode }) => mode === EXCLUSIVE && nodes.some((other) => covers(node, other) || covers(other, node)),
  );
  if (claims.length === 0) return;
  if (row.kind === "request" && row.parentKey === attempt.row.key) {
    if (own.length < BOUNDS.observedEntries) own.push(...claims);
    return;
  }
  const taskId = row.kind === "request" ? askerOf(row.taskId) : row.taskId;
  const name = row.workflowId === attempt.row.workflowId ? taskId : `${row.workflowId}/${taskId}`;
  const known = writers.get(name);
  const isFull = known === undefined ? writers.size >= BOUNDS.touchedPaths : known.length >= BOUNDS.observedEntries;
  if (isFull) return;
  writers.set(name, known === undefined ? claims : [...known, ...claims]);
}

function told(
  { attempt, own, writers }: Observation,
  { changed, isWhole, root }: { readonly changed: readonly string[]; readonly isWhole: boolean; readonly root: string },
): readonly string[] {
  const lines: string[] = [];
  for (const path of changed) {
    const node = pathNode(path, "/", { literal: true });
    // What it writes itself is no news to it.
    const mine = [...attempt.row.claims, ...own];
    if (mine.some((claim) => claim.mode === EXCLUSIVE && covers(claim.node, node))) continue;
    const by = [...writers].filter(([, claims]) => claims.some((claim) => covers(claim.node, node)));
    const who = by.length === 0 ? "" : ` (by ${by.map(([name]) => name).join(", ")})`;
    lines.push(`${resourceId(node, root).slice("file:".length)}${who}`);
  }
  const shown = lines.slice(0, BOUNDS.touchedPaths);
  if (lines.length > shown.length) shown.push(`… and ${lines.length - shown.length} more`);
  if (!isWhole) shown.push(`… only the first ${BOUNDS.observedEntries.toLocaleString("en")} entries were looked at`);
  return shown;
}
