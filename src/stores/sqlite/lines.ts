import type { WatchMode } from "../../core/claims.ts";
import type { Line } from "../../core/ledger.ts";
import { NEXT_LINE } from "./sql/rows.ts";
import type { Statements } from "./statements.ts";

/** The lines at a node, by mode, then gate, each with the key of its first row: one look for each, however many stand in it. */
export function headsAt(db: Statements, node: string): { readonly line: Line; readonly key: number }[] {
  const heads: { readonly line: Line; readonly key: number }[] = [];
  for (let mode = 0, gate = ""; ; ) {
    const next = db.one(NEXT_LINE, node, mode, gate);
    if (next === undefined) return heads;
    mode = Number(next[0]);
    gate = String(next[1]);
    heads.push({ line: { node, mode: mode as WatchMode, gate }, key: Number(next[2]) }); // as it was put
  }
}

export function linesAt(db: Statements, node: string): Line[] {
  return headsAt(db, node).map(({ line }) => line);
}
