/**
 * The ledger: all the kernel knows of a store. Synchronous, and called only inside a turn, which the store makes atomic.
 *
 * Contract, held by testing/ledger-contract on every ledger:
 *  1. A ledger never answers "free" for what it did not look at: every answer covers the whole store.
 *  2. `get` and `head` give the same object for the same key throughout one turn.
 *  3. `edit(row)` comes before a change of that row, `put(row)` after it; between the two only `hold`, `takeOver`, `drop`
 *     and `reclaim` of that row are called. A store can therefore undo a turn.
 *  4. The same calls in the same order give the same answers on every ledger (equal decisions, equal rows).
 *  5. `hold` and `drop` keep the counts of nodes and the `used` of capacities and pools in step. The kernel itself counts
 *     limits and consumes rates (`putCounter`).
 */
import type { ResolvedClaim, WatchMode } from "./claims.ts";
import type { Blocker, Counter, Owner } from "./command.ts";
import type { NewRow, TaskRow } from "./row.ts";

/**
 * A line: those who watch a node in the same mode and must pass the same gates (limits and rates) once it is free. Whoever
 * is first in a line speaks for all behind it, at the node and at the gate.
 */
export interface Line {
  readonly node: string;
  readonly mode: WatchMode;
  /** `row.gate` of everybody in it. */
  readonly gate: string;
}

/** A line whose watchers still have to be tested, and where to go on. */
export interface CarryEntry extends Line {
  /** Watchers up to and including this place have been tested since the node became freer. */
  readonly afterRank: number;
  readonly afterKey: number;
}

export interface Place {
  readonly placeKey: string;
  readonly rank: number;
  readonly untilMs: number;
}

export interface Ledger {
  // rows
  /** Undefined when (workflowId, taskId) is taken by a live or remembered row. The new row watches nothing yet. */
  insert(row: NewRow, key: number, nowMs: number): TaskRow | undefined;
  get(key: number): TaskRow | undefined;
  find(workflowId: string, taskId: string): TaskRow | undefined;
  edit(row: TaskRow): void;
  put(row: TaskRow): void;
  nextKey(): number;
  nextFence(): number;
  /** Live requests for more made by this holder, and by nobody else, by key. */
  requestsOf(holderKey: number): readonly TaskRow[];
  /** Rows that wait and have ancestors (at most a handful on a healthy store), by key. */
  waitingInside(): readonly TaskRow[];
  /** Unfinished rows of an owner with keys above `afterKey`, by key. */
  rowsOf(ownerId: string, limit: number, afterKey: number): readonly TaskRow[];

  // holds
  /**
   * Writes one hold for each lock, capacity and pool claim of the row, under `row.holderKey`. Of a capacity or pool it takes
   * only the units that do not count for it already (`unitsHeld`). Of a pool it takes the first free members that are not
   * out of order and sets `row.members`: those it took, then those it leans on (`membersAround`). Rates and limits are not
   * held.
   */
  hold(row: TaskRow): void;
  /** Takes back all that `hold` wrote for the row; sets `row.members` to null. */
  drop(row: TaskRow): void;
  /** Changes what a row claims. It holds nothing and waits for nothing then; its limits and rates stay the same. */
  reclaim(row: TaskRow, claims: readonly ResolvedClaim[]): void;
  /**
   * The node at which a lock claim is blocked by a holder outside `except`: the claim's own node, else the outermost
   * ancestor, else `node/` when something below it blocks; null when it is free.
   */
  conflict(claim: ResolvedClaim, except: readonly number[]): string | null;
  /**
   * Holders that stand in this claim's way (locks), or hold units of its node; by row key; at most `limit`. `key`, names,
   * `sinceMs` are those of the task under whose name the lock stands, `node` is where it stands.
   */
  holders(claim: ResolvedClaim, except: readonly number[], limit: number): readonly Blocker[];
  /** Units of a node that count for a row (L11): its own, and those held under its ancestors, their requests' too. */
  unitsHeld(node: string, row: TaskRow): number;
  /** Rows that hold units of a node (or lean on those of others) and run inside this holder, by key. */
  heldInside(node: string, holderKey: number): readonly TaskRow[];
  /**
   * Somebody a holder of this node leaned on has let go: it takes the units it lacks now, of a pool the members it uses that
   * nobody around it holds. Others inside may use the same member. False when it lacks none.
   */
  takeOver(row: TaskRow, node: string): boolean;

  // counters
  counter(node: string): Counter | undefined;
  putCounter(counter: Counter): void;
  countersDeclaredBy(by: string): readonly Counter[];

  // the line
  /** First watcher of a line after a place in rank order; (-Infinity, 0) for the very first. */
  head(line: Line, afterRank: number, afterKey: number): TaskRow | undefined;
  /** Lowest-ranked watcher of a node over all its lines. */
  first(node: string): TaskRow | undefined;
  hasWaiting(): boolean;
  /** The lines in which at least one row watches one of the nodes: in the order of the nodes, then by mode, then by gate. */
  lines(nodes: Iterable<string>): readonly Line[];
  /**
   * The first of each line at the nodes on a claim's path whose mode conflicts with it: for a lock, at `n` and `n/` for the
   * claim's node and each ancestor; for units, at the node. By rank.
   */
  heads(claim: ResolvedClaim): readonly TaskRow[];
  reservations(): readonly TaskRow[];
  /** Lowest-ranked waiter passed often enough to reserve, that does not and does not watch a limit or rate. */
  nextToReserve(): TaskRow | undefined;
  carry(): readonly CarryEntry[];
  setCarry(entries: readonly CarryEntry[]): void;
  place(placeKey: string): Place | undefined;
  putPlace(place: Place): void;
  dropPlace(placeKey: string): void;

  // time
  /** Rows whose `dueAtMs` has come, soonest first, ties by key. */
  dueRows(nowMs: number, limit: number): readonly TaskRow[];
  dueCounters(nowMs: number): readonly Counter[];
  /** When the kernel must run again by itself; 0 for never. */
  nextDueAtMs(): number;
  /** Greatest time any turn has seen. */
  lastNowMs(): number;
  setLastNowMs(nowMs: number): void;

  // owners
  owner(ownerId: string): Owner | undefined;
  putOwner(owner: Owner): void;
  dropOwner(ownerId: string): void;

  /** Remembers how a row ended. Opaque to the kernel. */
  putResult(row: TaskRow, result: unknown): void;
  /** Forgets a row that holds nothing and stands in no line, and how it ended: its id is free again. */
  forget(row: TaskRow): void;
  /** Null forgets it. Opaque to the kernel. */
  putNote(topic: string, note: unknown): void;
}
