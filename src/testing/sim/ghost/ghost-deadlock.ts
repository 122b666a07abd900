/**
 * Was a refusal with DEADLOCK right? Worked out from the ghost's books alone: those who wait inside a holder are taken as
 * stuck, then whoever could be granted although the holders of the others never let go is set free, until nobody moves.
 */
import type { GhostCounts } from "./ghost-counts.ts";
import { type GhostNames, type GhostTask, isOwnOrAbove } from "./ghost-task.ts";

export interface DeadlockBooks {
  readonly names: GhostNames;
  readonly counts: GhostCounts;
  readonly tasks: ReadonlyMap<number, GhostTask>;
  readonly waiting: ReadonlySet<GhostTask>;
  readonly held: ReadonlySet<GhostTask>;
}

/** Whether refusing this request was the only way: it would never be granted, or would trap somebody for ever. */
export function isDeadlock(books: DeadlockBooks, request: GhostTask): boolean {
  const others = [...books.waiting].filter((task) => task.ancestors.length > 0 && task !== request);
  if (stuck(books, [...others, request], null).has(request)) return true;
  return stuck(books, others, request).size > stuck(books, others, null).size;
}

function stuck(books: DeadlockBooks, waiting: readonly GhostTask[], granted: GhostTask | null): ReadonlySet<GhostTask> {
  const left = new Set(waiting);
  for (let isMoving = true; isMoving; ) {
    isMoving = false;
    const frozen = new Set([...left].flatMap((task) => task.ancestors));
    for (const task of left) {
      if (!isFree(books, task, { frozen, granted })) continue;
      left.delete(task);
      isMoving = true;
    }
  }
  return left;
}

interface Frost {
  readonly frozen: ReadonlySet<number>;
  readonly granted: GhostTask | null;
}

/** Everything that is not frozen will let go one day: can this task then be granted? */
function isFree(books: DeadlockBooks, task: GhostTask, { frozen, granted }: Frost): boolean {
  const holders = [...books.held].filter(
    (other) => frozen.has(other.holderKey) && !task.ancestors.includes(other.holderKey),
  );
  if (granted !== null && frozen.has(granted.holderKey) && !task.ancestors.includes(granted.holderKey))
    holders.push(granted);
  for (const other of holders) {
    if (!isOwnOrAbove(task, other) && books.names.conflict(task.claims, other.claims)) return false;
  }
  for (const claim of task.claims) {
    if (claim.what !== "units") continue;
    const frozenUnits = holders.reduce((sum, other) => sum + unitsOf(other, claim.node), 0);
    const own = [...books.held]
      .filter((other) => task.ancestors.includes(other.holderKey))
      .reduce((sum, other) => sum + unitsOf(other, claim.node), 0);
    if (frozenUnits > 0 && frozenUnits + Math.max(own, claim.units) > books.counts.capacity(claim.node)) return false;
  }
  for (const node of task.limits) {
    const slots = [...frozen].filter((key) => {
      const holder = books.tasks.get(key);
      const hasSlot = holder?.hasSlot === true || (granted?.wantsSlot === true && granted.holderKey === key);
      return holder !== undefined && hasSlot && holder.limits.includes(node);
    });
    if (slots.length > 0 && slots.length >= books.counts.capacity(node)) return false;
  }
  return true;
}

function unitsOf(task: GhostTask, node: string): number {
  return (
    task.taken?.[node] ?? (task.state === "held" ? 0 : (task.claims.find((claim) => claim.node === node)?.units ?? 0))
  );
}
