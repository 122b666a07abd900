/** The library, name by name. Importing it loads no driver: stores, threads and processes are loaded when first used. */

export { type AcpAgentOptions, acpAgent } from "./agents/acp/acp-agent.ts";
export { type CodingCliAgentOptions, codingCliAgent } from "./agents/coding-cli/coding-cli-agent.ts";
export { type CommandAgentOptions, commandAgent } from "./agents/command/command-agent.ts";
export { type FunctionAgentOptions, functionAgent } from "./agents/function-agent.ts";
export { type ThreadAgent, type ThreadAgentOptions, threadAgent } from "./agents/thread/thread-agent.ts";
// What runs tasks
export {
  MCPIntegrationLayer,
  type MCPIntegrationLayerOptions,
  ParallelTaskManager,
  type ParallelTaskManagerOptions,
} from "./compose.ts";
export { agentReport, type RateLimitedError, type ReportFields, rateLimited } from "./core/agent-report.ts";
// Agents
export {
  type AgentFor,
  type AgentIdOf,
  type Agents,
  type ContextOf,
  defineAgents,
  type OutputOf,
  type TypedAgent,
} from "./core/agent-types.ts";
export type { ResourceDeclaration } from "./core/declared.ts";
// Shapes
export { type ErrorCode, type Fault, LockyardError, type TaskError } from "./core/errors.ts";
export { EVENT_VERSION, type EventType, type LockyardEvent } from "./core/events.ts";
export type {
  Agent,
  AgentContext,
  AgentReport,
  Clock,
  ErrorFacts,
  ErrorHandler,
  ErrorVerdict,
  HeldLocks,
  Logger,
  Monitor,
  ProgressTracker,
  RankFacts,
  ResourceManager,
  Scheduler,
  Store,
  StoreDescriptor,
  Timer,
} from "./core/ports.ts";
export type {
  AgentInstance,
  AgentResult,
  AgentTask,
  Claim,
  FinalStatus,
  HolderKind,
  JsonObject,
  JsonValue,
  LiveStatus,
  LockType,
  ResourceLock,
  RetryPolicy,
  StandardSchema,
  SucceededResult,
  TaskCall,
  TaskGroup,
  TaskGroups,
  TaskStatus,
  UnsuccessfulResult,
  Usage,
  When,
} from "./core/task.ts";
export type { ProgressCallback } from "./engine/notices.ts";
export type { ExecuteOptions, ResultsOptions, TaskFilter } from "./engine/parallel-task-manager.ts";
export type { Budget } from "./engine/parts.ts";
export { type AddClaimOptions, ResourceClaims } from "./engine/resource-claims.ts";
export type { TaskHandle } from "./engine/result-sinks.ts";
export type { ConcurrencyStatus, ParallelExecutionStatus, WaitingTask } from "./engine/status.ts";
export { type BatchRunner, batchTaskCalls, executeTaskBatches, type TaskBatchOptions } from "./integration/batches.ts";
export type { StoreStatus } from "./integration/store-status.ts";
export { createTaskCall } from "./integration/task-call.ts";
export type { CreatedCall, LayerCall, ResultOf, ResultsOf } from "./integration/typed-calls.ts";
export type { AgentMetrics, ResourceContention, TaskExecutionMetrics } from "./monitors/metrics.ts";
// Replaceable parts
export { criticalPathScheduler, fifoScheduler, priorityScheduler } from "./planning/ranks.ts";
export { type BuiltinResourceManagerOptions, builtinResourceManager } from "./resources/identify.ts";
export type { ResourceRule } from "./resources/resource-types.ts";
// Stores
export { memoryStore } from "./stores/memory/index.ts";
export { type SqliteStoreOptions, sqliteStore } from "./stores/sqlite/index.ts";
