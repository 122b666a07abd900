/** Nodes that are held or watched, in memory: counts of holders at and below each, and the lines that watch it. */
import {
  EXCLUSIVE,
  isReservable,
  type ResolvedClaim,
  SHARED,
  SHARED_INSIDE,
  type WatchMode,
} from "../../core/claims.ts";
import { invariant } from "../../core/errors.ts";
import type { Line } from "../../core/ledger.ts";
import { isBefore, type TaskRow } from "../../core/row.ts";
import { SortedRows } from "./sorted-rows.ts";

/** Holds at a node and below it, by mode. */
interface Held {
  shared: number;
  exclusive: number;
  sharedBelow: number;
  exclusiveBelow: number;
}

/** Nodes nobody holds any more are kept while there are few: most are held again soon. */
const KEPT = 16_384;

export class NodeTable {
  readonly #held = new Map<string, Held>();
  readonly #lines = new Map<string, RowLine[]>();
  #waiting = 0;
  /** Those among them that watch a lock or a capacity. */
  #waitingForClaims = 0;

  get waiting(): number {
    return this.#waiting;
  }

  count(claim: ResolvedClaim, step: 1 | -1): void {
    const isShared = claim.mode === SHARED;
    const own = this.#at(claim.node);
    if (isShared) own.shared += step;
    else own.exclusive += step;
    invariant(own.shared >= 0 && own.exclusive >= 0, `holds of ${claim.node} are never dropped twice`);
    if (step < 0) this.#forget(claim.node, own);
    for (const ancestor of claim.ancestors) {
      const above = this.#at(ancestor);
      if (isShared) above.sharedBelow += step;
      else above.exclusiveBelow += step;
      if (step < 0) this.#forget(ancestor, above);
    }
  }

