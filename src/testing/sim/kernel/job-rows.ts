/** The rows that simulated processes submit. */
import { NESTED_RANK } from "../../../core/claims.ts";
import type { NewRow } from "../../../core/row.ts";
import type { Job } from "./job.ts";
import type { Request, RequestAsk } from "./request.ts";

export interface Submitter {
  readonly ownerId: string;
  readonly nowMs: number;
  readonly limits: readonly string[];
}

export function taskRow({ plan, ancestors, parent }: Job, { ownerId, nowMs, limits }: Submitter): NewRow {
  return {
    workflowId: "w",
    taskId: plan.taskId,
    agentId: "writer_1",
    ownerId,
    kind: "task",
    wants: "locks",
    parentKey: parent?.key ?? 0,
    ancestors,
    holder: plan.holder,
    status: plan.blockedMs > 0 ? "blocked" : "waiting",
    rank: nowMs - plan.head,
    claims: plan.claims,
    limits,
    queueTimeoutMs: plan.queueTimeoutMs,
    leaseMs: plan.leaseMs,
    orphan: plan.orphan,
    placeKey: plan.placeKey,
    label: "",
    payload: plan.taskId,
  };
}

export function requestRow({ job, taskId }: Request, ask: RequestAsk, submitter: Submitter): NewRow {
  return {
    ...taskRow(job, submitter),
    taskId,
    kind: "request",
    wants: ask.wantsSlot ? "slot" : "locks",
    parentKey: job.key,
    ancestors: [job.key, ...job.ancestors],
    status: "waiting",
    rank: NESTED_RANK,
    claims: ask.claims,
    limits: ask.wantsSlot ? submitter.limits : [],
    queueTimeoutMs: ask.queueTimeoutMs,
    leaseMs: 0,
    orphan: "fail",
    placeKey: "",
  };
}
