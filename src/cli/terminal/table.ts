/** Columns that line up. */
import { cut, pad, width } from "./width.ts";

export interface TableOptions {
  /** Columns of the terminal; Infinity when nobody is looking at one. */
  readonly columns: number;
  readonly indent?: number;
  /** The column that gives way when there is not enough room; default: the last. */
  readonly flexible?: number;
  /** Rows that are not counted: printed as they are under their columns. */
  readonly head?: readonly string[];
}

const GAP = 2;

/** One line a row. The flexible column is cut when the table would be too wide, then every line. */
export function table(rows: readonly (readonly string[])[], options: TableOptions): readonly string[] {
  const { columns, indent = 0, head } = options;
  const all = head === undefined ? rows : [head, ...rows];
  const count = Math.max(0, ...all.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, at) => Math.max(0, ...all.map((row) => width(row[at] ?? ""))));
  const flexible = options.flexible ?? count - 1;
  const total = indent + widths.reduce((sum, size) => sum + size, 0) + GAP * Math.max(0, count - 1);
  const excess = total - columns;
  if (excess > 0) widths[flexible] = Math.max(8, (widths[flexible] ?? 0) - excess);
  const margin = " ".repeat(indent);
  return all.map((row) => {
    const cells = row.map((cell, at) => {
      const size = widths[at] ?? 0;
      const text = width(cell) > size ? cut(cell, size) : cell;
      return at === row.length - 1 ? text : pad(text, size);
    });
    return cut(margin + cells.join(" ".repeat(GAP)).trimEnd(), columns);
  });
}
