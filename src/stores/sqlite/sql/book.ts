/** Statements of the session book. */
const VERSION = "session_id, subagent, path, hash, seen_wall_ms, pending, wrote_hash, wrote_wall_ms, lines";

export const PUT_SESSION = "insert or replace into session (session_id, seen_wall_ms, body) values (?, ?, ?)";
export const SELECT_SESSION = "select body from session where session_id = ?";
export const SELECT_SESSIONS = "select body from session order by seen_wall_ms desc limit ?";

export const PUT_VERSION = `insert or replace into file_version (${VERSION}) values (?, ?, ?, ?, ?, ?, ?, ?, ?)`;
export const SELECT_VERSION = `select ${VERSION} from file_version where session_id = ? and subagent = ? and path = ?`;
export const SELECT_VERSIONS = `select ${VERSION} from file_version where path = ? order by wrote_wall_ms desc`;
/** `/` is followed by `0`: what begins with `shop/` lies between `shop/` and `shop0`. */
export const SELECT_WRITTEN = `select ${VERSION} from file_version
  where path > ? and path < ? and wrote_wall_ms > 0 order by wrote_wall_ms desc limit ?`;
export const DELETE_VERSIONS = "delete from file_version where session_id = ? and subagent = ?";

export const PUT_TOLD = "insert or ignore into session_told (session_id, topic) values (?, ?)";
export const SELECT_TOLD = "select 1 from session_told where session_id = ? and topic = ?";

const OLD = "session_id in (select session_id from session where seen_wall_ms < ?)";
export const DELETE_OLD = [
  `delete from file_version where ${OLD}`,
  `delete from session_told where ${OLD}`,
  "delete from session where seen_wall_ms < ?",
];
