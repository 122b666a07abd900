/**
 * The ledger over maps: rows are objects, every index is derived from them and can be rebuilt from them.
 *
 * Undo: `edit` keeps a row as it was before the turn. When an invariant fails, rows and counters go back to what they were
 * and all indexes are built anew; a commit only forgets the images.
 */
import { EXCLUSIVE, locksConflict, type ResolvedClaim, SHARED, UNITS } from "../../core/claims.ts";
import type { Blocker, Counter, Owner } from "../../core/command.ts";
import type { CarryEntry, Ledger, Line, Place } from "../../core/ledger.ts";
import { isFinal, type NewRow, type TaskRow } from "../../core/row.ts";
import { CounterTable } from "./counter-table.ts";
import { DueHeap } from "./due-heap.ts";
import { blockerOf, MemoryRow, type RowImage } from "./memory-row.ts";
import { NodeTable } from "./node-table.ts";
import { PassedRows } from "./passed-rows.ts";
import { RowPages } from "./row-pages.ts";
import { UndoableMap } from "./undoable-map.ts";

const NONE: readonly never[] = [];
const PLACES_KEPT = 10_000;

type Meta = { key: number; fence: number; nowMs: number; carry: readonly CarryEntry[] };

export class MapLedger implements Ledger {
  readonly #rows = new RowPages();
  /**
   * Rows by workflow and task id. While one owner has the store to itself, those are left out whose ids it says it gives
   * once: a million entries would be dead weight.
   */
  readonly #ids = new Map<string, Map<string, MemoryRow>>();
  #isAlone = false;
  readonly #counters = new CounterTable();
  #nodes = new NodeTable();
  #due = new DueHeap();
  readonly #passed = new PassedRows();
  readonly #inside = new Set<MemoryRow>();
  readonly #holding = new Set<MemoryRow>();
  readonly #requests = new Map<number, Set<MemoryRow>>();
  readonly #owners = new UndoableMap<Owner>();
  readonly #places = new UndoableMap<Place>();
  readonly notes = new UndoableMap<unknown>();
  #meta: Meta;
  #metaImage: Meta;
  #turn = 1;
  #images: { readonly row: MemoryRow; readonly image: RowImage | null }[] = [];

  /** The row edited last: when an invariant breaks, most likely over this one. 0 for none in this turn. */
  editedKey = 0;

  /** `firstFence`: wall time in microseconds, so that fences grow over restarts too (L6). */
  constructor(firstFence = 0) {
    this.#meta = { key: 0, fence: firstFence, nowMs: 0, carry: NONE };
    this.#metaImage = { ...this.#meta };
  }

