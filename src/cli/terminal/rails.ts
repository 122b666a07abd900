/**
 * A graph of dependencies as rails beside a list: one row a node, a vertical rail from each node down to the last one that
 * depends on it. The idea is that of `git log --graph`, turned to any acyclic graph.
 */
import type { Signs } from "./style.ts";

export interface RailNode {
  /** Places of nodes it depends on, all before it. */
  readonly dependsOn: readonly number[];
}

interface Rail {
  readonly source: number;
  /** Dependents still to come. */
  pending: number;
}

/**
 * The rails in front of each node, all of one width; null when more than `maxRails` would run side by side, where rails
 * confuse more than they show.
 */
export function railsOf(
  nodes: readonly RailNode[],
  options: { readonly signs: Signs; readonly maxRails: number },
): readonly string[] | null {
  const dependents = nodes.map(() => 0);
  for (const { dependsOn } of nodes) for (const at of new Set(dependsOn)) dependents[at] = (dependents[at] ?? 0) + 1;
  const rails: (Rail | undefined)[] = [];
  const rows: string[] = [];
  for (const [at, node] of nodes.entries()) {
    const free = rails.indexOf(undefined);
    const own = free === -1 ? rails.length : free;
    if (own >= options.maxRails) return null;
    const wanted = new Set(node.dependsOn);
    const ends = new Set<number>();
    const joins = rails.flatMap((rail, column) => (rail !== undefined && wanted.has(rail.source) ? [column] : []));
    for (const column of joins) {
      const rail = rails[column];
      if (rail !== undefined && --rail.pending === 0) ends.add(column);
    }
    rows.push(drawRow({ rails, own, joins, ends, signs: options.signs }));
    for (const column of ends) rails[column] = undefined;
    const pending = dependents[at] ?? 0;
    rails[own] = pending > 0 ? { source: at, pending } : undefined;
  }
  const most = Math.max(0, ...rows.map((row) => row.length));
  return rows.map((row) => row.padEnd(most));
}

interface Row {
  readonly rails: readonly (Rail | undefined)[];
  readonly own: number;
  readonly joins: readonly number[];
  readonly ends: ReadonlySet<number>;
  readonly signs: Signs;
}

function drawRow({ rails, own, joins, ends, signs }: Row): string {
  const { through, line } = signs.rails;
  const from = Math.min(own, ...joins);
  const to = Math.max(own, ...joins);
  let row = "";
  for (let column = 0; column <= Math.max(to, rails.length - 1); column++) {
    const isInside = column > from && column < to;
    if (column === own) row += signs.running;
    else if (joins.includes(column))
      row += joint({ isInside, isLeft: column === from, isEnd: ends.has(column) }, signs);
    else if (rails[column] !== undefined) row += through;
    else row += isInside ? line : " ";
    row += column >= from && column < to ? line : " ";
  }
  return row.trimEnd();
}

/** Where a rail meets the line to the node. */
function joint(
  at: { readonly isInside: boolean; readonly isLeft: boolean; readonly isEnd: boolean },
  { rails }: Signs,
): string {
  if (at.isInside) return at.isEnd ? rails.join : rails.cross;
  if (at.isLeft) return at.isEnd ? rails.end : rails.branch;
  return at.isEnd ? rails.endLeft : rails.branchLeft;
}
