/** Small moves the kernel makes, for tests of a ledger that need no kernel. */
import type { WatchMode } from "../../core/claims.ts";
import type { Counter } from "../../core/command.ts";
import type { Ledger, Line } from "../../core/ledger.ts";
import type { NewRow, TaskRow } from "../../core/row.ts";
import { newRow } from "../rows.ts";
import type { TestKit } from "../test-kit.ts";

/** A ledger with what makes turns atomic around it. */
export interface OpenLedger {
  readonly ledger: Ledger;
  /** Does the work as one turn and commits it. */
  commit<T>(work: () => T): T;
  /** Does the work as one turn and takes it back. */
  undo(work: () => void): void;
  close(): void;
}

export type Expect = TestKit["expect"];
/** Adds a test that gets a ledger of its own. */
export type AddTest = (name: string, run: (world: Fixture, expect: Expect) => void) => void;

export type Change = Partial<Omit<{ -readonly [Field in keyof TaskRow]: TaskRow[Field] }, "key">>;

export function keysOf(rows: readonly TaskRow[]): number[] {
  return rows.map((row) => row.key);
}

/** The line of those without limits. */
export function line(node: string, mode: WatchMode): Line {
  return { node, mode, gate: "" };
}

export class Fixture {
  readonly open: OpenLedger;

  constructor(open: OpenLedger) {
    this.open = open;
  }

  turn<T>(work: (ledger: Ledger) => T): T {
    return this.open.commit(() => work(this.open.ledger));
  }

  insert(over: Partial<NewRow>): number {
    return this.turn((ledger) => {
      const key = ledger.nextKey();
      ledger.insert(newRow(over), key, 1_000);
      return key;
    });
  }

  /** Within a turn. */
  put(key: number, change: Change): void {
    const { ledger } = this.open;
    const row = this.#row(key);
    ledger.edit(row);
    Object.assign(row, change);
    ledger.put(row);
  }

  change(key: number, change: Change): void {
    this.turn(() => this.put(key, change));
  }

  wait(over: Partial<NewRow>, watch: string, watchMode: WatchMode): number {
    const key = this.insert(over);
    this.change(key, { watch, watchMode });
    return key;
  }

  /** Within a turn. */
  grant(key: number): void {
    this.#move(key, true);
  }

  /** Within a turn. */
  letGo(key: number): void {
    this.#move(key, false);
  }

  #move(key: number, holds: boolean): void {
    const { ledger } = this.open;
    const row = this.#row(key);
    ledger.edit(row);
    row.status = holds ? "running" : "retrying";
    row.holdsClaims = holds;
    if (holds) ledger.hold(row);
    else ledger.drop(row);
    ledger.put(row);
  }

  /** Within a turn. */
  unitsHeld(node: string, key: number): number {
    return this.open.ledger.unitsHeld(node, this.#row(key));
  }

  /** Within a turn. */
  takeOver(key: number, node: string): boolean {
    const { ledger } = this.open;
    const row = this.#row(key);
    ledger.edit(row);
    const hasTaken = ledger.takeOver(row, node);
    ledger.put(row);
    return hasTaken;
  }

  #row(key: number): TaskRow {
    const row = this.open.ledger.get(key);
    if (row === undefined) throw new Error(`there is no row ${key}`);
    return row;
  }

  hold(over: Partial<NewRow>): number {
    const key = this.insert(over);
    this.turn(() => this.grant(key));
    return key;
  }

  declare(over: Partial<Counter> & { readonly node: string }): void {
    const counter: Counter = {
      kind: "capacity",
      capacity: 1,
      used: 0,
      intervalMs: 0,
      nextAtMs: 0,
      dueAtMs: 0,
      declarations: [],
      members: [],
      out: [],
      overload: null,
      ...over,
    };
    this.turn((ledger) => ledger.putCounter(counter));
  }
}
