/** Capacities, pools, rates and limits in memory, and who holds how many units of which. */
import type { ResolvedClaim } from "../../core/claims.ts";
import { UNITS } from "../../core/claims.ts";
import type { Counter } from "../../core/command.ts";
import { invariant } from "../../core/errors.ts";
import { membersAround } from "../../core/estate.ts";
import type { MemoryRow } from "./memory-row.ts";

interface Kept {
  readonly counter: Counter;
  /** Rows that hold units of it, or lean on those of others. */
  readonly holders: Set<MemoryRow>;
  /** Those of them that run inside a holder. */
  readonly inside: Set<MemoryRow>;
  /** Members that are out, and how many rows have each: those inside one holder may share. */
  readonly taken: Map<string, number>;
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
      this.#kept.set(counter.node, { counter, holders: new Set(), inside: new Set(), taken: new Map(), image: null });
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
      const units = heldBefore ?? Math.max(0, claim.units - this.unitsHeld(claim.node, row));
      row.heldUnits = { ...row.heldUnits, [claim.node]: units };
      counter.used += units;
      // What is put back after an undone turn may exceed a number that was made smaller since it was taken.
      invariant(
        heldBefore !== undefined || counter.used <= counter.capacity || units === 0,
        `${counter.used} units of ${claim.node} fit into ${counter.capacity}`,
      );
      kept.holders.add(row);
      if (row.ancestors.length > 0) kept.inside.add(row);
      if (counter.kind === "pool") this.#takeMembers(kept, row, claim, units);
    }
  }

  /** The first free members, and those it leans on; or those it had before a turn was undone. */
  #takeMembers(kept: Kept, row: MemoryRow, { node, units: wanted }: ResolvedClaim, units: number): void {
    if (row.members?.[node] === undefined) {
      const members: string[] = [];
      const { out, members: all } = kept.counter;
      for (let index = 0; members.length < units && index < all.length; index++) {
        const member = all[index] ?? "";
        if (!kept.taken.has(member) && !out.some((other) => other.member === member)) members.push(member);
      }
      invariant(members.length >= units, `${units} members of ${node} are free`);
      if (units < wanted) members.push(...this.#membersAround(kept, row).slice(0, wanted - units));
      row.members = { ...row.members, [node]: members };
    }
    useMembers(kept, ownMembers(row, node), 1);
  }

  #membersAround({ holders, counter: { node } }: Kept, row: MemoryRow): string[] {
    const around = [...holders].filter((other) => other !== row && row.ancestors.includes(other.holderKey));
    return membersAround(
      row,
      around.map((other) => ({ key: other.key, holderKey: other.holderKey, members: ownMembers(other, node) })),
    );
  }

  /** See Ledger.takeOver. */
  takeOver(row: MemoryRow, node: string): boolean {
    const counter = this.get(node);
    const kept = this.#kept.get(node);
    invariant(counter && kept, `${node} is declared`);
    let units = (row.claims.find((claim) => claim.node === node)?.units ?? 0) - this.unitsHeld(node, row);
    if (counter.kind === "pool") {
      const own = ownMembers(row, node);
      const around = this.#membersAround(kept, row);
      const leaned = (row.members?.[node] ?? []).slice(own.length);
      const lacked = leaned.filter((member) => !around.includes(member));
      row.members = {
        ...row.members,
        [node]: [...own, ...lacked, ...leaned.filter((member) => around.includes(member))],
      };
      useMembers(kept, lacked, 1);
      units = lacked.length;
    }
    if (units <= 0) return false;
    counter.used += units;
    row.heldUnits = { ...row.heldUnits, [node]: (row.heldUnits?.[node] ?? 0) + units };
    return true;
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
      kept.inside.delete(row);
      useMembers(kept, ownMembers(row, claim.node), -1);
    }
    row.members = null;
    row.heldUnits = null;
  }

  /** Rows that have units of a node, by key. */
  holders(node: string): MemoryRow[] {
    const rows = [...(this.#kept.get(node)?.holders ?? [])].filter((row) => (row.heldUnits?.[node] ?? 0) > 0);
    return rows.sort((a, b) => a.key - b.key);
  }

  /** See Ledger.heldInside. */
  heldInside(node: string, holderKey: number): readonly MemoryRow[] {
    const inside = this.#kept.get(node)?.inside;
    if (inside === undefined || inside.size === 0) return NOBODY;
    return [...inside].filter((row) => row.ancestors.includes(holderKey)).sort((a, b) => a.key - b.key);
  }

  /** See Ledger.unitsHeld. */
  unitsHeld(node: string, row: MemoryRow): number {
    let units = row.heldUnits?.[node] ?? 0;
    if (row.ancestors.length === 0) return units;
    for (const other of this.#kept.get(node)?.holders ?? NOBODY) {
      if (other !== row && row.ancestors.includes(other.holderKey)) units += other.heldUnits?.[node] ?? 0;
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
      kept.inside.clear();
      kept.taken.clear();
    }
  }
}

const NOBODY: readonly MemoryRow[] = [];

/** Members it holds itself. */
export function ownMembers({ members, heldUnits }: MemoryRow, node: string): readonly string[] {
  return members?.[node]?.slice(0, heldUnits?.[node] ?? 0) ?? [];
}

function useMembers({ taken }: Kept, members: readonly string[], step: 1 | -1): void {
  for (const member of members) {
    const users = (taken.get(member) ?? 0) + step;
    if (users > 0) taken.set(member, users);
    else taken.delete(member);
  }
}
