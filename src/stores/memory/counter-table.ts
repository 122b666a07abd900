/** Capacities, pools, rates and limits in memory, and who holds how many units of which. */
import type { ResolvedClaim } from "../../core/claims.ts";
import { UNITS } from "../../core/claims.ts";
import type { Counter } from "../../core/command.ts";
import { invariant } from "../../core/errors.ts";
import type { MemoryRow } from "./memory-row.ts";

interface Kept {
  readonly counter: Counter;
  /** Rows that hold units of it. */
  readonly holders: Set<MemoryRow>;
  readonly taken: Set<number>;
  image: Counter | null;
}

export class CounterTable {
  readonly #kept = new Map<string, Kept>();
  /** Counters looked at in this turn: each may have been changed. */
  #touched: Kept[] = [];
  #added: string[] = [];
  readonly #due = new Set<Counter>();

  get(node: string): Counter | undefined {
    const kept = this.#kept.get(node);
    if (kept === undefined) return undefined;
    if (kept.image === null) {
      kept.image = { ...kept.counter };
      this.#touched.push(kept);
    }
    return kept.counter;
  }

  put(counter: Counter): void {
    if (!this.#kept.has(counter.node)) {
      this.#kept.set(counter.node, { counter, holders: new Set(), taken: new Set(), image: null });
      this.#added.push(counter.node);
    }
    if (counter.dueAtMs > 0) this.#due.add(counter);
    else this.#due.delete(counter);
  }

  *[Symbol.iterator](): Generator<Counter> {
    for (const { counter } of this.#kept.values()) yield counter;
  }

  declaredBy(by: string): Counter[] {
    const declared: Counter[] = [];
    for (const node of [...this.#kept.keys()].sort()) {
      const counter = this.get(node);
      if (counter?.declarations.some((declaration) => declaration.by === by)) declared.push(counter);
    }
    return declared;
  }

  due(nowMs: number): Counter[] {
    const due: Counter[] = [];
    for (const { node, dueAtMs } of this.#due) {
      const counter = dueAtMs <= nowMs ? this.get(node) : undefined;
      if (counter !== undefined) due.push(counter);
    }
    return due.sort((a, b) => (a.node < b.node ? -1 : 1));
  }

  nextDueMs(): number {
    let next = 0;
    for (const { dueAtMs } of this.#due) if (next === 0 || dueAtMs < next) next = dueAtMs;
    return next;
  }

  /** Takes units for a row: those its ancestors do not hold already, or those it held before a turn was undone. */
  hold(row: MemoryRow): void {
    for (const claim of row.claims) {
      if (claim.mode !== UNITS) continue;
      const counter = this.get(claim.node);
      const kept = this.#kept.get(claim.node);
      invariant(counter && kept, `${claim.node} is declared`);
      const heldBefore = row.heldUnits?.[claim.node];
      const units =
        heldBefore ??
        Math.max(
          0,
          claim.units - this.heldUnder(claim.node, row.ancestors, row.kind === "request" ? row.holderKey : 0),
        );
      row.heldUnits = { ...row.heldUnits, [claim.node]: units };
      counter.used += units;
      // What is put back after an undone turn may exceed a number that was made smaller since it was taken.
      invariant(
        heldBefore !== undefined || counter.used <= counter.capacity || units === 0,
        `${counter.used} units of ${claim.node} fit into ${counter.capacity}`,
      );
      if (units > 0) kept.holders.add(row);
      if (counter.kind === "pool") this.#takeMembers(kept, row, claim, units);
    }
  }

  #takeMembers(kept: Kept, row: MemoryRow, claim: ResolvedClaim, units: number): void {
    const members = [...(row.members?.[claim.node] ?? [])];
    for (let index = 0; members.length < units && index < kept.counter.members.length; index++) {
      if (!kept.taken.has(index)) members.push(index);
    }
    invariant(members.length >= units, `${units} members of ${claim.node} are free`);
    for (const member of members) kept.taken.add(member);
    row.members = { ...row.members, [claim.node]: members };
  }

  drop(row: MemoryRow): void {
    for (const claim of row.claims) {
      if (claim.mode !== UNITS) continue;
      const counter = this.get(claim.node);
      const kept = this.#kept.get(claim.node);
      invariant(counter && kept, `${claim.node} is declared`);
      counter.used -= row.heldUnits?.[claim.node] ?? 0;
      invariant(counter.used >= 0, `units of ${claim.node} are never given back twice`);
      kept.holders.delete(row);
      for (const member of row.members?.[claim.node] ?? []) kept.taken.delete(member);
    }
    row.members = null;
    row.heldUnits = null;
  }

  holders(node: string): MemoryRow[] {
    return [...(this.#kept.get(node)?.holders ?? [])].sort((a, b) => a.key - b.key);
  }

  /** See Ledger.unitsHeld. */
  heldUnder(node: string, holderKeys: readonly number[], withoutRequestsOf: number): number {
    if (holderKeys.length === 0) return 0;
    let units = 0;
    for (const row of this.#kept.get(node)?.holders ?? []) {
      const isLeftOut = row.kind === "request" && row.holderKey === withoutRequestsOf;
      if (!isLeftOut && holderKeys.includes(row.holderKey)) units += row.heldUnits?.[node] ?? 0;
    }
    return units;
  }

  commit(): void {
    for (const kept of this.#touched) kept.image = null;
    if (this.#touched.length > 0) this.#touched = [];
    if (this.#added.length > 0) this.#added = [];
  }

  /** Back to before the turn. Holders are put back by the ledger, row by row. */
  undo(): void {
    for (const kept of this.#touched) {
      if (kept.image !== null) Object.assign(kept.counter, kept.image);
      kept.image = null;
    }
    for (const node of this.#added) this.#kept.delete(node);
    this.#touched = [];
    this.#added = [];
    this.#due.clear();
    for (const kept of this.#kept.values()) {
      if (kept.counter.dueAtMs > 0) this.#due.add(kept.counter);
      if (kept.counter.kind === "capacity" || kept.counter.kind === "pool") kept.counter.used = 0;
      kept.holders.clear();
      kept.taken.clear();
    }
  }
}
