/** The only file that knows every part: options become wired parts, defaults are chosen here and nowhere else. */
import { availableParallelism, hostname } from "node:os";
import { randomId } from "./clock/random-id.ts";
import { systemClock } from "./clock/system-clock.ts";
import type { Agents } from "./core/agent-types.ts";
import { DEFAULTS } from "./core/bounds.ts";
import { type DeclaredResource, declareCommands, declareResources, type ResourceDeclaration } from "./core/declared.ts";
import { errorCode, type Fault, LockyardError } from "./core/errors.ts";
import { workspaceId } from "./core/names.ts";
import { resourceId } from "./core/paths.ts";
import type {
  Clock,
  ErrorHandler,
  Logger,
  Monitor,
  ProgressTracker,
  QuarantinePolicy,
  ResourceManager,
  Scheduler,
  Store,
  StoreDescriptor,
} from "./core/ports.ts";
import { suggest } from "./core/suggest.ts";
import type { AgentTask, TaskGroup } from "./core/task.ts";
import { readToken } from "./core/token.ts";
import { TaskManager } from "./engine/parallel-task-manager.ts";
import type { Budget, ManagerParts, OwnerDescription } from "./engine/parts.ts";
import { idFault } from "./engine/task-call.ts";
import { checkedSlots } from "./engine/task-engine.ts";
import { IntegrationLayer } from "./integration/mcp-integration-layer.ts";
import { defaultErrorHandler } from "./monitors/error-handler.ts";
import { ndjsonLogger, noLogger, parseLogLevel } from "./monitors/log.ts";
import { Metrics, type TaskExecutionMetrics } from "./monitors/metrics.ts";
import { defaultProgressTracker } from "./monitors/progress-tracker.ts";
import { retryDelayMs } from "./monitors/retry.ts";
import { priorityScheduler, schedulerNamed } from "./planning/ranks.ts";
import type { OwnerJudge } from "./process/owner-judge.ts";
import { groupOf } from "./resources/groups.ts";
import { builtinResourceManager } from "./resources/identify.ts";
import { observe } from "./resources/observe.ts";
import { poolsOf } from "./resources/pools.ts";
import { realRoot } from "./resources/real-path.ts";
import { resolveClaims, resolveContext } from "./resources/resolve.ts";
import { stateDirectory } from "./resources/state-directory.ts";
import { memoryStore } from "./stores/memory/index.ts";

/** Every option may be left out. */
export interface ParallelTaskManagerOptions<Given extends Agents = Agents> {
  /** One execution of a set of tasks; default a new id. */
  readonly workflowId?: string;
  /** Tasks that may run at once; default 10, changed while running by `configure`. */
  readonly maxConcurrentTasks?: number;
  readonly agents?: Given;
  /** Default memory: locks reach this process only. `sqliteStore()` shares them with the machine. */
  readonly store?: StoreDescriptor;
  /** Capacities, pools and rates for `use`: `{ build: { capacity: 2 }, port: { pool: "3000-3009" } }`. */
  readonly resources?: Readonly<Record<string, ResourceDeclaration>>;
  /** Limits of everything this manager runs; a breach pauses. */
  readonly limits?: Budget;
  /** `"fifo"`, `"priority"` (default), `"critical-path"`, or your own. */
  readonly scheduler?: Scheduler | string;
  readonly resourceManager?: ResourceManager;
  readonly progressTracker?: ProgressTracker;
  readonly monitor?: Monitor;
  readonly errorHandler?: ErrorHandler;
  readonly clock?: Clock;
  /** Default: lines of JSON on standard error at the level in LOCKYARD_LOG, or nothing. */
  readonly logger?: Logger;
  /** Directory that relative paths in claims lie below; default the working directory. */
  readonly root?: string;
  /** Milliseconds an instance has to stop after its signal was aborted; default 5,000. */
  readonly graceMs?: number;
  /** What tasks do behind one that could not be stopped: `"wait"` (default), `"skip"`, or `{ takeAfterMs }`. */
  readonly onQuarantine?: QuarantinePolicy;
  /** Share of this workflow beside others that wait for the same in a shared store; default 1, twice as much with 2. */
  readonly weight?: number;
}

export interface MCPIntegrationLayerOptions<Given extends Agents = Agents> extends ParallelTaskManagerOptions<Given> {
  /** A manager of your own (a subclass, mostly). It brings its own parts: no other option may be given with it. */
  readonly parallelTaskManager?: ParallelTaskManager;
}

const MANAGER_KEYS = [
  "workflowId",
  "maxConcurrentTasks",
  "agents",
  "store",
  "resources",
  "limits",
  "scheduler",
  "resourceManager",
  "progressTracker",
  "monitor",
  "errorHandler",
  "clock",
  "logger",
  "root",
  "graceMs",
  "onQuarantine",
  "weight",
] as const satisfies readonly (keyof ParallelTaskManagerOptions)[];

