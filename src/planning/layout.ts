/**
 * Places of a graph's tasks for a terminal: one column a level, rows so that edges cross little. Layers by longest path, order
 * by barycentres in two sweeps each way (Sugiyama, Tagawa, Toda, IEEE SMC 1981). Pure data; drawing is the business of an edge.
 */
import type { TaskGraph } from "./graph.ts";

export interface PlacedTask {
  readonly taskId: string;
  readonly level: number;
  readonly row: number;
}

export interface Layout {
  /** Columns from left to right, each from top to bottom. Tasks on a cycle stand as far left as the others allow. */
  readonly levels: readonly (readonly PlacedTask[])[];
  /** Most tasks in one level. */
  readonly height: number;
}

const SWEEPS = 2;

export function layoutOf(graph: TaskGraph): Layout {
  const columns: number[][] = [];
  for (const [place, level] of graph.levels.entries()) {
    columns[level] ??= [];
    columns[level].push(place);
  }
  const rows = graph.taskIds.map(() => 0);
  for (const column of columns) number(column, rows);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const column of columns) arrange(column, graph.before, rows);
    for (const column of columns.toReversed()) arrange(column, graph.after, rows);
  }
  const levels = columns.map((column, level) =>
    column.map((place, row) => ({ taskId: graph.taskIds[place] ?? "", level, row })),
  );
  return { levels, height: columns.reduce((most, column) => Math.max(most, column.length), 0) };
}

/** Sorts a column by the mean row of each task's neighbours; one without any keeps its row. Ties keep their order. */
function arrange(column: number[], neighbours: readonly (readonly number[])[], rows: number[]): void {
  const centres = new Map(
    column.map((place) => {
      const near = neighbours[place] ?? [];
      const sum = near.reduce((total, other) => total + (rows[other] ?? 0), 0);
      return [place, near.length === 0 ? (rows[place] ?? 0) : sum / near.length] as const;
    }),
  );
  column.sort((a, b) => (centres.get(a) ?? 0) - (centres.get(b) ?? 0) || a - b);
  number(column, rows);
}

function number(column: readonly number[], rows: number[]): void {
  for (const [row, place] of column.entries()) rows[place] = row;
}
