/** Statements on the table of tasks. Each that decides uses a partial index (plan.test.ts looks at the query plans). */
import { ADMISSION } from "../../../core/bounds.ts";

/** Columns that never change, in the order of row-codec.ts. */
const FIXED =
  "key, workflow_id, task_id, agent_id, kind, wants, parent_key, ancestors, holder_key, holder, claims, limits, gate, queue_timeout_ms, orphan, place_key, label, submitted_at_ms";
const STATE = [
  "owner_id",
  "status",
  "rank",
  "holds_limits",
  "holds_claims",
  "watch",
  "watch_mode",
  "delegate_of",
  "passed",
  "reserved",
  "fence",
  "members",
  "stop",
  "quarantined",
  "waiting_since_ms",
  "watch_since_ms",
  "lock_wait_ms",
  "admitted_at_ms",
  "due_at_ms",
  "lease_ms",
] as const;

export const FIXED_COUNT = FIXED.split(",").length;
export const STATE_COUNT = STATE.length;
export const STATUS_AT = STATE.indexOf("status");

const COLUMNS = `${FIXED}, ${STATE.join(", ")}`;
const COUNT = FIXED_COUNT + STATE_COUNT + 3;

export const INSERT_ROW = `insert into task (${COLUMNS}, live, finished_wall_ms, payload) values (${Array.from({ length: COUNT }, () => "?").join(", ")})`;
/**
 * Writes the state columns of a mask. SQLite takes a row out of every index on a column that is named and puts it back,
 * whether its value changed or not: so only what changed is named.
 */
export function updateSql(mask: number, isEnd: boolean): string {
  const set = STATE.filter((_, index) => (mask & (1 << index)) !== 0).map((column) => `${column} = ?`);
  if (isEnd) set.push("live = 0", "finished_wall_ms = ?");
  return `update task set ${set.join(", ")} where key = ?`;
}
/** Paths may lead elsewhere by the time they are granted. */
export const UPDATE_CLAIMS = "update task set claims = ? where key = ?";

export const SELECT_ROW = `select ${COLUMNS} from task where key = ?`;
export const SELECT_PAYLOAD = "select payload from task where key = ?";
export const UPDATE_PAYLOAD = "update task set payload = ? where key = ?";
export const DELETE_ROW = "delete from task where key = ?";
export const DELETE_RESULT = "delete from result where key = ?";
export const FIND_KEY = "select key from task where workflow_id = ? and task_id = ?";

const IN_LINE = "watch = ?1 and watch_mode = ?2 and gate = ?3 and watch <> ''";
/** The first of a line. */
export const FIRST = `select key from task where ${IN_LINE} order by rank, key limit 1`;
// Both in two steps: a comparison of pairs makes SQLite walk through all that have the first in common.
/** The first of a line after a rank and a key. */
export const HEAD = `select * from (select key from task where ${IN_LINE} and rank = ?4 and key > ?5 order by key limit 1)
  union all select * from (select key from task where ${IN_LINE} and rank > ?4 order by rank, key limit 1) limit 1`;
/** The next line at a node after a mode and a gate, with its first row, however many stand in each. */
export const NEXT_LINE = `select * from (select watch_mode, gate, key from task
    where watch = ?1 and watch_mode = ?2 and gate > ?3 and watch <> '' order by gate, rank, key limit 1)
  union all select * from (select watch_mode, gate, key from task
    where watch = ?1 and watch_mode > ?2 and watch <> '' order by watch_mode, gate, rank, key limit 1) limit 1`;
/** One that waits: the last of a line, which will wait longest. */
export const ONE_WAITING = `select key from task indexed by task_watch where watch <> ''
  order by watch desc, watch_mode desc, gate desc, rank desc limit 1`;
export const WATCHED =
  "select node.value from json_each(?) as node where exists (select 1 from task where watch = node.value and watch <> '') order by node.key";
export const RESERVATIONS = "select key from task where reserved = 1 order by rank, key";
/** Modes 4 and 5 are rates and limits, which are never reserved. */
export const NEXT_TO_RESERVE = `select key from task
  where passed >= ${ADMISSION.passesBeforeReservation} and reserved = 0 and watch <> '' and watch_mode not in (4, 5)
  order by rank, key limit 1`;

export const HAS_REQUESTS = "select 1 from task indexed by task_request where kind = 'request' and live = 1 limit 1";
export const REQUESTS_OF = "select key from task where holder_key = ? and kind = 'request' and live = 1 order by key";
export const WAITING_INSIDE =
  "select key from task indexed by task_inside where ancestors <> '' and watch <> '' order by key";
export const ROWS_OF = "select key from task where owner_id = ?1 and live = 1 and key > ?3 order by key limit ?2";
export const DUE_ROWS = "select key from task where due_at_ms > 0 and due_at_ms <= ? order by due_at_ms, key limit ?";

export const ADD_TALLY =
  "insert into tally (workflow_id, status, tasks) values (?1, ?2, ?3) on conflict do update set tasks = tasks + ?3";
