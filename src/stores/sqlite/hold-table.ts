/** Who holds what. One row for each held claim; conflicts are found by point look-ups above a node and one probe below it. */
import type { SQLOutputValue } from "node:sqlite";
import { EXCLUSIVE, LIMIT, locksConflict, RATE, type ResolvedClaim, SHARED, UNITS } from "../../core/claims.ts";
import type { Blocker, Counter } from "../../core/command.ts";
import { invariant } from "../../core/errors.ts";
import { membersAround } from "../../core/estate.ts";
import type { TaskRow } from "../../core/row.ts";
import type { CounterTable } from "./counter-table.ts";
import type { RowTable } from "./row-table.ts";
import * as SQL from "./sql/holds.ts";
import type { Statements } from "./statements.ts";

export interface HoldTableParts {
  readonly db: Statements;
  readonly rows: RowTable;
  readonly counters: CounterTable;
}

export class HoldTable {
  readonly #db: Statements;
  readonly #rows: RowTable;
  readonly #counters: CounterTable;
  /** Text of the conflict look-up by number of ancestors, without and with holders left out. */
  readonly #conflictSql: [string[], string[]] = [[], []];

  constructor({ db, rows, counters }: HoldTableParts) {
    this.#db = db;
    this.#rows = rows;
    this.#counters = counters;
  }

  hold(row: TaskRow): void {
    for (const claim of row.claims) {
      if (claim.mode === RATE || claim.mode === LIMIT) continue;
      if (claim.mode === UNITS) this.#take(row, claim);
      else this.#db.run(SQL.INSERT_HOLD, claim.node, row.key, row.holderKey, claim.mode, claim.units, "");
    }
  }

  drop(row: TaskRow): void {
    for (const claim of row.claims) {
      if (claim.mode === RATE || claim.mode === LIMIT) continue;
      const dropped = this.#db.one(SQL.DELETE_HOLD, claim.node, row.key);
      if (claim.mode !== UNITS) invariant(dropped, `${row.taskId} holds ${claim.node}`);
      else if (dropped !== undefined) this.#counters.use(claim.node, -Number(dropped[0]));
    }
    row.members = null;
  }

  /** What a holder is said to hold is there to be dropped, and units in use are those that are held. */
  mend(row: TaskRow): void {
    for (const { node, mode, units } of row.claims) {
      if (mode === RATE || mode === LIMIT) continue;
      const counter = mode === UNITS ? this.#counters.get(node) : undefined;
      if (mode !== UNITS) this.#db.run(SQL.MEND_HOLD, node, row.key, row.holderKey, mode, units);
      else if (counter !== undefined) {
        counter.used = Number(this.#db.one(SQL.UNITS_IN_USE, node)?.[0] ?? 0);
        this.#counters.put(counter);
      }
    }
  }

  /** Units its ancestors do not hold already; of a pool the first free members that are not out of order. */
  #take(row: TaskRow, claim: ResolvedClaim): void {
    const { node } = claim;
    const counter = this.#counters.get(node);
    invariant(counter, `${node} is declared`);
    const counted = row.ancestors.length === 0 ? 0 : this.unitsHeld(node, row);
    const units = Math.max(0, claim.units - counted);
    let members: readonly string[] = [];
    if (counter.kind === "pool") {
      members = this.#freeMembers(counter, units);
      const leaned = units < claim.units ? this.#membersAround(node, row).slice(0, claim.units - units) : [];
      row.members = { ...row.members, [node]: [...members, ...leaned] };
    }
    // Without units of its own it still leans on those of others: they pass to it when those end first.
    this.#db.run(SQL.INSERT_HOLD, node, row.key, row.holderKey, UNITS, units, membersText(members));
    if (units === 0) return;
    this.#counters.use(node, units);
    invariant(counter.used <= counter.capacity, `${counter.used} units of ${node} fit into ${counter.capacity}`);
  }

