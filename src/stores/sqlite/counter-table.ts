/** Capacities, pools, rates and limits within one transaction: one object for each node, written at the end. */
import type { Counter, CounterKind, Declaration } from "../../core/command.ts";
import { invariant } from "../../core/errors.ts";
import * as SQL from "./sql/counters.ts";
import type { Statements, Values } from "./statements.ts";

export function counterOf(values: Values): Counter {
  const [node, kind, capacity, used, intervalMs, nextAtMs, dueAtMs, declarations, members, out, overload] = values;
  return {
    node: String(node),
    kind: String(kind) as CounterKind,
    capacity: Number(capacity),
    used: Number(used),
    intervalMs: Number(intervalMs),
    nextAtMs: Number(nextAtMs),
    dueAtMs: Number(dueAtMs),
    declarations: JSON.parse(String(declarations)) as Declaration[],
    members: JSON.parse(String(members)) as string[],
    out: out === "" ? NONE : (JSON.parse(String(out)) as Counter["out"]),
    overload: overload === "" ? null : (JSON.parse(String(overload)) as Counter["overload"]),
  };
}

const NONE: readonly never[] = [];

export class CounterTable {
  readonly #db: Statements;
  readonly #counters = new Map<string, Counter>();
  readonly #dirty = new Set<Counter>();
  /** Declarations as the file has them; absent for a counter it does not have yet. */
  readonly #stored = new Map<string, readonly Declaration[]>();

  constructor(db: Statements) {
    this.#db = db;
  }

  /** Forgets everything: a transaction begins, or was rolled back. */
  begin(): void {
    this.#counters.clear();
    this.#dirty.clear();
    this.#stored.clear();
  }

  get(node: string): Counter | undefined {
    const known = this.#counters.get(node);
    if (known !== undefined) return known;
    const values = this.#db.one(SQL.SELECT_COUNTER, node);
    if (values === undefined) return undefined;
    const counter = counterOf(values);
    this.#counters.set(node, counter);
    this.#stored.set(node, counter.declarations);
    return counter;
  }

  put(counter: Counter): void {
    this.#counters.set(counter.node, counter);
    this.#dirty.add(counter);
  }

  /** Takes units, or gives them back. */
  use(node: string, units: number): void {
    const counter = this.get(node);
    invariant(counter, `${node} is declared`);
    counter.used += units;
    invariant(counter.used >= 0, `units of ${node} are never given back twice`);
    this.#dirty.add(counter);
  }

  declaredBy(by: string): readonly Counter[] {
    this.end();
    return this.#load(this.#db.all(SQL.DECLARED_NODES, by));
  }

  due(nowMs: number): readonly Counter[] {
    this.end();
    return this.#load(this.#db.all(SQL.DUE_COUNTERS, nowMs));
  }

  #load(nodes: readonly Values[]): readonly Counter[] {
    return nodes.map(([node]) => this.get(String(node))).filter((counter) => counter !== undefined);
  }

  /** Writes what was put. */
  end(): void {
    if (this.#dirty.size === 0) return;
    for (const counter of this.#dirty) this.#write(counter);
    this.#dirty.clear();
  }

  #write(counter: Counter): void {
    const { node, capacity, used, intervalMs, nextAtMs, dueAtMs, declarations, members } = counter;
    const stored = this.#stored.get(node);
    const { out, overload } = counter;
    // Empty for nearly all: nothing is written or parsed then.
    const edge = [
      out.length === 0 ? "" : JSON.stringify(out),
      overload === null ? "" : JSON.stringify(overload),
    ] as const;
    if (stored === undefined) {
      const texts = [JSON.stringify(declarations), JSON.stringify(members), ...edge] as const;
      this.#db.run(SQL.INSERT_COUNTER, node, counter.kind, capacity, used, intervalMs, nextAtMs, dueAtMs, ...texts);
    } else {
      this.#db.run(SQL.UPDATE_USE, used, nextAtMs, dueAtMs, ...edge, node);
      if (stored === declarations) return;
      this.#db.run(
        SQL.UPDATE_DECLARED,
        capacity,
        intervalMs,
        JSON.stringify(declarations),
        JSON.stringify(members),
        node,
      );
    }
    this.#declare(node, stored ?? [], declarations);
    this.#stored.set(node, declarations);
  }

  #declare(node: string, before: readonly Declaration[], after: readonly Declaration[]): void {
    const kept = new Set(after.map(({ by }) => by));
    for (const { by } of before) if (!kept.has(by)) this.#db.run(SQL.DELETE_DECLARED, by, node);
    for (const by of kept) this.#db.run(SQL.INSERT_DECLARED, by, node);
  }
}
