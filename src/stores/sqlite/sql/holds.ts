/** Statements on holds: one row for each claim that is held, no intention rows. */

export const INSERT_HOLD =
  "insert into hold (node, row_key, holder_key, mode, units, members) values (?, ?, ?, ?, ?, ?)";
export const MEND_HOLD =
  "insert or ignore into hold (node, row_key, holder_key, mode, units, members) values (?, ?, ?, ?, ?, '')";
export const UNITS_IN_USE = "select coalesce(sum(units), 0) from hold where node = ?";
export const DELETE_HOLD = "delete from hold where node = ? and row_key = ? returning units";

const EXCEPT = "and holder_key not in (select value from json_each(?3))";
/** A conflict is `mode >= ?1`: 2 for a shared claim, 1 for an exclusive one. What a newer program wrote counts as well. */
const AT = (parameter: string, except: string) =>
  `exists (select 1 from hold where node = ${parameter} and mode >= ?1 ${except})`;
const BELOW = (except: string) =>
  `exists (select 1 from hold where node > ?2 || '/' and node < ?2 || '0' and mode >= ?1 ${except})`;

/**
 * Where a lock claim is blocked: 0 at its own node, n at its nth ancestor (outermost first), -1 below it, null nowhere.
 * Parameters: least conflicting mode, node, holders left out (JSON), ancestors. Point look-ups and one range probe.
 */
export function conflictSql(ancestors: number, hasExcept: boolean): string {
  const except = hasExcept ? EXCEPT : "";
  const first = hasExcept ? 4 : 3;
  const levels = Array.from({ length: ancestors }, (_, at) => `when ${AT(`?${first + at}`, except)} then ${at + 1}`);
  return `select case when ${AT("?2", except)} then 0 ${levels.join(" ")} when ${BELOW(except)} then -1 end`;
}

/** Rows that block a lock claim: at the nodes of a JSON array, or below the first. */
export const LOCK_HOLDERS = `select row_key from hold
  where node in (select value from json_each(?1)) and mode >= ?3 and holder_key not in (select value from json_each(?4))
  union
  select row_key from hold
  where node > ?2 || '/' and node < ?2 || '0' and mode >= ?3 and holder_key not in (select value from json_each(?4))
  order by row_key limit ?5`;
export const UNIT_HOLDERS = `select row_key, units from hold
  where node = ?1 and units > 0 and holder_key not in (select value from json_each(?2)) order by row_key limit ?3`;
/** Units that count for a row: its own, and those under its ancestors. Requests stand under the key of their task. */
export const UNITS_HELD = `select coalesce(sum(units), 0) from hold
  where node = ?1 and (row_key = ?3 or holder_key in (select value from json_each(?2)))`;
/** Holders of units that run inside somebody. */
export const HELD_INSIDE = `select row_key from hold where node = ?1
  and exists (select 1 from task where key = row_key and ancestors <> '') order by row_key`;
export const UNITS_OF = "select units from hold where node = ? and row_key = ?";
export const MEMBERS_UNDER = `select row_key, holder_key, members from hold
  where node = ?1 and members <> '' and holder_key in (select value from json_each(?2)) and row_key <> ?3`;
export const TAKE_OVER = "update hold set units = units + ?, members = ? where node = ? and row_key = ?";
export const MEMBERS_TAKEN = "select members from hold where node = ? and members <> ''";
