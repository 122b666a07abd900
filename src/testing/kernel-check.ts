/**
 * Judges the rows of a store after a turn by brute force: pair against pair, from the claims alone. Shares no code with the
 * kernel: what conflicts, what covers and what is free is worked out here again, slowly and plainly.
 *
 * Checked: L1, L2, L3, L12, the number of reservations, and that no waiter is forgotten: each is blocked, and by the node it
 * watches, or the rest of that line is carried to the next turn.
 */
import type { Counter } from "../core/command.ts";
import type { CarryEntry } from "../core/ledger.ts";
import type { TaskRow } from "../core/row.ts";

export interface World {
  readonly rows: readonly TaskRow[];
  readonly counters: readonly Counter[];
  readonly carry: readonly CarryEntry[];
  readonly nowMs: number;
}

type Claim = TaskRow["claims"][number];

const isLock = (claim: Claim): boolean => claim.node[0] === "f" || claim.node[0] === "n";
const isUnits = (claim: Claim): boolean => claim.node[0] === "c" || claim.node[0] === "p";
const lies = (inner: string, outer: string): boolean => inner === outer || inner.startsWith(`${outer}/`);
const conflict = (a: Claim, b: Claim): boolean =>
  isLock(a) && isLock(b) && (a.mode === 2 || b.mode === 2) && (lies(a.node, b.node) || lies(b.node, a.node));
const before = (a: TaskRow, b: TaskRow): boolean => a.rank < b.rank || (a.rank === b.rank && a.key < b.key);

/** Every statement that does not hold, in words; empty when all is well. */
export function kernelFaults(world: World): string[] {
  const faults: string[] = [];
  const holders = world.rows.filter((row) => row.holdsClaims);
  checkLocks(holders, faults);
  for (const counter of world.counters) checkCounter(world, counter, faults);
  const reservers = world.rows.filter((row) => row.reserved);
  if (reservers.length > 4) faults.push(`L4: ${reservers.length} reservations stand at once`);
  for (const row of world.rows) {
    checkLease(world, row, faults);
    if (row.watch === "") {
      if (row.status === "waiting") faults.push(`${row.taskId} waits for nothing`);
      continue;
    }
    if (row.holdsClaims || row.holdsLimits) faults.push(`L2: ${row.taskId} holds something while it waits`);
    if (!isCarried(world, row) && !hasDelegate(world, row)) checkWaiter(world, row, holders, reservers, faults);
  }
  checkKnots(world, holders, faults);
  return faults;
}

/** Whoever holds for a while has a clock that runs, and never holds for longer; nobody else has one. */
function checkLease({ nowMs }: World, row: TaskRow, faults: string[]): void {
  if (row.status === "waiting" || row.status === "starting" || !(row.holdsClaims || row.fence > 0)) return;
  const mayLapse = row.holder === "guest" && row.leaseMs > 0;
  if (mayLapse ? row.dueAtMs <= nowMs || row.dueAtMs > nowMs + row.leaseMs : row.dueAtMs !== 0)
    faults.push(`L7: ${row.taskId} has a lease of ${row.leaseMs} ms that ends at ${row.dueAtMs}, and it is ${nowMs}`);
  if (row.holder === "guest" && row.quarantined) faults.push(`L7: the guest ${row.taskId} is quarantined`);
}

function checkLocks(holders: readonly TaskRow[], faults: string[]): void {
  for (const [index, a] of holders.entries()) {
    for (const b of holders.slice(index + 1)) {
      if (a.holderKey === b.holderKey || a.ancestors.includes(b.holderKey) || b.ancestors.includes(a.holderKey))
        continue;
      if (a.claims.some((claim) => b.claims.some((other) => conflict(claim, other)))) {
        faults.push(`L1: ${a.taskId} and ${b.taskId} hold conflicting locks`);
      }
    }
  }
}

function checkCounter(world: World, counter: Counter, faults: string[]): void {
  if (counter.kind === "limit") {
    const used = world.rows.filter((row) => row.holdsLimits && row.limits.includes(counter.node)).length;
    if (used !== counter.used) faults.push(`the books of ${counter.node} say ${counter.used}, it is ${used}`);
    return;
  }
  if (counter.kind === "rate") return;
  checkUnits(world, counter, faults);
  if (counter.kind !== "pool") return;
  const holders = world.rows.filter((row) => row.holdsClaims && row.members?.[counter.node] !== undefined);
  const taken = new Set(holders.flatMap((row) => [...(row.members?.[counter.node] ?? [])]));
  for (const [index, a] of holders.entries()) {
    for (const b of holders.slice(index + 1)) {
      const both = a.members?.[counter.node]?.some((member) => b.members?.[counter.node]?.includes(member));
      if (both && !areKin(a, b)) faults.push(`L3: a member of ${counter.node} has two holders`);
    }
  }
  for (const { member, untilMs } of counter.out) {
    if (taken.has(member)) faults.push(`L3: ${member} of ${counter.node} is out of order and held`);
    if (counter.dueAtMs === 0 || counter.dueAtMs > untilMs)
      faults.push(`${member} of ${counter.node} is out of order and nobody will try it again`);
  }
  if (taken.size > counter.used)
    faults.push(`the books of ${counter.node} say ${counter.used}, ${taken.size} members are out`);
}

/** They run, or ran, inside one holder: what it had they share. */
function areKin(a: TaskRow, b: TaskRow): boolean {
  const outer = [a.holderKey, ...a.ancestors];
  return [b.holderKey, ...b.ancestors].some((key) => outer.includes(key));
}

