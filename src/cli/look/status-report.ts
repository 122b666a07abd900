/** What a store knows now, as data: who runs, who waits and why, who holds what. */
import { LEASE } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { type Explanation, explain, type Owner, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { HolderKind, LiveStatus } from "../../index.ts";
import { type DeclaredRow, declaredRows } from "./declared-rows.ts";
import { isSessionRow, NO_SESSIONS, type Overlap, type SessionRow, type SessionsLook } from "./session-look.ts";
import { pausedBecause, questionOf } from "./workflow-look.ts";

export interface RunningRow {
  readonly workflowId: string;
  readonly taskId: string;
  readonly agentId: string;
  readonly status: LiveStatus;
  readonly forMs: number;
  readonly locks: readonly string[];
  readonly quarantined: boolean;
  /** `run refresh-docs, pid 4121`. */
  readonly owner: string;
  /** What it asks; null when it asks nothing. */
  readonly question: string | null;
}

/** A workflow that starts nothing at present. */
export interface PausedWorkflow {
  readonly workflowId: string;
  readonly tasks: number;
  /** Whether a process stands behind it; without one `resume` starts another. */
  readonly isOwned: boolean;
  readonly reason: string;
}

export interface WaitingRow extends Explanation {
  readonly agentId: string;
  readonly waitingMs: number;
  /** Times others were let past it. */
  readonly passed: number;
}

export interface LockRow {
  readonly resourceId: string;
  readonly mode: "exclusive" | "shared" | "units";
  readonly units: number;
  readonly members: readonly string[];
  readonly workflowId: string;
  readonly taskId: string;
  readonly holder: HolderKind;
  /** How people know the holder; `refresh-docs/report` when it has no other name. */
  readonly label: string;
  readonly isSession: boolean;
  readonly owner: string;
  readonly forMs: number;
  readonly fence: number;
  readonly quarantined: boolean;
}

export interface StatusReport {
  readonly location: string;
  readonly running: readonly RunningRow[];
  readonly waiting: readonly WaitingRow[];
  readonly locks: readonly LockRow[];
  /** Capacities, pools and rates; as `locks`, only when asked for. */
  readonly resources: readonly DeclaredRow[];
  readonly paused: readonly PausedWorkflow[];
  readonly sessions: readonly SessionRow[];
  readonly overlaps: readonly Overlap[];
  /** Of all tasks, listed or not. */
  readonly counts: Readonly<Record<LiveStatus, number>>;
}

export interface ReportContext {
  readonly location: string;
  readonly nowMs: number;
  /** Paths are shown relative to it. */
  readonly root: string;
  readonly withLocks: boolean;
  /** Left out where nobody asks for them. */
  readonly sessions?: SessionsLook;
}

/** Rows listed of each kind; the rest is counted. */
export const LISTED = 100;
/** Locks listed; a few a task. */
const LISTED_LOCKS = 1_000;

const HOLDING: readonly LiveStatus[] = ["ending", "needs_input", "running", "starting"];
const ALL: readonly LiveStatus[] = [...HOLDING, "waiting", "blocked", "retrying", "suspended"];

/** One consistent look. */
export function statusReport(view: StoreView, context: ReportContext): StatusReport {
  const { nowMs, root } = context;
  const owners = ownerNames(view, nowMs);
  const running = view.tasks({ statuses: HOLDING, limit: LISTED }).filter(isTask);
  const waiting = view.tasks({ statuses: ["waiting"], limit: LISTED });
  const { sessions, overlaps, rows: sessionRows } = context.sessions ?? NO_SESSIONS;
  return {
    location: context.location,
    running: running.map((row) => ({
      workflowId: row.workflowId,
      taskId: row.taskId,
      agentId: row.agentId,
      status: row.status as LiveStatus, // asked for by status
      forMs: Math.max(0, nowMs - row.admittedAtMs),
      locks: row.claims.map(({ node }) => resourceId(node, root)),
      quarantined: row.quarantined,
      owner: owners.get(row.ownerId) ?? "",
      question: questionOf(view, row),
    })),
    paused: pausedWorkflows(view),
    sessions,
    overlaps,
    waiting: waiting.map((row) => ({
      ...explain(view, row, { nowMs, root }),
      agentId: row.agentId,
      waitingMs: Math.max(0, nowMs - row.waitingSinceMs),
      passed: row.passed,
    })),
    locks: context.withLocks ? lockRows(view, { nowMs, root, owners }) : [],
    resources: context.withLocks ? declaredRows(view.counters(), root) : [],
    counts: Object.fromEntries(
      ALL.map((status) => {
        const isWaiting = status === "waiting";
        const notTasks = isWaiting ? 0 : sessionRows.filter((row) => row.status === status).length;
        return [status, Math.max(0, view.count({ statuses: [status] }) - notTasks)];
      }),
    ) as StatusReport["counts"], // every live status
  };
}

function pausedWorkflows(view: StoreView): readonly PausedWorkflow[] {
  const byId = new Map<string, TaskRow>();
  for (const row of view.tasks({ statuses: ["suspended"], limit: LISTED }))
    if (!byId.has(row.workflowId)) byId.set(row.workflowId, row);
  return [...byId.values()].map(({ workflowId, ownerId }) => ({
    workflowId,
    tasks: view.count({ workflowId, statuses: ["suspended"] }),
    isOwned: ownerId !== "",
    reason: pausedBecause(view, workflowId) ?? "",
  }));
}

function isTask(row: TaskRow): boolean {
  return row.kind === "task" && !isSessionRow(row);
}

interface LockContext {
  readonly nowMs: number;
  readonly root: string;
  readonly owners: ReadonlyMap<string, string>;
}

/** Holds as people read them. */
export function lockRows(
  view: StoreView,
  { nowMs, root, owners, node }: LockContext & { readonly node?: string },
): readonly LockRow[] {
  return view
    .holds({ limit: LISTED_LOCKS, ...(node === undefined ? {} : { node }) })
    .map(({ row, claim, members }) => ({
      resourceId: resourceId(claim.node, root),
      mode: claim.mode === 1 ? "shared" : claim.mode === 2 ? "exclusive" : "units",
      units: claim.units,
      members,
      workflowId: row.workflowId,
      taskId: row.taskId,
      holder: row.holder,
      label: isSessionRow(row) ? row.label : `${row.workflowId}/${row.taskId}`,
      isSession: isSessionRow(row),
      owner: owners.get(row.ownerId) ?? "",
      forMs: Math.max(0, nowMs - row.admittedAtMs),
      fence: row.fence,
      quarantined: row.quarantined,
    }));
}

/** `run refresh-docs, pid 4121`; one that has not been heard of for longer than its lease says so. */
export function ownerNames(view: StoreView, nowMs: number): ReadonlyMap<string, string> {
  return new Map(view.owners().map((owner) => [owner.ownerId, nameOf(owner, nowMs)]));
}

function nameOf({ label, pid, beatAtMs }: Owner, nowMs: number): string {
  const silence = nowMs - beatAtMs > LEASE.timeToLiveMs ? ", not heard of lately" : "";
  return `${label}, pid ${pid}${silence}`;
}
