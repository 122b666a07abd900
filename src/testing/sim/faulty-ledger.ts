/** The memory ledger, with writes that fail when the simulation says so. */
import type { Counter } from "../../core/command.ts";
import { invariant, LockyardError } from "../../core/errors.ts";
import type { CarryEntry } from "../../core/ledger.ts";
import type { NewRow, TaskRow } from "../../core/row.ts";
import { MapLedger } from "../../stores/memory/map-ledger.ts";
import type { TurnFault } from "./sim-store.ts";

export class FaultyLedger extends MapLedger {
  fault: TurnFault | null = null;
  /** How often the fault has struck, and how often a turn left something to be tested. */
  readonly inside = { carries: 0, bugs: 0 };
  /** For saboteurs: spoils an undo after it was made. */
  protected meddle: (() => void) | null = null;
  /** Told when a turn has been undone. */
  onUndone: (() => void) | null = null;
  #struck = 0;
  #writes = 0;
  #isUndoing = false;

  /** The turn it was meant for is over. */
  disarm(): void {
    this.fault = null;
    this.#struck = 0;
    this.#writes = 0;
  }

  /** Before a write, or after it: a turn may stop anywhere in between. */
  #write(): void {
    const { fault } = this;
    if (fault === null || this.#isUndoing || ++this.#writes < fault.atWrite) return;
    this.#writes = 0;
    const times = fault.kind === "bug" ? fault.times : 1;
    if (++this.#struck >= times) {
      this.fault = null;
      this.#struck = 0;
    }
    if (fault.kind === "disk") throw new LockyardError("STORE_FULL", "The simulated disk is full.");
    this.inside.bugs++;
    invariant(false, "a simulated one");
  }

  override insert(row: NewRow, key: number, nowMs: number): TaskRow | undefined {
    const inserted = super.insert(row, key, nowMs);
    this.#write();
    return inserted;
  }

  override put(row: TaskRow): void {
    super.put(row);
    this.#write();
  }

  override hold(row: TaskRow): void {
    super.hold(row);
    this.#write();
  }

  override drop(row: TaskRow): void {
    super.drop(row);
    this.#write();
  }

  override putCounter(counter: Counter): void {
    this.#write();
    super.putCounter(counter);
  }

  override commit(): void {
    this.#writes = 0;
    super.commit();
  }

  override undo(): void {
    this.#writes = 0;
    this.#isUndoing = true;
    super.undo();
    this.#isUndoing = false;
    this.meddle?.();
    this.onUndone?.();
  }

  override setCarry(entries: readonly CarryEntry[]): void {
    if (entries.length > 0) this.inside.carries++;
    super.setCarry(entries);
  }
}
