import { BOUNDS } from "../core/bounds.ts";
import type { Counter, Owner } from "../core/command.ts";
import { type Explanation, explain } from "../core/explain.ts";
import type { StoreView } from "../core/ports.ts";
import type { TaskStatus } from "../core/task.ts";

/** What the whole store knows, other processes included. Lists hold the first 100. */
export interface StoreStatus {
  readonly store: {
    readonly kind: string;
    readonly scope: "process" | "machine" | "cluster";
    readonly location: string;
  };
  readonly workflows: readonly { readonly workflowId: string; readonly total: number; readonly live: number }[];
  readonly tasks: readonly {
    readonly workflowId: string;
    readonly taskId: string;
    readonly agentId: string;
    readonly status: TaskStatus;
    readonly ownerId: string;
  }[];
  readonly waiting: readonly Explanation[];
  readonly holds: readonly {
    readonly resourceId: string;
    readonly workflowId: string;
    readonly taskId: string;
    readonly sinceMs: number;
    readonly fence: number;
    readonly quarantined: boolean;
  }[];
  readonly counters: readonly {
    readonly name: string;
    readonly kind: Counter["kind"];
    readonly capacity: number;
    readonly used: number;
  }[];
  readonly owners: readonly Owner[];
}

export interface StoreStatusContext {
  readonly nowMs: number;
  readonly root: string;
  readonly store: StoreStatus["store"];
  readonly resourceId: (node: string) => string;
}

/** One consistent look at the store. */
export function readStoreStatus(view: StoreView, { nowMs, root, store, resourceId }: StoreStatusContext): StoreStatus {
  const limit = BOUNDS.statusRows;
  const rows = view.tasks({ limit }).filter(({ kind }) => kind === "task");
  return {
    store,
    workflows: view.workflows(limit),
    tasks: rows.map(({ workflowId, taskId, agentId, status, ownerId }) => ({
      workflowId,
      taskId,
      agentId,
      status,
      ownerId,
    })),
    waiting: view.tasks({ statuses: ["waiting"], limit }).map((row) => explain(view, row, { nowMs, root })),
    holds: view.holds({ limit }).map(({ row, claim }) => ({
      resourceId: resourceId(claim.node),
      workflowId: row.workflowId,
      taskId: row.taskId,
      sinceMs: Math.max(0, nowMs - row.admittedAtMs),
      fence: row.fence,
      quarantined: row.quarantined,
    })),
    counters: view
      .counters()
      .map(({ node, kind, capacity, used }) => ({ name: resourceId(node), kind, capacity, used })),
    owners: view.owners(),
  };
}
