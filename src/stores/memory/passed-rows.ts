/** Who reserves, and who was passed often enough to. Both are few. */
import { ADMISSION } from "../../core/bounds.ts";
import { isReservable } from "../../core/claims.ts";
import { isBefore } from "../../core/row.ts";
import type { MemoryRow } from "./memory-row.ts";

export class PassedRows {
  /** By rank; at most four. */
  readonly reservations: MemoryRow[] = [];
  readonly #passed = new Set<MemoryRow>();

  /** Brings both in step with a row. */
  index(row: MemoryRow): void {
    const { passed, reserved } = row;
    if (passed < ADMISSION.passesBeforeReservation && !reserved && this.reservations.length === 0) return;
    const at = this.reservations.indexOf(row);
    if (reserved && at < 0) {
      this.reservations.push(row);
      this.reservations.sort((a, b) => (isBefore(a, b) ? -1 : 1));
    } else if (!reserved && at >= 0) this.reservations.splice(at, 1);
    const mayReserve =
      passed >= ADMISSION.passesBeforeReservation &&
      !reserved &&
      row.status === "waiting" &&
      isReservable(row.watchMode);
    if (mayReserve) this.#passed.add(row);
    else this.#passed.delete(row);
  }

  /** Lowest-ranked of those that may reserve. */
  next(): MemoryRow | undefined {
    let next: MemoryRow | undefined;
    for (const row of this.#passed) if (next === undefined || isBefore(row, next)) next = row;
    return next;
  }

  delete(row: MemoryRow): void {
    this.#passed.delete(row);
  }

  clear(): void {
    this.#passed.clear();
    this.reservations.length = 0;
  }
}
