/** Looking at the shared store and reaching into it: see basics.ts. */
export type { Counter, Owner } from "../core/command.ts";
export { SET_BY_HAND } from "../core/counters.ts";
export { type Explanation, explain, strangersText } from "../core/explain.ts";
export { type Message, NOTE } from "../core/message.ts";
export type { StoreView } from "../core/ports.ts";
export { FINAL_STATUSES, isFinal, LIVE_STATUSES, type TaskRow } from "../core/row.ts";
export {
  type BookView,
  type FileVersion,
  SESSION_AGENT,
  type Session,
  type SessionStore,
} from "../core/session-book.ts";
export { MACHINE_LIMIT } from "../core/shares.ts";
export { livenessOf, ownIdentity } from "../process/identity.ts";
export { judgeOwners, OwnerJudge } from "../process/owner-judge.ts";
export { hasProcessTable, readCommandLine, readProcesses } from "../process/proc-table.ts";
export { containment } from "../process/process-tree.ts";
export { fileSystemName } from "../stores/sqlite/file-system.ts";
export { openSqliteStore, type SqliteStore, storeFile } from "../stores/sqlite/index.ts";
export { inspectStore, type StoreFacts } from "../stores/sqlite/inspect.ts";
export { sharedFileSystem } from "../stores/sqlite/place.ts";
