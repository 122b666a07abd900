/** The one row of things there is one of: next key, next fence, greatest time seen, what was left to test. */
import type { WatchMode } from "../../core/claims.ts";
import { invariant } from "../../core/errors.ts";
import type { CarryEntry } from "../../core/ledger.ts";
import { FORMAT, tooNew } from "./migrate.ts";
import { SELECT_META, UPDATE_META } from "./sql/counters.ts";
import type { Statements } from "./statements.ts";

export class MetaRow {
  readonly #db: Statements;
  #lastNowMs = 0;
  #nextKey = 0;
  #nextFence = 0;
  #carry = "";
  #isDirty = false;

  constructor(db: Statements) {
    this.#db = db;
  }

  begin(): void {
    const found = this.#db.one(SELECT_META);
    invariant(found, "a store has its meta row");
    const minWriter = Number(found[4]);
    if (minWriter > FORMAT) {
      // Somebody newer has changed the meaning of this store while it was open here (migrate.ts, V2).
      const file = this.#db.database.location() ?? "";
      throw tooNew({ file, minWriter, format: FORMAT, release: String(found[5]) });
    }
    this.#lastNowMs = Number(found[0]);
    this.#nextKey = Number(found[1]);
    this.#nextFence = Number(found[2]);
    this.#carry = String(found[3]);
    this.#isDirty = false;
  }

  end(): void {
    if (!this.#isDirty) return;
    this.#db.run(UPDATE_META, this.#lastNowMs, this.#nextKey, this.#nextFence, this.#carry);
    this.#isDirty = false;
  }

  nextKey(): number {
    this.#isDirty = true;
    return this.#nextKey++;
  }

  nextFence(): number {
    this.#isDirty = true;
    return this.#nextFence++;
  }

  lastNowMs(): number {
    return this.#lastNowMs;
  }

  setLastNowMs(nowMs: number): void {
    if (nowMs === this.#lastNowMs) return;
    this.#lastNowMs = nowMs;
    this.#isDirty = true;
  }

  carry(): readonly CarryEntry[] {
    return parseCarry(this.#carry);
  }

  setCarry(entries: readonly CarryEntry[]): void {
    const text = carryText(entries);
    if (text === this.#carry) return;
    this.#carry = text;
    this.#isDirty = true;
  }
}

/** JSON has no minus infinity, which stands for "from the head": null is written for it. */
function carryText(entries: readonly CarryEntry[]): string {
  if (entries.length === 0) return "";
  const stored = entries.map(({ node, mode, gate, afterRank, afterKey }): StoredEntry => {
    return [node, mode, gate, Number.isFinite(afterRank) ? afterRank : null, afterKey];
  });
  return JSON.stringify(stored);
}

type StoredEntry = readonly [node: string, mode: WatchMode, gate: string, afterRank: number | null, afterKey: number];

function parseCarry(text: string): readonly CarryEntry[] {
  if (text === "") return [];
  const stored = JSON.parse(text) as readonly StoredEntry[]; // as carryText wrote it
  return stored.map(([node, mode, gate, afterRank, afterKey]) => {
    return { node, mode, gate, afterRank: afterRank ?? Number.NEGATIVE_INFINITY, afterKey };
  });
}
