/** Prepared statements of one connection, made when first used and kept: preparing costs more than running. */
import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from "node:sqlite";

/** One row of an answer: values in the order of its columns (half the price of named ones). */
export type Values = readonly SQLOutputValue[];

export class Statements {
  readonly database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.database = database;
  }

  /** The first row, or undefined. */
  one(sql: string, ...values: readonly SQLInputValue[]): Values | undefined {
    return this.#statement(sql).get(...values) as Values | undefined; // arrays: see #statement
  }

  all(sql: string, ...values: readonly SQLInputValue[]): readonly Values[] {
    return this.#statement(sql).all(...values) as unknown as readonly Values[]; // arrays: see #statement
  }

  /** The first column of every row, as numbers. */
  keys(sql: string, ...values: readonly SQLInputValue[]): readonly number[] {
    return this.all(sql, ...values).map((row) => Number(row[0]));
  }

  run(sql: string, ...values: readonly SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      statement.setReturnArrays(true);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
