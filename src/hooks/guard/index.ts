/** What the command line needs of this folder. */
export { sessionIdOf } from "../sessions.ts";
export { commitFinding } from "./commit-check.ts";
export { liveSessions } from "./live-sessions.ts";
export { realGit } from "./uncommitted.ts";
