/** Statements on everything that is counted, and on the few things there is one of. */

const COLUMNS =
  "node, kind, capacity, used, interval_ms, next_at_ms, due_at_ms, declarations, members, out_of_order, overload";

export const SELECT_COUNTER = `select ${COLUMNS} from counter where node = ?`;
export const ALL_COUNTERS = `select ${COLUMNS} from counter order by node`;
export const INSERT_COUNTER = `insert into counter (${COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;
/** What nearly every grant and release changes. */
export const UPDATE_USE =
  "update counter set used = ?, next_at_ms = ?, due_at_ms = ?, out_of_order = ?, overload = ? where node = ?";
export const UPDATE_DECLARED =
  "update counter set capacity = ?, interval_ms = ?, declarations = ?, members = ? where node = ?";
export const DECLARED_NODES = "select node from declared where declared_by = ? order by node";
export const INSERT_DECLARED = "insert or ignore into declared (declared_by, node) values (?, ?)";
export const DELETE_DECLARED = "delete from declared where declared_by = ? and node = ?";
export const DUE_COUNTERS = "select node from counter where due_at_ms > 0 and due_at_ms <= ? order by node";
/** Times at which a row or a counter is due, the soonest of each. */
export const TIMERS = `select * from (select due_at_ms as due from task where due_at_ms > 0 order by due_at_ms limit 1)
  union all select * from (select due_at_ms from counter where due_at_ms > 0 order by due_at_ms limit 1)`;
/** The soonest of them; 0 for never. */
export const NEXT_DUE = `select coalesce(min(due), 0) from (${TIMERS})`;

export const SELECT_META = "select last_now_ms, next_key, next_fence, carry, min_writer, min_writer_release from meta";
export const UPDATE_META = "update meta set last_now_ms = ?, next_key = ?, next_fence = ?, carry = ?";

export const SELECT_PLACE = "select rank, until_ms from place where place_key = ?";
export const PUT_PLACE =
  "insert into place (place_key, rank, until_ms) values (?1, ?2, ?3) on conflict do update set rank = ?2, until_ms = ?3";
export const DELETE_PLACE = "delete from place where place_key = ?";
export const FORGET_PLACES = "delete from place where until_ms < ?";

const OWNER = "owner_id, pid, start_time, boot_id, pid_namespace, machine, label, beat_at_ms";
export const SELECT_OWNER = `select ${OWNER} from owner where owner_id = ?`;
export const ALL_OWNERS = `select ${OWNER} from owner order by owner_id`;
export const PUT_OWNER = `insert or replace into owner (${OWNER}, format) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
export const DELETE_OWNER = "delete from owner where owner_id = ?";

export const PUT_RESULT = "insert or replace into result (key, body) values (?, ?)";

export const PUT_NOTE = "insert or replace into note (topic, body, wall_ms) values (?, ?, ?)";
export const DELETE_NOTE = "delete from note where topic = ?";
/** What nobody has renewed for as long as results are kept. */
export const FORGET_NOTES = "delete from note where wall_ms < ?";
export const SELECT_NOTE = "select body from note where topic = ?";
