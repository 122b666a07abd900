/** A task's row ↔ the values of its columns, in the order of sql/rows.ts. */
import type { SQLInputValue, SQLOutputValue } from "node:sqlite";
import type { ClaimCache, Mode, ResolvedClaim, WatchMode } from "../../core/claims.ts";
import { LockyardError } from "../../core/errors.ts";
import { gateOf, type NewRow, type OrphanPolicy, type TaskRow } from "../../core/row.ts";
import type { HolderKind, TaskStatus } from "../../core/task.ts";
import { FIXED_COUNT } from "./sql/rows.ts";
import type { Values } from "./statements.ts";

/** Columns of what may change. */
export function stateOf(row: TaskRow): SQLInputValue[] {
  return [
    row.ownerId,
    row.status,
    row.rank,
    row.holdsLimits ? 1 : 0,
    row.holdsClaims ? 1 : 0,
    row.watch,
    row.watchMode,
    row.delegateOf,
    row.passed,
    row.reserved ? 1 : 0,
    row.fence,
    row.members === null ? "" : JSON.stringify(row.members),
    row.stop,
    row.quarantined ? 1 : 0,
    row.waitingSinceMs,
    row.watchSinceMs,
    row.lockWaitMs,
    row.admittedAtMs,
    row.dueAtMs,
    row.leaseMs,
  ];
}

/** Columns of what never changes. */
export function fixedOf(row: TaskRow): SQLInputValue[] {
  return [
    row.key,
    row.workflowId,
    row.taskId,
    row.agentId,
    row.kind,
    row.wants,
    row.parentKey,
    listText(row.ancestors),
    row.holderKey,
    row.holder,
    claimsText(row.claims),
    listText(row.limits),
    row.gate,
    row.queueTimeoutMs,
    row.orphan,
    row.placeKey,
    row.label,
    row.submittedAtMs,
  ];
}

/** Throws INVALID_CONTEXT for what is not plain JSON. */
export function payloadText(payload: unknown): string {
  try {
    return payload === undefined ? "" : (JSON.stringify(payload) ?? "");
  } catch (cause) {
    throw new LockyardError("INVALID_CONTEXT", "The task cannot be kept in a shared store: it is not plain JSON.", {
      hint: "Hand over data without cycles, BigInt and functions.",
      cause,
    });
  }
}

export function parsePayload(text: string): unknown {
  return text === "" ? undefined : JSON.parse(text);
}

/** Empty lists are empty text: what has no ancestors is left out of an index by it, and nothing is parsed. */
function listText(list: readonly unknown[]): string {
  return list.length === 0 ? "" : JSON.stringify(list);
}

export function claimsText(claims: readonly ResolvedClaim[]): string {
  return listText(claims.map((claim) => [claim.node, claim.mode, claim.units]));
}

function parseClaims(text: string, cache: ClaimCache): readonly ResolvedClaim[] {
  if (text === "") return NOTHING;
  const stored = JSON.parse(text) as readonly [string, Mode, number][]; // as claimsText wrote it
  return stored.map(([node, mode, units]) => cache.get(node, mode, units));
}

const NOTHING: readonly never[] = [];

function parseList<T>(value: SQLOutputValue | undefined): readonly T[] {
  return value === "" ? NOTHING : JSON.parse(String(value));
}

/** `loadPayload` is asked when somebody first looks at the payload: it may be large, and no decision needs it. */
export function rowOf(values: Values, cache: ClaimCache, loadPayload: (key: number) => unknown): TaskRow {
  const at = (index: number) => Number(values[index]);
  const text = (index: number) => String(values[index]);
  const state = FIXED_COUNT;
  const members = text(state + 11);
  // What a newer program wrote is kept as it is: an unknown status or mode counts as held everywhere.
  return {
    key: at(0),
    workflowId: text(1),
    taskId: text(2),
    agentId: text(3),
    kind: text(4) as TaskRow["kind"],
    wants: text(5) as TaskRow["wants"],
    parentKey: at(6),
    ancestors: parseList<number>(values[7]),
    holderKey: at(8),
    holder: text(9) as HolderKind,
    claims: parseClaims(text(10), cache),
    limits: parseList<string>(values[11]),
    gate: text(12),
    queueTimeoutMs: at(13),
    orphan: text(14) as OrphanPolicy,
    placeKey: text(15),
    label: text(16),
    submittedAtMs: at(17),
    ownerId: text(state),
    status: text(state + 1) as TaskStatus,
    rank: at(state + 2),
    holdsLimits: values[state + 3] === 1,
    holdsClaims: values[state + 4] === 1,
    watch: text(state + 5),
    watchMode: at(state + 6) as WatchMode | 0,
    delegateOf: text(state + 7),
    passed: at(state + 8),
    reserved: values[state + 9] === 1,
    fence: at(state + 10),
    members: members === "" ? null : (JSON.parse(members) as Record<string, readonly string[]>),
    stop: text(state + 12) as TaskRow["stop"],
    quarantined: values[state + 13] === 1,
    waitingSinceMs: at(state + 14),
    watchSinceMs: at(state + 15),
    lockWaitMs: at(state + 16),
    admittedAtMs: at(state + 17),
    dueAtMs: at(state + 18),
    leaseMs: at(state + 19),
    get payload(): unknown {
      const value = loadPayload(this.key);
      Object.defineProperty(this, "payload", { value, enumerable: true });
      return value;
    },
  };
}

/** A row as it is submitted: it watches nothing yet. */
export function freshRow(row: NewRow, key: number, nowMs: number): TaskRow {
  return {
    key,
    workflowId: row.workflowId,
    taskId: row.taskId,
    agentId: row.agentId,
    ownerId: row.ownerId,
    kind: row.kind,
    wants: row.wants,
    parentKey: row.parentKey,
    ancestors: row.ancestors,
    holderKey: row.kind === "request" ? row.parentKey : key,
    holder: row.holder,
    status: row.status,
    rank: row.rank,
    claims: row.claims,
    limits: row.limits,
    gate: gateOf(row),
    holdsLimits: false,
    holdsClaims: false,
    watch: "",
    watchMode: 0,
    delegateOf: "",
    passed: 0,
    reserved: false,
    fence: 0,
    members: null,
    stop: "",
    quarantined: false,
    queueTimeoutMs: row.queueTimeoutMs,
    orphan: row.orphan,
    placeKey: row.placeKey,
    label: row.label,
    submittedAtMs: nowMs,
    waitingSinceMs: nowMs,
    watchSinceMs: 0,
    lockWaitMs: 0,
    admittedAtMs: 0,
    dueAtMs: row.status === "waiting" && row.queueTimeoutMs > 0 ? nowMs + row.queueTimeoutMs : 0,
    leaseMs: row.leaseMs ?? 0,
    payload: row.payload,
  };
}
