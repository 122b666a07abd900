/**
 * A row of the memory store. What never changes stays in the `NewRow` it was submitted with; what rarely changes stands in
 * one shared object until it does. A million rows wait in memory: every field counts.
 */
import type { ResolvedClaim, WatchMode } from "../../core/claims.ts";
import type { Blocker } from "../../core/command.ts";
import { gateOf, type NewRow, type OrphanPolicy, type TaskRow } from "../../core/row.ts";
import type { HolderKind, TaskStatus } from "../../core/task.ts";

interface Rare {
  readonly ownerId: string | null;
  readonly delegateOf: string;
  readonly passed: number;
  readonly reserved: boolean;
  /** What it claims by now; null while that is what it was submitted with. */
  readonly claims: readonly ResolvedClaim[] | null;
  readonly members: TaskRow["members"];
  readonly heldUnits: Readonly<Record<string, number>> | null;
  readonly stop: TaskRow["stop"];
  readonly quarantined: boolean;
  /** Null: as it was submitted with. */
  readonly leaseMs: number | null;
}

const USUAL: Rare = {
  ownerId: null,
  delegateOf: "",
  passed: 0,
  reserved: false,
  claims: null,
  members: null,
  heldUnits: null,
  stop: "",
  quarantined: false,
  leaseMs: null,
};

/** What a turn can change in a row, as it was before the turn. */
export interface RowImage {
  readonly rare: Rare;
  readonly status: TaskStatus;
  readonly rank: number;
  readonly holdsLimits: boolean;
  readonly holdsClaims: boolean;
  readonly watch: string;
  readonly watchMode: WatchMode | 0;
  readonly fence: number;
  readonly waitingSinceMs: number;
  readonly watchSinceMs: number;
  readonly lockWaitMs: number;
  readonly admittedAtMs: number;
  readonly dueAtMs: number;
}

export class MemoryRow implements TaskRow {
  readonly init: NewRow;
  readonly key: number;
  readonly gate: string;
  status: TaskStatus;
  rank: number;
  holdsLimits = false;
  holdsClaims = false;
  watch = "";
  watchMode: WatchMode | 0 = 0;
  fence = 0;
  readonly submittedAtMs: number;
  waitingSinceMs: number;
  watchSinceMs = 0;
  lockWaitMs = 0;
  admittedAtMs = 0;
  dueAtMs: number;
  #rare: Rare = USUAL;

  /** The line it stands in. */
  linedAt = "";
  linedMode: WatchMode | 0 = 0;
  /** The time it was put on the heap of due rows with. */
  heapedAtMs = 0;
  /** The turn in which its image was last kept. */
  editedIn: number;

  constructor(init: NewRow, born: { readonly key: number; readonly nowMs: number; readonly turn: number }) {
    this.init = init;
    this.key = born.key;
    this.gate = gateOf(init);
    this.status = init.status;
    this.rank = init.rank;
    this.submittedAtMs = born.nowMs;
    this.waitingSinceMs = born.nowMs;
    this.dueAtMs = init.status === "waiting" && init.queueTimeoutMs > 0 ? born.nowMs + init.queueTimeoutMs : 0;
    this.editedIn = born.turn;
  }

  get workflowId(): string {
    return this.init.workflowId;
  }
  get taskId(): string {
    return this.init.taskId;
  }
  get agentId(): string {
    return this.init.agentId;
  }
  get kind(): "task" | "request" {
    return this.init.kind;
  }
  get wants(): "locks" | "slot" {
    return this.init.wants;
  }
  get parentKey(): number {
    return this.init.parentKey;
  }
  get ancestors(): readonly number[] {
    return this.init.ancestors;
  }
  get holderKey(): number {
    return this.init.kind === "request" ? this.init.parentKey : this.key;
  }
  get holder(): HolderKind {
    return this.init.holder;
  }
  get claims(): readonly ResolvedClaim[] {
    return this.#rare.claims ?? this.init.claims;
  }
  set claims(claims: readonly ResolvedClaim[]) {
    this.#rare = { ...this.#rare, claims };
  }
  get limits(): readonly string[] {
    return this.init.limits;
  }
  get queueTimeoutMs(): number {
    return this.init.queueTimeoutMs;
  }
  get orphan(): OrphanPolicy {
    return this.init.orphan;
  }
  get placeKey(): string {
    return this.init.placeKey;
  }
  get label(): string {
    return this.init.label;
  }
  get payload(): unknown {
    return this.init.payload;
  }

