/** Running tasks: see basics.ts. */
export { commandAgent } from "../agents/command/command-agent.ts";
export { execAgent } from "../agents/exec/exec-agent.ts";
export { threadAgent } from "../agents/thread/thread-agent.ts";
export { type ComposedParts, composeParts } from "../compose.ts";
export { explain, ordinal } from "../core/explain.ts";
export { shortHash } from "../core/names.ts";
export { type HolderToken, readToken, TOKEN_VARIABLES } from "../core/token.ts";
export { randomPart } from "../engine/ids.ts";
export { TaskManager } from "../engine/parallel-task-manager.ts";
export type { EarlierWork, Spent } from "../engine/parts.ts";
export { memoryLimitFault } from "../process/cgroup.ts";
export { type ForegroundChild, memoryError, spawnForeground } from "../process/foreground.ts";
export { identityOf } from "../process/identity.ts";
export { SHARED_DAEMONS } from "../process/leftovers.ts";
export { newMarker } from "../process/marker.ts";
export type { Exit } from "../process/spawn.ts";
export { memoryStore } from "../stores/memory/index.ts";
export { sqliteStore } from "../stores/sqlite/index.ts";
