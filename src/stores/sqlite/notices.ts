/**
 * What a turn did to rows of other owners is told to them: a notice for each effect, written in the turn's own transaction.
 * The owner reads its notices when the file has changed and deletes them in its next turn.
 */
import type { Effect } from "../../core/command.ts";
import type { TaskRow } from "../../core/row.ts";
import type { RowReader } from "./row-reader.ts";
import type { Statements } from "./statements.ts";

const HAS_OWNER = "select 1 from owner where owner_id = ?";
const INSERT = "insert into notice (owner_id, key, effect) values (?, ?, ?)";
/** As many as one look takes: the rest is taken by the next. */
const SELECT =
  "select sequence, key, effect from notice where owner_id = ? and sequence > ? order by sequence limit 256";
const DELETE = "delete from notice where owner_id = ? and sequence <= ?";

export type RowEffect = Extract<Effect, { readonly row: TaskRow }>;

export function hasRow(effect: Effect): effect is RowEffect {
  return "row" in effect;
}

export class Notices {
  readonly #db: Statements;
  readonly #reader: RowReader;
  /** Last notice each owner of this process was told. */
  readonly #told = new Map<string, number>();
  /** Owners with told notices still in the file. */
  readonly #finished = new Set<string>();

  constructor(db: Statements, reader: RowReader) {
    this.#db = db;
    this.#reader = reader;
  }

  /** Inside a transaction. Owners that are gone are told nothing: their next beat is refused. */
  write(effects: readonly Effect[], isHere: (ownerId: string) => boolean): void {
    const known = new Map<string, boolean>();
    for (const effect of effects) {
      if (!hasRow(effect) || isHere(effect.row.ownerId)) continue;
      const { row, ...rest } = effect;
      let isKnown = known.get(row.ownerId);
      if (isKnown === undefined) {
        isKnown = this.#db.one(HAS_OWNER, row.ownerId) !== undefined;
        known.set(row.ownerId, isKnown);
      }
      if (isKnown) this.#db.run(INSERT, row.ownerId, row.key, JSON.stringify(rest));
    }
  }

  /** Inside a transaction: what was told is deleted. Returns what to call when it has committed. */
  deleteTold(): () => void {
    const owners = [...this.#finished];
    for (const ownerId of owners) this.#db.run(DELETE, ownerId, this.#told.get(ownerId) ?? 0);
    return () => {
      for (const ownerId of owners) this.#finished.delete(ownerId);
    };
  }

  /** What others did to this owner's rows since it was last asked, with the rows as they are now. */
  take(ownerId: string): readonly Effect[] {
    const effects: Effect[] = [];
    for (const [sequence, key, text] of this.#db.all(SELECT, ownerId, this.#told.get(ownerId) ?? 0)) {
      this.#told.set(ownerId, Number(sequence));
      this.#finished.add(ownerId);
      const row = this.#reader.read(Number(key))?.row;
      if (row !== undefined) effects.push({ ...(JSON.parse(String(text)) as object), row } as RowEffect); // as written above
    }
    return effects;
  }
}