  get ownerId(): string {
    return this.#rare.ownerId ?? this.init.ownerId;
  }
  set ownerId(ownerId: string) {
    this.#rare = { ...this.#rare, ownerId };
  }
  get delegateOf(): string {
    return this.#rare.delegateOf;
  }
  set delegateOf(delegateOf: string) {
    if (delegateOf !== this.#rare.delegateOf) this.#rare = { ...this.#rare, delegateOf };
  }
  get passed(): number {
    return this.#rare.passed;
  }
  set passed(passed: number) {
    this.#rare = { ...this.#rare, passed };
  }
  get reserved(): boolean {
    return this.#rare.reserved;
  }
  set reserved(reserved: boolean) {
    if (reserved !== this.#rare.reserved) this.#rare = { ...this.#rare, reserved };
  }
  /** Pool members it got, by node. */
  get members(): TaskRow["members"] {
    return this.#rare.members;
  }
  set members(members: TaskRow["members"]) {
    if (members !== this.#rare.members) this.#rare = { ...this.#rare, members };
  }
  /** Units taken from each capacity, when it has any. */
  get heldUnits(): Rare["heldUnits"] {
    return this.#rare.heldUnits;
  }
  set heldUnits(heldUnits: Rare["heldUnits"]) {
    if (heldUnits !== this.#rare.heldUnits) this.#rare = { ...this.#rare, heldUnits };
  }
  get leaseMs(): number {
    return this.#rare.leaseMs ?? this.init.leaseMs ?? 0;
  }
  set leaseMs(leaseMs: number) {
    this.#rare = { ...this.#rare, leaseMs };
  }
  get stop(): TaskRow["stop"] {
    return this.#rare.stop;
  }
  set stop(stop: TaskRow["stop"]) {
    if (stop !== this.#rare.stop) this.#rare = { ...this.#rare, stop };
  }
  get quarantined(): boolean {
    return this.#rare.quarantined;
  }
  set quarantined(quarantined: boolean) {
    if (quarantined !== this.#rare.quarantined) this.#rare = { ...this.#rare, quarantined };
  }

  image(): RowImage {
    const { status, rank, holdsLimits, holdsClaims, watch, watchMode, fence, waitingSinceMs, watchSinceMs } = this;
    const { lockWaitMs, admittedAtMs, dueAtMs } = this;
    return {
      rare: this.#rare,
      status,
      rank,
      holdsLimits,
      holdsClaims,
      watch,
      watchMode,
      fence,
      waitingSinceMs,
      watchSinceMs,
      lockWaitMs,
      admittedAtMs,
      dueAtMs,
    };
  }

  /** Back to an image, and out of every index. */
  restore({ rare, ...rest }: RowImage): void {
    this.#rare = rare;
    Object.assign(this, rest);
  }
}

/** A row that holds a claim, as the holder under whose name it stands. */
export function blockerOf(row: MemoryRow, holder: MemoryRow, { node, mode, units }: ResolvedClaim): Blocker {
  return {
    key: holder.key,
    workflowId: holder.workflowId,
    taskId: holder.taskId,
    label: holder.label,
    node,
    mode,
    units: row.heldUnits?.[node] ?? units,
    holder: holder.holder,
    sinceMs: holder.admittedAtMs,
    quarantined: holder.quarantined,
  };
}