/** The parts of one manager, and what the layer above it wants to read. */
export interface ComposedParts extends ManagerParts {
  readonly metrics: Metrics;
}

/**
 * Options → parts. Starts nothing. Throws INVALID_OPTION with every fault. `known` are resources that were read from files
 * already, those that exist from the start among them; they stand instead of the option `resources`.
 */
export function composeParts(
  options: ParallelTaskManagerOptions,
  known?: ReadonlyMap<string, DeclaredResource>,
): ComposedParts {
  checkOptions(options, MANAGER_KEYS);
  const clock = options.clock ?? systemClock();
  const root = realRoot(options.root ?? process.cwd());
  const workspace = workspaceId(root);
  const declared =
    known ?? declareResources(options.resources, { by: "option resources", workspace, cores: availableParallelism() });
  const context = resolveContext({ root, workspace, declared });
  const nameOf = (node: string) => resourceId(node, root);
  const slots = { configured: checkedSlots(options.maxConcurrentTasks ?? DEFAULTS.maxConcurrentTasks) };
  const { scheduler = priorityScheduler } = options;
  return {
    workflowId: options.workflowId ?? randomId("workflow"),
    slots,
    agents: options.agents ?? {},
    budget: options.limits ?? {},
    clock,
    store: options.store === undefined ? memoryStore() : orMemory(options.store),
    scheduler: typeof scheduler === "string" ? schedulerNamed(scheduler) : scheduler,
    resourceManager: options.resourceManager ?? builtinResourceManager(),
    errorHandler: options.errorHandler ?? defaultErrorHandler(clock),
    progressTracker: options.progressTracker ?? defaultProgressTracker(),
    monitor: options.monitor ?? null,
    metrics: new Metrics({ clock, resourceId: nameOf, slots: () => slots.configured }),
    logger: options.logger ?? loggerOf(clock),
    graceMs: options.graceMs ?? DEFAULTS.graceMs,
    onQuarantine: options.onQuarantine,
    weight: options.weight,
    root,
    describeOwner,
    findDeadOwners: deadOwnersFinder(clock),
    standing: { inside: readToken(process.env) },
    declarations: (by) => declareCommands(declared.values(), by),
    isDeclared: (name) => declared.has(name),
    observe,
    pools: (store) => poolsOf(declared.values(), { stateDirectory: stateDirectory(), store: `${hostname()} ${store}` }),
    resolveClaims: (claims) => resolveClaims(claims, context).claims,
    recheckClaims: (claims) => resolveClaims(claims, { ...context, isRecheck: true }).claims,
    resourceId: nameOf,
    groupOf: rememberedGroups(),
    retryDelayMs,
  };
}

/** On a Node whose SQLite processes cannot share, locks reach this process only: said once, on the process's warnings. */
function orMemory(store: StoreDescriptor): StoreDescriptor {
  return {
    open: async (context) => {
      try {
        return await store.open(context);
      } catch (error) {
        if (errorCode(error) !== "NODE_TOO_OLD") throw error;
        const version = process.versions.node;
        const detail = "Needs Node 22.23, 24.15 or 26. Until then locks reach this process only.";
        process.emitWarning(`Lockyard: Node ${version} cannot share a store between processes; using memory.`, {
          code: "LOCKYARD_MEMORY_ONLY",
          detail,
        });
        return memoryStore().open(context);
      }
    },
  };
}

/** Nobody outside this process asks who stands behind a store that ends with it: nothing is loaded for that. */
async function describeOwner(label: string, store: Pick<Store, "scope">): Promise<OwnerDescription> {
  const machine = hostname();
  if (store.scope === "process")
    return { pid: process.pid, startTime: 0, bootId: "", pidNamespace: "", machine, label };
  const { ownIdentity } = await import("./process/identity.ts");
  return { ...ownIdentity(), machine, label };
}

/** One judge a manager, loaded when first asked: it remembers whose remains could not be ended. */
function deadOwnersFinder(clock: Clock): NonNullable<ManagerParts["findDeadOwners"]> {
  let judge: Promise<Pick<OwnerJudge, "findDead">> | null = null;
  return async (owners) => {
    judge ??= import("./process/owner-judge.ts").then(({ OwnerJudge }) => new OwnerJudge({ clock }));
    return (await judge).findDead(owners);
  };
}

/** Tasks come in floods of a few kinds: the group is worked out once for each. */
function rememberedGroups(): (task: AgentTask) => TaskGroup {
  const groups = new Map<string, Map<string, TaskGroup>>();
  return (task) => {
    // What the context names may decide, so a task with one is looked at by itself.
    if (task.contextData !== undefined) return groupOf(task);
    let byType = groups.get(task.agentId);
    const known = byType?.get(task.taskType);
    if (known !== undefined) return known;
    const group = groupOf(task);
    if (groups.size >= DEFAULTS_KEPT) groups.clear();
    if (byType === undefined || byType.size >= DEFAULTS_KEPT) byType = new Map();
    byType.set(task.taskType, group);
    groups.set(task.agentId, byType);
    return group;
  };
}

