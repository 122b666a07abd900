/** Statements that only look: status, `why`, and when a turn must run by itself. */
import { TIMERS } from "./counters.ts";

/** When a turn must run by itself; 0 for never. What a turn left to test is due at once. */
export const NEXT_TURN = `select coalesce(min(due), 0) from (
  select max(last_now_ms, 1) as due from meta where carry <> '' union all ${TIMERS})`;

export const HAS_LIVE_ROWS = "select 1 from task where owner_id = ? and live = 1 limit 1";

/** Statuses are a JSON array. Live rows by key; the latest of finished ones. */
export const LIVE_ROWS =
  "select key from task where live = 1 and status in (select value from json_each(?)) order by key limit ?";
export const LIVE_ROWS_OF_OWNER =
  "select key from task where owner_id = ? and live = 1 and status in (select value from json_each(?)) order by key limit ?";
export const FINISHED_ROWS = `select key from (
  select key from task where live = 0 and status in (select value from json_each(?)) order by key desc limit ?) order by key`;
export const UNSUCCESSFUL_ROWS = `select key from (
  select key from task indexed by task_unsuccessful where live = 0 and status <> 'succeeded'
  and status in (select value from json_each(?)) order by key desc limit ?) order by key`;
export const ROWS_OF_WORKFLOW = `select key from task indexed by task_id
  where workflow_id = ? and status in (select value from json_each(?)) order by key limit ?`;

export const COUNT_ROWS = "select coalesce(sum(tasks), 0) from tally where status in (select value from json_each(?))";
export const COUNT_ROWS_OF_WORKFLOW =
  "select coalesce(sum(tasks), 0) from tally where workflow_id = ? and status in (select value from json_each(?))";
export const COUNT_ROWS_OF_OWNER =
  "select count(*) from task where owner_id = ? and live = 1 and status in (select value from json_each(?))";

export const SELECT_RESULT =
  "select body from result where key = (select key from task where workflow_id = ? and task_id = ?)";

/** How long the last few of this name ran, among the youngest rows: what came long ago does not tell what is usual. */
export const RUN_TIMES = `select json_extract(body, '$.executionTimeMs') from result join (
    select key from (select key, agent_id, task_id, status from task order by key desc limit 2000)
    where agent_id = ? and task_id = ? and status = 'succeeded' limit 9) using (key)`;

const HOLD = "select row_key, node, members from hold";
export const ALL_HOLDS = `${HOLD} order by row_key, node limit ?`;
/** On the nodes of a JSON array, or below a node. */
export const HOLDS_AROUND = `${HOLD} where node in (select value from json_each(?1))
  union all ${HOLD} where node > ?2 || '/' and node < ?2 || '0' order by 1, 2 limit ?3`;

export const WATCHERS = `select key from task
  where watch = ? and watch_mode = ? and gate = ? and watch <> '' order by rank, key limit ?`;
export const PLACE_IN_LINE = `select count(*) from task
  where watch = ? and watch_mode = ? and gate = ? and watch <> '' and (rank, key) < (?, ?)`;

export const WORKFLOWS = `select workflow_id, sum(tasks), sum(case when status in (select value from json_each(?1)) then 0 else tasks end) as live
  from tally group by workflow_id order by live > 0 desc, workflow_id limit ?2`;
