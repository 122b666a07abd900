/** Rows for tests: whole, with what matters named by the test. */

import type { Owner } from "../core/command.ts";
import type { NewRow, TaskRow } from "../core/row.ts";

export function newRow(over: Partial<NewRow> = {}): NewRow {
  return {
    workflowId: "workflow",
    taskId: "task",
    agentId: "agent_1",
    ownerId: "alpha",
    kind: "task",
    wants: "locks",
    parentKey: 0,
    ancestors: [],
    holder: "in-process",
    status: "waiting",
    rank: 0,
    claims: [],
    limits: [],
    queueTimeoutMs: 0,
    orphan: "fail",
    placeKey: "",
    label: "a task",
    payload: null,
    ...over,
  };
}

export function newOwner(over: Partial<Owner> = {}): Owner {
  return {
    ownerId: "alpha",
    pid: 1,
    startTime: 0,
    bootId: "",
    pidNamespace: "",
    machine: "here",
    label: "test",
    beatAtMs: 0,
    ...over,
  };
}

/** The fields of a row that every ledger keeps, without what one of them adds. */
export function plainRow(row: TaskRow): Readonly<Record<keyof TaskRow, unknown>> {
  return {
    key: row.key,
    workflowId: row.workflowId,
    taskId: row.taskId,
    agentId: row.agentId,
    ownerId: row.ownerId,
    kind: row.kind,
    wants: row.wants,
    parentKey: row.parentKey,
    ancestors: [...row.ancestors],
    holderKey: row.holderKey,
    holder: row.holder,
    status: row.status,
    rank: row.rank,
    claims: row.claims.map((claim) => ({ ...claim })),
    limits: [...row.limits],
    gate: row.gate,
    holdsLimits: row.holdsLimits,
    holdsClaims: row.holdsClaims,
    watch: row.watch,
    watchMode: row.watchMode,
    delegateOf: row.delegateOf,
    passed: row.passed,
    reserved: row.reserved,
    fence: row.fence,
    members: row.members === null ? null : { ...row.members },
    stop: row.stop,
    quarantined: row.quarantined,
    queueTimeoutMs: row.queueTimeoutMs,
    orphan: row.orphan,
    placeKey: row.placeKey,
    label: row.label,
    submittedAtMs: row.submittedAtMs,
    waitingSinceMs: row.waitingSinceMs,
    watchSinceMs: row.watchSinceMs,
    lockWaitMs: row.lockWaitMs,
    admittedAtMs: row.admittedAtMs,
    dueAtMs: row.dueAtMs,
    leaseMs: row.leaseMs,
    payload: row.payload,
  };
}
