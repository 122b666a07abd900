/** Running tasks: see basics.ts. */
export { commandAgent } from "../agents/command/command-agent.ts";
export { threadAgent } from "../agents/thread/thread-agent.ts";
export { type ComposedParts, composeParts } from "../compose.ts";
export { TaskManager } from "../engine/parallel-task-manager.ts";
export { memoryStore } from "../stores/memory/index.ts";
export { sqliteStore } from "../stores/sqlite/index.ts";
