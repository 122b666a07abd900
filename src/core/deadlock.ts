/**
 * Requests made from inside a holder may close a cycle.
 *
 * L11 a request that could only be granted after an ancestor lets go is refused at once, naming it
 * L12 the request that would close a cycle is refused at once, with every holder named
 *
 * Only such requests can: everybody else waits with empty hands (L2). The test is the reduction of a general resource
 * graph (Holt 1972, "Some deadlock properties of computer systems"): take every row that waits inside a holder as stuck,
 * then let go, one after another, those that could be granted although the holders of all stuck rows never let go. If the
 * newcomer is not among those set free, it would wait for ever. Units and limits are counted, so a cycle through a
 * capacity is found only when no holder outside the knot can free enough.
 */

import { LIMIT, locksConflict, RATE, type ResolvedClaim, UNITS } from "./claims.ts";
import type { Blocker } from "./command.ts";
import type { Decision } from "./decision.ts";
import { end } from "./endings.ts";
import type { TaskRow } from "./row.ts";

/** Holders looked at for one claim. More readers than this on one node are judged by the first of them. */
const HOLDERS_SEEN = 1_024;

/** The holders that would have to let go first and never can; empty when the row may wait. */
export function whatNeverLetsGo(decision: Decision, row: TaskRow): readonly Blocker[] {
  if (row.ancestors.length === 0) return [];
  const stuck = new Set(waitingInside(decision));
  stuck.add(row);
  if (obstacles(decision, row, { held: heldBy(stuck), granted: null }).length === 0) return [];
  reduce(decision, stuck, null);
  return stuck.has(row) ? knotOf(decision, row, stuck) : [];
}

/**
 * A number was made smaller, or units passed on, and those who wait inside others may have come to wait for each other:
 * the youngest of them are ended until the rest can go on.
 */
export function breakKnots(decision: Decision): void {
  for (;;) {
    const stuck = new Set(waitingInside(decision));
    reduce(decision, stuck, null);
    const youngest = [...stuck].reduce<TaskRow | null>(
      (last, row) => (last === null || row.key > last.key ? row : last),
      null,
    );
    if (youngest === null) return;
    const message = deadlockMessage(youngest, knotOf(decision, youngest, stuck));
    end(decision, youngest, { status: "failed", code: "DEADLOCK", message });
  }
}

/** Every holder that would have to let go: those in its way, those in the way of who waits inside them, and so on. */
function knotOf(decision: Decision, row: TaskRow, stuck: ReadonlySet<TaskRow>): Blocker[] {
  const knot = { held: heldBy(stuck), granted: null };
  const found = new Map<number, Blocker>();
  const waiting = new Set([row]);
  for (const next of waiting) {
    for (const blocker of obstacles(decision, next, knot)) {
      if (found.has(blocker.key)) continue;
      found.set(blocker.key, blocker);
      for (const other of stuck) if (other.ancestors.includes(blocker.key)) waiting.add(other);
    }
  }
  return [...found.values()];
}

/**
 * The same question before a grant: a task that asks for several things at once may be given one of them while it waits
 * for another, and so close a cycle without waiting any more. Answers whom the grant would trap.
 */
export function whoWouldBeTrapped(decision: Decision, row: TaskRow): readonly TaskRow[] {
  if (row.kind !== "request" || (row.claims.length === 0 && row.wants === "locks")) return [];
  const stuck = new Set(waitingInside(decision));
  stuck.delete(row);
  if (![...stuck].some((other) => other.ancestors.includes(row.holderKey))) return [];
  reduce(decision, stuck, row);
  return [...stuck];
}

function waitingInside(decision: Decision): readonly TaskRow[] {
  decision.inside ??= [...decision.ledger.waitingInside()];
  return decision.inside.filter((row) => row.watch !== "");
}

/** Lets go, one after another, whoever could be granted although the holders of all the others never let go. */
function reduce(decision: Decision, stuck: Set<TaskRow>, granted: TaskRow | null): void {
  for (let isShrinking = true; isShrinking; ) {
    isShrinking = false;
    const state = { held: heldBy(stuck), granted };
    for (const row of stuck) {
      if (obstacles(decision, row, state).length > 0) continue;
      stuck.delete(row);
      isShrinking = true;
    }
  }
}