  #freeMembers({ node, members: all, out }: Counter, units: number): readonly string[] {
    const taken = new Set(out.map(({ member }) => member));
    for (const [members] of this.#db.all(SQL.MEMBERS_TAKEN, node)) {
      for (const member of JSON.parse(String(members)) as string[]) taken.add(member);
    }
    const free = all.filter((member) => !taken.has(member)).slice(0, units);
    invariant(free.length === units, `${units} members of ${node} are free`);
    return free;
  }

  conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    const { ancestors, node } = claim;
    const texts = this.#conflictSql[except.length === 0 ? 0 : 1];
    let sql = texts[ancestors.length];
    if (sql === undefined) {
      sql = SQL.conflictSql(ancestors.length, except.length > 0);
      texts[ancestors.length] = sql;
    }
    const found =
      except.length === 0
        ? this.#db.one(sql, leastConflict(claim), node, ...ancestors)
        : this.#db.one(sql, leastConflict(claim), node, JSON.stringify(except), ...ancestors);
    const at = found?.[0];
    if (typeof at !== "number") return null;
    if (at < 0) return `${node}/`;
    return at === 0 ? node : (ancestors[at - 1] ?? node);
  }

  holders(claim: ResolvedClaim, except: readonly number[], limit: number): readonly Blocker[] {
    const without = JSON.stringify(except);
    if (claim.mode === UNITS) {
      return this.#db
        .all(SQL.UNIT_HOLDERS, claim.node, without, limit)
        .map(([key, units]) => this.#blocker(this.#rowOf(key), { ...claim, units: Number(units) }));
    }
    const path = JSON.stringify([claim.node, ...claim.ancestors]);
    return this.#db.keys(SQL.LOCK_HOLDERS, path, claim.node, leastConflict(claim), without, limit).map((key) => {
      const row = this.#rowOf(key);
      return this.#blocker(row, row.claims.find((other) => locksConflict(other, claim)) ?? claim);
    });
  }

  #rowOf(key: SQLOutputValue | undefined): TaskRow {
    const row = this.#rows.get(Number(key));
    invariant(row, `hold ${Number(key)} belongs to a row`);
    return row;
  }

  #blocker(row: TaskRow, { node, mode, units }: ResolvedClaim): Blocker {
    const holder = this.#rows.get(row.holderKey) ?? row;
    const { key, workflowId, taskId, label, admittedAtMs: sinceMs, quarantined } = holder;
    return { key, workflowId, taskId, label, node, mode, units, holder: holder.holder, sinceMs, quarantined };
  }

  unitsHeld(node: string, { key, ancestors }: TaskRow): number {
    return Number(this.#db.one(SQL.UNITS_HELD, node, JSON.stringify(ancestors), key)?.[0] ?? 0);
  }

  heldInside(node: string, holderKey: number): readonly TaskRow[] {
    this.#rows.flush();
    return this.#db
      .keys(SQL.HELD_INSIDE, node)
      .map((key) => this.#rowOf(key))
      .filter(({ ancestors }) => ancestors.includes(holderKey));
  }

  #membersAround(node: string, row: TaskRow): string[] {
    const around = this.#db.all(SQL.MEMBERS_UNDER, node, JSON.stringify(row.ancestors), row.key);
    return membersAround(
      row,
      around.map(([key, holderKey, members]) => ({
        key: Number(key),
        holderKey: Number(holderKey),
        members: JSON.parse(String(members)) as string[], // as membersText wrote it
      })),
    );
  }

  takeOver(row: TaskRow, node: string): boolean {
    const counter = this.#counters.get(node);
    invariant(counter, `${node} is declared`);
    let units = (row.claims.find((claim) => claim.node === node)?.units ?? 0) - this.unitsHeld(node, row);
    let held: readonly string[] = [];
    if (counter.kind === "pool") {
      const own = Number(this.#db.one(SQL.UNITS_OF, node, row.key)?.[0] ?? 0);
      const around = this.#membersAround(node, row);
      const used = row.members?.[node] ?? [];
      const leaned = used.slice(own);
      const lacked = leaned.filter((member) => !around.includes(member));
      held = [...used.slice(0, own), ...lacked];
      row.members = { ...row.members, [node]: [...held, ...leaned.filter((member) => around.includes(member))] };
      units = lacked.length;
    }
    if (units <= 0) return false;
    this.#db.run(SQL.TAKE_OVER, units, membersText(held), node, row.key);
    this.#counters.use(node, units);
    return true;
  }
}

function membersText(members: readonly string[]): string {
  return members.length === 0 ? "" : JSON.stringify(members);
}

/** The least mode that conflicts with a lock claim. What a newer program wrote is greater, and counts as well. */
function leastConflict(claim: ResolvedClaim): number {
  return claim.mode === SHARED ? EXCLUSIVE : SHARED;
}