/** Kinds remembered; when there are more, only time is lost. */
const DEFAULTS_KEPT = 1_000;

function loggerOf(clock: Clock): Logger {
  const level = parseLogLevel(process.env.LOCKYARD_LOG);
  if (level === undefined || level === "silent") return noLogger;
  const now = () => String(clock.wallMs());
  return ndjsonLogger({ level, now, write: (line) => process.stderr.write(`${line}\n`) });
}

function isPolicy(policy: unknown): policy is QuarantinePolicy {
  if (policy === "wait" || policy === "skip") return true;
  const afterMs = typeof policy === "object" && policy !== null && "takeAfterMs" in policy ? policy.takeAfterMs : -1;
  return typeof afterMs === "number" && afterMs >= 0;
}

function checkOptions(options: object, keys: readonly string[]): void {
  const faults: Fault[] = [];
  for (const key of Object.keys(options)) {
    if (keys.includes(key)) continue;
    const near = suggest(key, keys);
    faults.push({
      where: key,
      what: "is not an option",
      hint: near === undefined ? `Options: ${keys.join(", ")}.` : `Did you mean "${near}"?`,
    });
  }
  const { workflowId, graceMs, store, limits, weight, onQuarantine } = options as ParallelTaskManagerOptions;
  const idProblem = workflowId === undefined ? undefined : idFault(workflowId);
  if (idProblem !== undefined) faults.push({ where: "workflowId", what: idProblem });
  if (graceMs !== undefined && !(typeof graceMs === "number" && graceMs >= 0))
    faults.push({ where: "graceMs", what: `is ${String(graceMs)} and must be 0 or more milliseconds` });
  if (weight !== undefined && !(typeof weight === "number" && weight >= 0.01 && weight <= 100))
    faults.push({ where: "weight", what: `is ${String(weight)} and must be from 0.01 to 100` });
  if (onQuarantine !== undefined && !isPolicy(onQuarantine))
    faults.push({
      where: "onQuarantine",
      what: 'must be "wait", "skip" or { takeAfterMs } with 0 or more milliseconds',
    });
  if (store !== undefined && typeof store.open !== "function")
    faults.push({
      where: "store",
      what: "is no store: it has no open()",
      hint: "Pass memoryStore() or sqliteStore().",
    });
  for (const [key, value] of Object.entries(limits ?? {})) {
    if (value !== undefined && !(typeof value === "number" && value >= 0))
      faults.push({ where: `limits.${key}`, what: `is ${String(value)} and must be 0 or more` });
  }
  const first = faults[0];
  if (first === undefined) return;
  const more = faults.length === 1 ? "" : ` (and ${faults.length - 1} more)`;
  throw new LockyardError("INVALID_OPTION", `${first.where} ${first.what}${more}.`, { hint: first.hint, faults });
}

/**
 * Runs tasks in parallel with automatic locks. Subclass it to add claims: override `identifyRequiredResources`. Starts
 * nothing until the first task is handed over. Throws INVALID_OPTION.
 */
export class ParallelTaskManager extends TaskManager {
  /** What the layer reads of its manager. */
  readonly parts: ComposedParts;

  constructor(options: ParallelTaskManagerOptions = {}) {
    const parts = composeParts(options);
    super(parts);
    this.parts = parts;
  }
}

/**
 * Runs task calls on agents. The name is historical: no MCP server is involved. **Its default store is memory, so its locks
 * reach this process only; give it `sqliteStore()` to share them with the machine.** Starts nothing until the first call.
 * Throws INVALID_OPTION with every fault.
 *
 *     await using layer = new MCPIntegrationLayer({ workflowId: "release", maxConcurrentTasks: 8, agents });
 *     const results = await layer.executeMultipleTaskCalls([{ agentId: "reviewer_1", taskType: "review", description: "…" }]);
 */
export class MCPIntegrationLayer<const Given extends Agents = Agents> extends IntegrationLayer<
  Given,
  ParallelTaskManager,
  TaskExecutionMetrics
> {
  constructor(options: MCPIntegrationLayerOptions<Given> = {}) {
    const { parallelTaskManager, ...own } = options;
    if (parallelTaskManager !== undefined && Object.keys(own).length > 0) {
      throw new LockyardError(
        "INVALID_OPTION",
        `parallelTaskManager brings its own parts, and ${Object.keys(own).join(", ")} was given beside it.`,
        {
          hint: "Pass the other options to the manager's constructor.",
        },
      );
    }
    const manager = parallelTaskManager ?? new ParallelTaskManager(own);
    const { clock, metrics, root, resourceId: nameOf } = manager.parts;
    super({ manager, metrics: () => metrics.snapshot(), nowMs: () => clock.nowMs(), root, resourceId: nameOf });
  }
}