interface Knot {
  /** Keys of the holders that cannot go on. */
  readonly held: ReadonlySet<number>;
  /** A request looked at as if it were granted already. */
  readonly granted: TaskRow | null;
}

/** Keys of the holders that cannot go on while these rows wait. */
function heldBy(stuck: ReadonlySet<TaskRow>): ReadonlySet<number> {
  const keys = new Set<number>();
  for (const row of stuck) for (const key of row.ancestors) keys.add(key);
  return keys;
}

function obstacles(decision: Decision, row: TaskRow, { held, granted }: Knot): Blocker[] {
  const found: Blocker[] = [];
  for (const claim of row.claims) {
    if (claim.mode === RATE) continue;
    const inTheWay = decision.ledger
      .holders(claim, row.ancestors, HOLDERS_SEEN)
      .filter((holder) => held.has(holder.key));
    if (granted !== null && held.has(granted.holderKey) && !row.ancestors.includes(granted.holderKey)) {
      inTheWay.push(...heldWhenGranted(granted, claim));
    }
    if (claim.mode !== UNITS || lacksUnits(decision, row, claim, inTheWay)) found.push(...inTheWay);
  }
  for (const node of row.limits) found.push(...slotObstacles(decision, node, { held, granted }));
  return found;
}

function heldWhenGranted(granted: TaskRow, claim: ResolvedClaim): Blocker[] {
  const { holderKey: key, workflowId, taskId, label, holder, quarantined, submittedAtMs: sinceMs } = granted;
  return granted.claims
    .filter((other) => (claim.mode === UNITS ? other.node === claim.node : locksConflict(other, claim)))
    .map(({ node, mode, units }) => ({
      key,
      workflowId,
      taskId,
      label,
      node,
      mode,
      units,
      holder,
      sinceMs,
      quarantined,
    }));
}

function lacksUnits(decision: Decision, row: TaskRow, claim: ResolvedClaim, inTheWay: readonly Blocker[]): boolean {
  const { ledger } = decision;
  const own = ledger.unitsHeld(claim.node, row);
  const stuckUnits = inTheWay.reduce((sum, holder) => sum + holder.units, 0);
  // A number of 0 is a pause, which somebody will end.
  const capacity = ledger.counter(claim.node)?.capacity ?? 0;
  return capacity > 0 && stuckUnits + Math.max(own, claim.units) > capacity;
}

/** Limits held by tasks that cannot go on leave no slot. */
function slotObstacles(decision: Decision, node: string, { held, granted }: Knot): Blocker[] {
  const { ledger } = decision;
  const found: Blocker[] = [];
  for (const key of held) {
    const holder = ledger.get(key);
    const hasSlot = holder?.holdsLimits === true || (granted?.wants === "slot" && granted.holderKey === key);
    if (holder === undefined || !hasSlot || !holder.limits.includes(node)) continue;
    const { workflowId, taskId, label, quarantined } = holder;
    found.push({
      key,
      workflowId,
      taskId,
      label,
      node,
      mode: LIMIT,
      units: 1,
      holder: holder.holder,
      sinceMs: holder.admittedAtMs,
      quarantined,
    });
  }
  const capacity = ledger.counter(node)?.capacity ?? 0;
  return capacity > 0 && found.length >= capacity ? found : [];
}

/** One sentence that names what would have to let go. */
export function deadlockMessage(row: TaskRow, blockers: readonly Blocker[]): string {
  const name = row.label || row.taskId;
  const own = blockers.filter((blocker) => row.ancestors.includes(blocker.key));
  const others = blockers.filter((blocker) => !row.ancestors.includes(blocker.key));
  if (others.length === 0)
    return `${name} runs inside ${namesOf(own)} and could only be granted after that lets go. Nothing was started.`;
  return own.length === 0
    ? `${name} would wait for ever: ${namesOf(others)} wait for what it holds. Nothing was started.`
    : `${name} would wait for ever: ${namesOf(others)} wait in turn for ${namesOf(own)}, which it runs inside of. Nothing was started.`;
}

function namesOf(blockers: readonly Blocker[]): string {
  const names = [...new Set(blockers.map(({ label, taskId, node }) => `${label || taskId} (holds ${node.slice(2)})`))];
  return names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
}
