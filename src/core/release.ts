/**
 * What became freer tests its watchers, in rank order over all freed lines together.
 *
 * L9  one release tests at most 64 waiters; what is left is carried, with the place to go on, and never lost.
 *
 * Why nobody is forgotten: a waiter watches one node that blocked it when it was last tested. Whatever unblocks that node
 * (a holder that lets go, a reservation that ends, a limit that grows, a rate that fills) puts it among `freed`. The scan
 * of a line stops early in two cases only:
 *  - its first row stays blocked there, and so is everybody behind it;
 *  - its first row is blocked at a gate (a limit or a rate). Everybody behind it has the same gate and a higher rank, so
 *    all are blocked there. The row waits at the gate as the delegate of its line; when it is served or leaves, the line
 *    is looked at again. Without this a hot lock behind full slots would move its whole line to the slots and back.
 */
import { isBlocked, watch, watchModeOf } from "./admission.ts";
import { admit } from "./admit.ts";
import { ADMISSION } from "./bounds.ts";
import { neverEnough } from "./capacity.ts";
import { EXCLUSIVE_INSIDE, isReservable, SHARED_INSIDE, UNITS, UNITS_INSIDE } from "./claims.ts";
import { unitsThere } from "./counters.ts";
import { countPass, type Decision, lineId } from "./decision.ts";
import { end } from "./endings.ts";
import { type Head, HeadHeap } from "./head-heap.ts";
import type { CarryEntry } from "./ledger.ts";

/** Tests watchers of what became freer until none is left or the budget is spent. The rest stays in `decision.scans`. */
export function drain(decision: Decision): void {
  let budget = ADMISSION.testsPerRelease * Math.max(1, decision.releases);
  const heads = new HeadHeap();
  for (const entry of decision.scans.values()) lookAt(decision, heads, entry);
  for (;;) {
    openScans(decision, heads);
    const lowest = takeLowest(decision, heads);
    if (lowest === undefined || budget-- <= 0) return;
    testHead(decision, lowest);
    const again = decision.scans.get(lineId(lowest.entry));
    if (again !== undefined) lookAt(decision, heads, again);
  }
}

/** Turns freed nodes into lines to scan, from their heads; forgets those nobody watches (nearly all, nearly always). */
function openScans(decision: Decision, heads: HeadHeap): void {
  const { freed, ledger, scans } = decision;
  if (freed.size === 0) return;
  if (ledger.hasWaiting()) {
    for (const line of ledger.lines(freed)) {
      const { node, mode, gate } = line;
      const entry = { node, mode, gate, afterRank: Number.NEGATIVE_INFINITY, afterKey: 0 };
      scans.set(lineId(line), entry);
      lookAt(decision, heads, entry);
    }
  }
  freed.clear();
}

function lookAt(decision: Decision, heads: HeadHeap, entry: CarryEntry): void {
  const row = decision.ledger.head(entry, entry.afterRank, entry.afterKey);
  if (row === undefined) decision.scans.delete(lineId(entry));
  else heads.push({ entry, row });
}

/** The lowest head of all lines that are scanned. What has moved since it was put in is looked at again. */
function takeLowest(decision: Decision, heads: HeadHeap): Head | undefined {
  for (;;) {
    const head = heads.pop();
    if (head === undefined) return undefined;
    if (decision.scans.get(lineId(head.entry)) !== head.entry) continue;
    if (stillWatches(head)) return head;
    lookAt(decision, heads, head.entry);
  }
}

function stillWatches({ entry, row }: Head): boolean {
  return row.watch === entry.node && row.watchMode === entry.mode;
}

function testHead(decision: Decision, { entry, row }: Head): void {
  const { node, mode } = entry;
  if (!isBlocked(decision, row)) {
    admit(decision, row, -1);
    return;
  }
  const message = neverEnough(decision, row);
  if (message !== null) {
    end(decision, row, { status: "failed", code: "OVER_CAPACITY", message });
  } else if (decision.blockNode !== node || watchModeOf(row, decision.blockMode) !== mode) {
    const isDelegate = isReservable(mode) && !isReservable(decision.blockMode);
    watch(decision, row, isDelegate ? node : "");
    if (isDelegate) decision.scans.delete(lineId(entry));
    countPass(decision, row);
  } else if (blocksAllBehind(decision, entry)) {
    decision.scans.delete(lineId(entry));
  } else {
    decision.scans.set(lineId(entry), { ...entry, afterRank: row.rank, afterKey: row.key });
  }
}

/** Whether a row that stays blocked at the head of a line proves that all behind it are blocked there too. */
function blocksAllBehind(decision: Decision, { node, mode }: CarryEntry): boolean {
  if (mode === SHARED_INSIDE || mode === EXCLUSIVE_INSIDE || mode === UNITS_INSIDE) return false;
  if (mode !== UNITS) return true;
  const counter = decision.ledger.counter(node);
  return counter === undefined || counter.used >= unitsThere(counter);
}
