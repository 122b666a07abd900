/** Capacities, pools and rates as people read them: how much is in use, and who said how much there is. */
import { DEFAULT_DECLARER, resourceId, standing } from "../../edges/names.ts";
import { type Counter, MACHINE_LIMIT, SET_BY_HAND } from "../../edges/store.ts";
import { grouped } from "../terminal/duration.ts";

export interface DeclaredRow {
  readonly resourceId: string;
  readonly kind: "capacity" | "pool" | "rate";
  readonly capacity: number;
  /** Null for a rate: it is not held. */
  readonly used: number | null;
  /** Whose number counts first. */
  readonly declaredBy: readonly DeclaredBy[];
}

export interface DeclaredBy {
  readonly source: string;
  readonly capacity: number;
  /** From the user's own file. */
  readonly authority: boolean;
  readonly counts: boolean;
}

export function declaredRows(counters: readonly Counter[], root: string): readonly DeclaredRow[] {
  return counters.flatMap((counter) => {
    const { node, kind, capacity, used, declarations } = counter;
    if (declarations.length === 0 || (kind === "limit" && !isSaid(counter))) return [];
    const declaredBy = declarersOf(counter);
    const shown = kind === "limit" ? "capacity" : kind;
    return [
      { resourceId: resourceId(node, root), kind: shown, capacity, used: kind === "rate" ? null : used, declaredBy },
    ];
  });
}

/** Tasks of all processes at once, when somebody said how many; limits of single workflows are their own business. */
function isSaid({ node, declarations }: Counter): boolean {
  return node === MACHINE_LIMIT && declarations.some(({ by }) => by !== DEFAULT_DECLARER);
}

/** Everybody who said a number, each source once. */
export function declarersOf({ declarations }: Counter): readonly DeclaredBy[] {
  const best = standing(declarations);
  const rows = new Map<string, DeclaredBy>();
  for (const declaration of declarations) {
    const { by, capacity } = declaration;
    const authority = declaration.authority && by !== SET_BY_HAND;
    const source = declaration.source ?? by;
    const counts = declaration === best;
    const id = `${capacity} ${source}`;
    if (counts || !rows.has(id)) rows.set(id, { source, capacity, authority, counts });
  }
  return [...rows.values()].toSorted((a, b) => Number(b.counts) - Number(a.counts));
}

/** `2 by /home/ada/.config/lockyard/config.yaml (your own file); 1 by default, which does not count`. */
export function declarersText(declarers: readonly DeclaredBy[]): string {
  return declarers
    .map(({ source, capacity, authority, counts }) => {
      const who = source === DEFAULT_DECLARER ? "default (one for four cores)" : source;
      const own = authority ? " (your own file)" : "";
      return `${grouped(capacity)} by ${who}${own}${counts ? "" : ", which does not count"}`;
    })
    .join("; ");
}
