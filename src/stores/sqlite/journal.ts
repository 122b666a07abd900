/** Effects as they happened, for people and pages: one row for each transaction. Nothing that decides reads them. */
import { BOUNDS } from "../../core/bounds.ts";
import type { Effect } from "../../core/command.ts";
import type { Statements } from "./statements.ts";

const INSERT = "insert into event (at_ms, wall_ms, body) values (?, ?, ?) returning sequence";
const FORGET = "delete from event where sequence <= ?";
/** How often old ones are deleted: rarely enough to cost nothing, often enough to delete few at a time. */
const FORGET_EVERY = 256;

export interface JournalTimes {
  readonly atMs: number;
  readonly wallMs: number;
}

/** Inside a transaction. Keeps the last `BOUNDS.journalTurns`. */
export function writeJournal(db: Statements, effects: readonly Effect[], times: JournalTimes): void {
  if (effects.length === 0) return;
  const sequence = Number(db.one(INSERT, times.atMs, times.wallMs, JSON.stringify(effects.map(entryOf)))?.[0]);
  if (sequence % FORGET_EVERY === 0) db.run(FORGET, sequence - BOUNDS.journalTurns);
}

type Entry = readonly (string | number | null)[];

/** What happened, to which row, and what the row itself will not say later. A row is found by its key. */
function entryOf(effect: Effect): Entry {
  switch (effect.type) {
    case "refused":
      return [effect.type, effect.code, effect.message];
    case "ended":
      return [effect.type, effect.row.key, effect.status, effect.code];
    case "waiting":
      return [effect.type, effect.row.key, effect.row.watch];
    case "submitted":
    case "admitted":
    case "confirmed":
    case "reserved":
    case "requeued":
    case "stop-requested":
    case "suspended":
    case "quarantined":
    case "told":
      return [effect.type, effect.row.key, effect.row.fence];
    case "owner-gone":
      return [effect.type, effect.owner.ownerId, effect.owner.label];
    case "waited":
      return [effect.type, effect.node, effect.waitedMs];
    case "limit-changed":
      return [effect.type, effect.node, effect.capacity];
  }
}
