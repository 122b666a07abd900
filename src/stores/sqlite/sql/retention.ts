/** Statements that forget. Each looks at no more than a page. */

/** Finished rows from a time and a key on, oldest first, with the bytes they keep. */
export const FINISHED_FROM = `select key, workflow_id, status, finished_wall_ms,
    octet_length(payload) + coalesce((select octet_length(body) from result where result.key = task.key), 0)
  from task indexed by task_finished
  where live = 0 and finished_wall_ms >= ?1 and (finished_wall_ms > ?1 or key > ?2) and finished_wall_ms < ?3
    and holds_claims = 0 and quarantined = 0
  order by finished_wall_ms, key limit ?4`;
export const HAS_UNFINISHED = `select 1 from tally where workflow_id = ?
  and status not in ('succeeded', 'failed', 'timed_out', 'cancelled', 'skipped') and tasks > 0 limit 1`;
export const DELETE_RESULTS = "delete from result where key in (select value from json_each(?))";
export const DELETE_ROWS = "delete from task where live = 0 and key in (select value from json_each(?))";
export const LESS_TALLY = "update tally set tasks = tasks - ? where workflow_id = ? and status = ?";
export const EMPTY_TALLY = "delete from tally where workflow_id = ? and tasks <= 0";

export const FORGOTTEN_UNTIL = "select prompts_forgotten_until_ms from meta";
export const SET_FORGOTTEN_UNTIL = "update meta set prompts_forgotten_until_ms = ?";
/** The last time of the next page of ends: whoever ended at that very time goes with it. */
export const NEXT_ENDS = `select max(ended) from (select finished_wall_ms as ended from task indexed by task_finished
  where live = 0 and finished_wall_ms > ? and finished_wall_ms < ? order by finished_wall_ms limit ?)`;
export const FORGET_PROMPTS = `update task indexed by task_finished set payload = ''
  where live = 0 and finished_wall_ms > ? and finished_wall_ms <= ? and payload <> ''`;

/**
 * Limits of managers that are gone: nobody declares them, nobody counts against them, and no unfinished task names them. Each
 * process has one of its own, so thousands of short ones would leave thousands. Looked for only while so few tasks are
 * unfinished that all of them can be asked.
 */
export const DELETE_LIMITS = `delete from counter where node in (
  select node from counter where node > 'l:' and node < 'l;' and declarations = '[]' and used = 0
    and (select count(*) from (select 1 from task indexed by task_owner where live = 1 limit 1001)) <= 1000
    and not exists (
      select 1 from task indexed by task_owner where live = 1 and instr(limits, '"' || counter.node || '"') > 0)
  limit ?)`;
export const CHANGES = "select changes()";

export const PAGES =
  "select page_count, freelist_count, page_size from pragma_page_count, pragma_freelist_count, pragma_page_size";