  #at(node: string): Held {
    let held = this.#held.get(node);
    if (held === undefined) {
      held = { shared: 0, exclusive: 0, sharedBelow: 0, exclusiveBelow: 0 };
      this.#held.set(node, held);
    }
    return held;
  }

  #forget(node: string, held: Held): void {
    if (this.#held.size < KEPT) return;
    if (held.shared + held.exclusive + held.sharedBelow + held.exclusiveBelow === 0) this.#held.delete(node);
  }

  /** See Ledger.conflict. `own` are holds that do not count (an ancestor's). */
  conflict(claim: ResolvedClaim, own: readonly ResolvedClaim[]): string | null {
    const isExclusive = claim.mode === EXCLUSIVE;
    if (this.#isHeldAt(claim.node, isExclusive, own)) return claim.node;
    for (const ancestor of claim.ancestors) if (this.#isHeldAt(ancestor, isExclusive, own)) return ancestor;
    return this.#isHeldBelow(claim.node, isExclusive, own) ? `${claim.node}/` : null;
  }

  #isHeldAt(node: string, isExclusive: boolean, own: readonly ResolvedClaim[]): boolean {
    const held = this.#held.get(node);
    if (held === undefined) return false;
    let blocking = held.exclusive + (isExclusive ? held.shared : 0);
    if (blocking === 0) return false;
    for (const claim of own) if (claim.node === node && (isExclusive || claim.mode === EXCLUSIVE)) blocking--;
    return blocking > 0;
  }

  #isHeldBelow(node: string, isExclusive: boolean, own: readonly ResolvedClaim[]): boolean {
    const held = this.#held.get(node);
    if (held === undefined) return false;
    let blocking = held.exclusiveBelow + (isExclusive ? held.sharedBelow : 0);
    if (blocking === 0) return false;
    for (const claim of own)
      if (claim.ancestors.includes(node) && (isExclusive || claim.mode === EXCLUSIVE)) blocking--;
    return blocking > 0;
  }

  watch(row: TaskRow): void {
    const lines = this.#lines.get(row.watch);
    const known = lines?.find((line) => line.mode === row.watchMode && line.gate === row.gate);
    if (known !== undefined) known.rows.add(row);
    else {
      const line: RowLine = {
        node: row.watch,
        mode: row.watchMode as WatchMode,
        gate: row.gate,
        rows: new SortedRows(),
      };
      line.rows.add(row);
      if (lines === undefined) this.#lines.set(row.watch, [line]);
      else lines.splice(lines.filter((other) => isEarlier(other, line)).length, 0, line);
    }
    this.#waiting++;
    if (isReservable(row.watchMode)) this.#waitingForClaims++;
  }

  unwatch(row: TaskRow, node: string, mode: WatchMode): void {
    const lines = this.#lines.get(node) ?? NO_LINES;
    const at = lines.findIndex((line) => line.mode === mode && line.gate === row.gate);
    const line = lines[at];
    invariant(line?.rows.delete(row) === true, `${row.taskId} stands in the line of ${node}`);
    this.#waiting--;
    if (isReservable(mode)) this.#waitingForClaims--;
    if (line === undefined || line.rows.size > 0) return;
    if (lines.length === 1) this.#lines.delete(node);
    else (lines as RowLine[]).splice(at, 1);
  }

  /** Every line at a node, by mode, then by gate. */
  linesAt(node: string): readonly RowLine[] {
    return this.#lines.get(node) ?? NO_LINES;
  }

  head({ node, mode, gate }: Line, afterRank: number, afterKey: number): TaskRow | undefined {
    for (const line of this.linesAt(node)) {
      if (line.mode === mode && line.gate === gate) return line.rows.firstAfter(afterRank, afterKey);
    }
    return undefined;
  }

  /** See Ledger.first. */
  first(node: string): TaskRow | undefined {
    let first: TaskRow | undefined;
    for (const line of this.linesAt(node)) {
      const row = line.rows.firstAfter(Number.NEGATIVE_INFINITY, 0);
      if (row !== undefined && (first === undefined || isBefore(row, first))) first = row;
    }
    return first;
  }

  /** Watchers of a node in rank order. */
  watchers(node: string, limit: number): TaskRow[] {
    const rows: TaskRow[] = [];
    for (const line of this.linesAt(node)) {
      let taken = 0;
      for (const row of line.rows) {
        rows.push(row);
        if (++taken === limit) break;
      }
    }
    return rows.sort((a, b) => (isBefore(a, b) ? -1 : 1)).slice(0, limit);
  }

  /** Watchers of the same node before this one. */
  position(row: TaskRow): number {
    return this.linesAt(row.watch).reduce((sum, line) => sum + line.rows.position(row), 0);
  }

  /** See Ledger.heads. */
  heads(claim: ResolvedClaim): readonly TaskRow[] {
    if (this.#waitingForClaims === 0) return NOBODY;
    const heads: TaskRow[] = [];
    const withReaders = claim.mode !== SHARED;
    for (const node of claim.frees) this.#addHeads(node, withReaders, heads);
    for (const ancestor of claim.ancestors) this.#addHeads(ancestor, withReaders, heads);
    return heads.length < 2 ? heads : heads.sort((a, b) => (isBefore(a, b) ? -1 : 1));
  }

  #addHeads(node: string, withReaders: boolean, into: TaskRow[]): void {
    for (const line of this.linesAt(node)) {
      if (!withReaders && (line.mode === SHARED || line.mode === SHARED_INSIDE)) continue;
      const row = line.rows.firstAfter(Number.NEGATIVE_INFINITY, 0);
      if (row !== undefined) into.push(row);
    }
  }
}

export interface RowLine extends Line {
  readonly rows: SortedRows;
}

const NO_LINES: readonly RowLine[] = [];
const NOBODY: readonly TaskRow[] = [];

function isEarlier(a: Line, b: Line): boolean {
  return a.mode < b.mode || (a.mode === b.mode && a.gate < b.gate);
}