  insert(newRow: NewRow, key: number, nowMs: number): TaskRow | undefined {
    if (this.#ids.size > 0 && this.#ids.get(newRow.workflowId)?.has(newRow.taskId)) return undefined;
    const row = new MemoryRow(newRow, { key, nowMs, turn: this.#turn });
    this.#images.push({ row, image: null });
    this.#rows.add(row);
    this.#addId(row);
    if (row.kind === "request") this.#addRequest(row);
    this.#index(row);
    return row;
  }

  #addId(row: MemoryRow): void {
    if (this.#isAlone && row.init.isIdUnique === true) return;
    const ids = this.#ids.get(row.workflowId);
    if (ids === undefined) this.#ids.set(row.workflowId, new Map([[row.taskId, row]]));
    else ids.set(row.taskId, row);
  }

  #addRequest(row: MemoryRow): void {
    const requests = this.#requests.get(row.parentKey);
    if (requests === undefined) this.#requests.set(row.parentKey, new Set([row]));
    else requests.add(row);
  }

  get(key: number): TaskRow | undefined {
    return this.#rows.get(key);
  }

  find(workflowId: string, taskId: string): TaskRow | undefined {
    const row = this.#ids.get(workflowId)?.get(taskId);
    if (row !== undefined || !this.#isAlone) return row;
    for (const row of this.#rows.after(0)) if (row.workflowId === workflowId && row.taskId === taskId) return row;
    return undefined;
  }

  edit(given: TaskRow): void {
    const row = given as MemoryRow; // every row handed out is one
    this.editedKey = row.key;
    if (row.editedIn === this.#turn) return;
    row.editedIn = this.#turn;
    this.#images.push({ row, image: row.image() });
  }

  put(given: TaskRow): void {
    const row = given as MemoryRow; // every row handed out is one
    this.#index(row);
    if (isFinal(row.status)) this.#remove(row);
  }

  /** Brings every index in step with the row. */
  #index(row: MemoryRow): void {
    if (row.watch !== row.linedAt || row.watchMode !== row.linedMode) {
      if (row.linedMode !== 0) this.#nodes.unwatch(row, row.linedAt, row.linedMode);
      row.linedAt = row.watch;
      row.linedMode = row.watchMode;
      if (row.watchMode !== 0) this.#nodes.watch(row);
      if (row.ancestors.length > 0) {
        if (row.watchMode !== 0) this.#inside.add(row);
        else this.#inside.delete(row);
      }
    }
    if (row.dueAtMs !== row.heapedAtMs) {
      row.heapedAtMs = row.dueAtMs;
      if (row.dueAtMs > 0) this.#due.add(row);
    }
    this.#passed.index(row);
  }

  #remove(row: MemoryRow): void {
    this.#rows.delete(row);
    const ids = this.#ids.size === 0 ? undefined : this.#ids.get(row.workflowId);
    if (ids?.get(row.taskId) === row) ids.delete(row.taskId);
    if (ids?.size === 0) this.#ids.delete(row.workflowId);
    this.#passed.delete(row);
    const requests = this.#requests.get(row.parentKey);
    if (requests?.delete(row) && requests.size === 0) this.#requests.delete(row.parentKey);
  }

  nextKey(): number {
    return ++this.#meta.key;
  }

  nextFence(): number {
    return ++this.#meta.fence;
  }

  requestsOf(holderKey: number): readonly TaskRow[] {
    const requests = this.#requests.get(holderKey);
    return requests === undefined ? NONE : [...requests].sort((a, b) => a.key - b.key);
  }

  waitingInside(): readonly TaskRow[] {
    return this.#inside.size === 0 ? NONE : [...this.#inside].sort((a, b) => a.key - b.key);
  }

  rowsOf(ownerId: string, limit: number, afterKey: number): readonly TaskRow[] {
    const rows: TaskRow[] = [];
    for (const row of this.#rows.after(afterKey)) {
      if (row.ownerId !== ownerId) continue;
      rows.push(row);
      if (rows.length === limit) break;
    }
    return rows;
  }

  hold(given: TaskRow): void {
    const row = given as MemoryRow; // every row handed out is one
    for (const claim of row.claims) if (claim.mode === SHARED || claim.mode === EXCLUSIVE) this.#nodes.count(claim, 1);
    this.#counters.hold(row);
    this.#holding.add(row);
  }

  drop(given: TaskRow): void {
    const row = given as MemoryRow; // every row handed out is one
    for (const claim of row.claims) if (claim.mode === SHARED || claim.mode === EXCLUSIVE) this.#nodes.count(claim, -1);
    this.#counters.drop(row);
    this.#holding.delete(row);
  }

  reclaim(row: TaskRow, claims: readonly ResolvedClaim[]): void {
    (row as MemoryRow).claims = claims; // every row handed out is one
  }

  conflict(claim: ResolvedClaim, except: readonly number[]): string | null {
    return this.#nodes.conflict(claim, except.length === 0 ? NONE : this.#claimsHeldUnder(except));
  }

  #claimsHeldUnder(holderKeys: readonly number[]): ResolvedClaim[] {
    const claims: ResolvedClaim[] = [];
    for (const key of holderKeys) {
      const holder = this.#rows.get(key);
      if (holder?.holdsClaims) claims.push(...holder.claims);
      for (const request of this.#requests.get(key) ?? []) if (request.holdsClaims) claims.push(...request.claims);
    }
    return claims;
  }

  holders(claim: ResolvedClaim, except: readonly number[], limit: number): readonly Blocker[] {
    const rows =
      claim.mode === UNITS ? this.#counters.holders(claim.node) : [...this.#holding].sort((a, b) => a.key - b.key);
    const blockers: Blocker[] = [];
    for (const row of rows) {
      if (blockers.length === limit) break;
      if (except.includes(row.holderKey)) continue;
      const held = row.claims.find((other) =>
        claim.mode === UNITS ? other.node === claim.node : locksConflict(other, claim),
      );
      if (held !== undefined) blockers.push(blockerOf(row, this.#rows.get(row.holderKey) ?? row, held));
    }
    return blockers;
  }

  unitsHeld(node: string, row: TaskRow): number {
    return this.#counters.unitsHeld(node, row as MemoryRow); // every row handed out is one
  }

  heldInside(node: string, holderKey: number): readonly TaskRow[] {
    return this.#counters.heldInside(node, holderKey);
  }

  takeOver(row: TaskRow, node: string): boolean {
    return this.#counters.takeOver(row as MemoryRow, node); // every row handed out is one
  }

  counter(node: string): Counter | undefined {
    return this.#counters.get(node);
  }

  putCounter(counter: Counter): void {
    this.#counters.put(counter);
  }

  countersDeclaredBy(by: string): readonly Counter[] {
    return this.#counters.declaredBy(by);
  }

  head(line: Line, afterRank: number, afterKey: number): TaskRow | undefined {
    return this.#nodes.head(line, afterRank, afterKey);
  }

  first(node: string): TaskRow | undefined {
    return this.#nodes.first(node);
  }

  hasWaiting(): boolean {
    return this.#nodes.waiting > 0;
  }

  lines(nodes: Iterable<string>): readonly Line[] {
    const lines: Line[] = [];
    for (const node of nodes) for (const line of this.#nodes.linesAt(node)) lines.push(line);
    return lines;
  }

  heads(claim: ResolvedClaim): readonly TaskRow[] {
    return this.#nodes.heads(claim);
  }

  reservations(): readonly TaskRow[] {
    return this.#passed.reservations;
  }

  nextToReserve(): TaskRow | undefined {
    return this.#passed.next();
  }

  carry(): readonly CarryEntry[] {
    return this.#meta.carry;
  }

  setCarry(entries: readonly CarryEntry[]): void {
    this.#meta.carry = entries;
  }

  place(placeKey: string): Place | undefined {
    return this.#places.get(placeKey);
  }

  putPlace(place: Place): void {
    if (this.#places.size >= PLACES_KEPT) this.#places.forget(({ untilMs }) => untilMs < this.#meta.nowMs);
    this.#places.set(place.placeKey, place);
  }

  dropPlace(placeKey: string): void {
    this.#places.delete(placeKey);
  }

  dueRows(nowMs: number, limit: number): readonly TaskRow[] {
    return this.#due.due(nowMs, limit);
  }

  dueCounters(nowMs: number): readonly Counter[] {
    return this.#counters.due(nowMs);
  }

  nextDueAtMs(): number {
    const row = this.#due.nextMs();
    const counter = this.#counters.nextDueMs();
    return row === 0 || (counter !== 0 && counter < row) ? counter : row;
  }

  lastNowMs(): number {
    return this.#meta.nowMs;
  }

  setLastNowMs(nowMs: number): void {
    this.#meta.nowMs = nowMs;
  }

  owner(ownerId: string): Owner | undefined {
    return this.#owners.get(ownerId);
  }

  putOwner(owner: Owner): void {
    this.#owners.set(owner.ownerId, owner);
    const wasAlone = this.#isAlone;
    this.#isAlone = this.#owners.size === 1;
    if (wasAlone && !this.#isAlone) for (const row of this.#rows.after(0)) this.#addId(row);
  }

  dropOwner(ownerId: string): void {
    this.#owners.delete(ownerId);
  }

  /** The memory store keeps no results: whoever submitted has them. */
  putResult(): void {}

  forget(row: TaskRow): void {
    this.edit(row);
    this.#remove(row as MemoryRow); // every row handed out is one
  }

  putNote(topic: string, note: unknown): void {
    if (note === null) this.notes.delete(topic);
    else this.notes.set(topic, note);
  }

  rows(): Iterable<MemoryRow> {
    return this.#rows.after(0);
  }

  counters(): Iterable<Counter> {
    return this.#counters;
  }

  owners(): IterableIterator<Owner> {
    return this.#owners.values();
  }

  /** Watchers of a node in rank order. */
  watchers(node: string, limit: number): TaskRow[] {
    return this.#nodes.watchers(node, limit);
  }

  /** Watchers of the same node before this one. */
  position(row: TaskRow): number {
    return this.#nodes.position(row);
  }

  commit(): void {
    this.#turn++;
    this.editedKey = 0;
    if (this.#images.length > 0) this.#images = [];
    for (const part of [this.#counters, this.#owners, this.#places, this.notes]) part.commit();
    this.#metaImage = { ...this.#meta };
  }

  /** Back to before the turn. */
  undo(): void {
    for (const { row, image } of this.#images.reverse()) {
      this.#rows.delete(row);
      if (image === null) continue;
      row.restore(image);
      this.#rows.add(row);
    }
    this.#images = [];
    this.#turn++;
    this.#meta = { ...this.#metaImage };
    for (const part of [this.#counters, this.#owners, this.#places, this.notes]) part.undo();
    this.#rebuild();
  }

  #rebuild(): void {
    this.#nodes = new NodeTable();
    this.#due = new DueHeap();
    for (const index of [this.#passed, this.#inside, this.#holding, this.#requests, this.#ids]) index.clear();
    this.#isAlone = this.#owners.size === 1;
    const rows = [...this.#rows.after(0)].sort((a, b) => a.key - b.key);
    this.#rows.clear();
    for (const row of rows) {
      this.#rows.add(row);
      this.#addId(row);
      if (row.kind === "request") this.#addRequest(row);
      row.linedAt = "";
      row.linedMode = 0;
      row.heapedAtMs = 0;
      this.#index(row);
      if (row.holdsClaims) this.hold(row);
    }
    this.#counters.commit();
  }
}
