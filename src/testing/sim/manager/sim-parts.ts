/** The production manager and layer, with parts that know no file system and no machine. */
import {
  EXCLUSIVE,
  normaliseClaims,
  RATE,
  type ResolvedClaim,
  resolvedClaim,
  SHARED,
  UNITS,
} from "../../../core/claims.ts";
import type { Command } from "../../../core/command.ts";
import { LockyardError } from "../../../core/errors.ts";
import { resourceId } from "../../../core/paths.ts";
import type { Pool } from "../../../core/pool.ts";
import type { Agent, Clock, Store } from "../../../core/ports.ts";
import type { Claim } from "../../../core/task.ts";
import { TaskManager } from "../../../engine/parallel-task-manager.ts";
import type { Budget, ManagerParts } from "../../../engine/parts.ts";
import { IntegrationLayer } from "../../../integration/mcp-integration-layer.ts";
import { defaultErrorHandler } from "../../../monitors/error-handler.ts";
import { noLogger } from "../../../monitors/log.ts";
import { Metrics, type TaskExecutionMetrics } from "../../../monitors/metrics.ts";
import { defaultProgressTracker } from "../../../monitors/progress-tracker.ts";
import { retryDelayMs } from "../../../monitors/retry.ts";
import { priorityScheduler } from "../../../planning/ranks.ts";

export const BUILD_UNITS = 2;
export const PORTS: readonly string[] = ["3000", "3001", "3002"];
const RATE_INTERVAL_MS = 100;
const RATE_BURST = 2;

const DECLARED: readonly Extract<Command, { readonly type: "declare" }>[] = [
  { type: "declare", node: "c:build", kind: "capacity", capacity: BUILD_UNITS, by: "", authority: false },
  { type: "declare", node: "p:port", kind: "pool", capacity: PORTS.length, by: "", authority: false, members: PORTS },
  {
    type: "declare",
    node: "r:api",
    kind: "rate",
    capacity: RATE_BURST,
    intervalMs: RATE_INTERVAL_MS,
    by: "",
    authority: false,
  },
];
const ROOT = "/p";
const nameOf = (node: string): string => resourceId(node, ROOT);
const USED: ReadonlyMap<string, string> = new Map([
  ["build", "c:build"],
  ["port", "p:port"],
  ["api", "r:api"],
]);

/** The node of a claim as the simulation names it, for the store and for the ghost. */
export function nodeOf(claim: Claim): string {
  if ("write" in claim) return `f:/p/${claim.write}`;
  if ("read" in claim) return `f:/p/${claim.read}`;
  if ("lock" in claim) return `n:w:${claim.lock}`;
  if ("observe" in claim) return `f:/p/${claim.observe}`;
  const node = USED.get(claim.use);
  if (node === undefined) throw new LockyardError("UNKNOWN_RESOURCE", `Nobody declared ${claim.use}.`);
  return node;
}

export function resolve(claims: readonly Claim[]): readonly ResolvedClaim[] {
  const resolved: ResolvedClaim[] = [];
  for (const claim of claims) {
    const node = nodeOf(claim);
    if ("write" in claim) resolved.push(resolvedClaim(node, EXCLUSIVE));
    else if ("read" in claim) resolved.push(resolvedClaim(node, SHARED));
    else if ("lock" in claim) resolved.push(resolvedClaim(node, claim.mode === "shared" ? SHARED : EXCLUSIVE));
    else if ("use" in claim) resolved.push(resolvedClaim(node, node.startsWith("r:") ? RATE : UNITS, claim.units ?? 1));
  }
  return normaliseClaims(resolved);
}

class SimManager extends TaskManager {
  constructor(parts: ManagerParts) {
    super(parts);
  }
}

export type SimLayer = IntegrationLayer<Readonly<Record<string, Agent>>, TaskManager, TaskExecutionMetrics>;

class ProductionLayer extends IntegrationLayer<Readonly<Record<string, Agent>>, TaskManager, TaskExecutionMetrics> {
  constructor(manager: TaskManager, metrics: Metrics, clock: Clock) {
    super({ manager, metrics: () => metrics.snapshot(), nowMs: () => clock.nowMs(), root: ROOT, resourceId: nameOf });
  }
}

export interface SimLayerOptions {
  readonly workflowId: string;
  readonly clock: Clock;
  readonly store: Store;
  readonly agents: Readonly<Record<string, Agent>>;
  readonly slots: number;
  readonly budget: Budget;
  readonly graceMs: number;
  /** Tells its process apart from the others'. */
  readonly pid: number;
  readonly findDeadOwners: NonNullable<ManagerParts["findDeadOwners"]>;
}

/** Nobody else on the simulated machine listens on anything. */
const POOLS: ReadonlyMap<string, Pool> = new Map([
  [
    "p:port",
    {
      name: "port",
      variable: "PORT",
      taken: async () => [],
      open: async (members) => members.map(({ member }) => member),
      close: async () => undefined,
    },
  ],
]);

export function simLayer(options: SimLayerOptions): SimLayer {
  const { workflowId, clock, store, agents, slots, budget, graceMs, pid, findDeadOwners } = options;
  const held = { configured: slots };
  const metrics = new Metrics({ clock, resourceId: nameOf, slots: () => held.configured });
  const parts: ManagerParts = {
    workflowId,
    slots: held,
    agents,
    budget,
    clock,
    store: { open: async () => store },
    scheduler: priorityScheduler,
    resourceManager: { identify: () => [] },
    errorHandler: defaultErrorHandler(clock),
    progressTracker: defaultProgressTracker(),
    monitor: null,
    metrics,
    standing: { inside: null },
    logger: noLogger,
    graceMs,
    describeOwner: (label) => ({ pid, startTime: 1, bootId: "b", pidNamespace: "n", machine: "m", label }),
    findDeadOwners,
    declarations: (by) => DECLARED.map((each) => ({ ...each, by })),
    isDeclared: (name) => USED.has(name),
    observe: async () => async () => ({ changed: [], isWhole: true }),
    pools: () => POOLS,
    resolveClaims: resolve,
    recheckClaims: resolve,
    resourceId: nameOf,
    groupOf: () => "general",
    retryDelayMs,
    root: ROOT,
  };
  return new ProductionLayer(new SimManager(parts), metrics, clock);
}
