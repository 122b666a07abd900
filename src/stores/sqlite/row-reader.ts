/** Reads rows of tasks by key. The payload is read when somebody first looks at it. */
import type { SQLOutputValue } from "node:sqlite";
import { ClaimCache } from "../../core/claims.ts";
import { LockyardError } from "../../core/errors.ts";
import type { TaskRow } from "../../core/row.ts";
import { parsePayload, rowOf } from "./row-codec.ts";
import { FIXED_COUNT, SELECT_PAYLOAD, SELECT_ROW } from "./sql/rows.ts";
import type { Statements } from "./statements.ts";

export interface StoredRow {
  readonly row: TaskRow;
  /** Its state columns as the file has them. */
  readonly state: readonly SQLOutputValue[];
}

export class RowReader {
  readonly #db: Statements;
  readonly #claims = new ClaimCache();

  constructor(db: Statements) {
    this.#db = db;
  }

  read(key: number): StoredRow | undefined {
    const values = this.#db.one(SELECT_ROW, key);
    if (values === undefined) return undefined;
    return { row: rowOf(values, this.#claims, this.#loadPayload), state: values.slice(FIXED_COUNT) };
  }

  rows(keys: readonly number[]): readonly TaskRow[] {
    return keys.map((key) => this.read(key)?.row).filter((row) => row !== undefined);
  }

  readonly #loadPayload = (key: number): unknown => {
    if (!this.#db.database.isOpen) {
      throw new LockyardError("CLOSED", `The payload of task ${key} was not read before its store was closed.`, {
        hint: "Read it while the store is open.",
      });
    }
    const found = this.#db.one(SELECT_PAYLOAD, key);
    return found === undefined ? undefined : parsePayload(String(found[0]));
  };
}
