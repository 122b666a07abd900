/** Sessions of AI hosts, what they saw and what they hold: see basics.ts. */
export { HOOKS } from "../core/bounds.ts";
export { covers, EXCLUSIVE, NESTED_RANK, normaliseClaims, type ResolvedClaim, resolvedClaim } from "../core/claims.ts";
export type { Command, Effect, Owner } from "../core/command.ts";
export { shortHash } from "../core/names.ts";
export type { ProcessIdentity } from "../core/ports.ts";
export { holdsLocks, isFinal, type NewRow, type TaskRow } from "../core/row.ts";
export {
  type BookEntry,
  type BookView,
  type FileVersion,
  NO_FILE,
  SESSION_AGENT,
  type Session,
  type SessionStore,
} from "../core/session-book.ts";
export { ancestorsOfToken, type HolderToken, readToken } from "../core/token.ts";
export { randomPart } from "../engine/ids.ts";
export { identityOf, livenessOf } from "../process/identity.ts";
export { judgeOwners, OwnerJudge } from "../process/owner-judge.ts";
export { readProcess } from "../process/proc-table.ts";
export { gitDirectories } from "../resources/git.ts";
export { type PathResolver, pathResolver } from "../resources/real-path.ts";