/** In use is never less than what the holders need that no living ancestor covers, nor more than all they asked for. */
function checkUnits(world: World, counter: Counter, faults: string[]): void {
  const unitsOf = (row: TaskRow): number => row.claims.find(({ node }) => node === counter.node)?.units ?? 0;
  const holders = world.rows.filter((row) => row.holdsClaims && unitsOf(row) > 0);
  let least = 0;
  let most = 0;
  for (const row of holders) {
    const around = holders.filter((other) => other !== row && row.ancestors.includes(other.holderKey));
    const covered = around.reduce((sum, other) => sum + unitsOf(other), 0);
    // Requests of one task cover each other: one of them counts.
    least += Math.max(0, unitsOf(row) - covered);
    most += unitsOf(row);
  }
  if (counter.used < least)
    faults.push(`L3: the books of ${counter.node} say ${counter.used}, at least ${least} are used`);
  if (counter.used > most)
    faults.push(`L3: the books of ${counter.node} say ${counter.used}, at most ${most} are used`);
}

/** Rows that wait inside holders for each other, by locks and limits alone: none of them would ever be granted. */
function checkKnots(world: World, holders: readonly TaskRow[], faults: string[]): void {
  const stuck = new Set(world.rows.filter((row) => row.watch !== "" && row.ancestors.length > 0));
  for (let size = -1; size !== stuck.size; ) {
    size = stuck.size;
    const frozen = new Set([...stuck].flatMap((row) => row.ancestors));
    const inTheWay = holders.filter((row) => frozen.has(row.holderKey));
    for (const row of stuck) {
      const isKept =
        inTheWay.some(
          (other) =>
            !row.ancestors.includes(other.holderKey) &&
            other.claims.some((theirs) => row.claims.some((mine) => conflict(mine, theirs))),
        ) || row.limits.some((node) => isShut(world, node, frozen));
      if (!isKept) stuck.delete(row);
    }
  }
  for (const row of stuck) faults.push(`L12: ${row.taskId} waits in a circle`);
}

function isShut(world: World, node: string, frozen: ReadonlySet<number>): boolean {
  const capacity = world.counters.find((counter) => counter.node === node)?.capacity ?? 0;
  const slots = world.rows.filter((row) => frozen.has(row.key) && row.holdsLimits && row.limits.includes(node));
  return capacity > 0 && slots.length >= capacity;
}

function isCarried(world: World, row: TaskRow): boolean {
  return world.carry.some(
    (entry) =>
      entry.node === row.watch &&
      entry.mode === row.watchMode &&
      entry.gate === row.gate &&
      (entry.afterRank < row.rank || (entry.afterRank === row.rank && entry.afterKey < row.key)),
  );
}

/** Somebody before it, who must pass the same limits and rates, waits there on behalf of its line. */
function hasDelegate(world: World, row: TaskRow): boolean {
  const gate = (other: TaskRow): string =>
    JSON.stringify([other.limits, other.claims.filter((claim) => claim.node[0] === "r").map((claim) => claim.node)]);
  return world.rows.some(
    (other) =>
      other.delegateOf === row.watch &&
      (other.watch[0] === "l" || other.watch[0] === "r") &&
      before(other, row) &&
      gate(other) === gate(row),
  );
}

function checkWaiter(
  world: World,
  row: TaskRow,
  holders: readonly TaskRow[],
  reservers: readonly TaskRow[],
  faults: string[],
): void {
  const kind = row.watch[0];
  // What runs inside a holder does not wait for reservations.
  const ahead = row.ancestors.length > 0 ? [] : reservers.filter((other) => other !== row && before(other, row));
  if (kind === "f" || kind === "n") {
    const inTheWay = [...holders.filter((other) => !row.ancestors.includes(other.holderKey)), ...ahead];
    const at = row.watch;
    const isWatched = (mine: Claim, theirs: Claim): boolean =>
      conflict(mine, theirs) &&
      (at.endsWith("/") ? `${mine.node}/` === at && theirs.node.startsWith(at) : theirs.node === at);
    if (!inTheWay.some((other) => other.claims.some((theirs) => row.claims.some((mine) => isWatched(mine, theirs))))) {
      faults.push(`forgotten: ${row.taskId} watches ${at}, where nothing blocks it`);
    }
    return;
  }
  const counter = world.counters.find((other) => other.node === row.watch);
  if (counter === undefined) {
    faults.push(`${row.taskId} watches ${row.watch}, which does not exist`);
    return;
  }
  if (kind === "l") {
    if (counter.used < counter.capacity) faults.push(`forgotten: ${row.taskId} waits for ${row.watch}, which is free`);
    return;
  }
  const claim = row.claims.find((other) => other.node === row.watch);
  if (kind === "r") {
    const isFirst = !world.rows.some((other) => other.watch === row.watch && before(other, row));
    const pace = counter.intervalMs * 2 ** (counter.overload?.strain ?? 0);
    const readyAtMs = Math.max(counter.nextAtMs, world.nowMs) + pace * ((claim?.units ?? 0) - counter.capacity);
    if (isFirst && readyAtMs <= world.nowMs)
      faults.push(`forgotten: ${row.taskId} waits for ${row.watch}, which is ready`);
    if (counter.dueAtMs === 0) faults.push(`${row.watch} has waiters and no timer`);
    return;
  }
  const reserved = ahead.flatMap((other) => other.claims).filter((other) => isUnits(other) && other.node === row.watch);
  // Of what runs inside a holder only this is certain: all its units free is enough.
  const wanted = claim?.units ?? 0;
  const total = counter.used + wanted + reserved.reduce((sum, other) => sum + other.units, 0);
  if (total + counter.out.length <= counter.capacity)
    faults.push(`forgotten: ${row.taskId} waits for ${wanted} of ${row.watch}, which are free`);
}
