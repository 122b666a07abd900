/** Who wants what: the claims of a plan by node. The base of collisions and of lower bounds. */
import { EXCLUSIVE, RATE, type ResolvedClaim, SHARED, UNITS } from "../core/claims.ts";

/** A path or name, and the tasks (by place) that claim it or something below it. A task is in exactly one list. */
export interface LockUse {
  readonly node: string;
  /** Claim it exclusively. */
  readonly writers: number[];
  /** Claim it shared and nothing below it exclusively. */
  readonly readers: number[];
  /** Claim it shared and something below it exclusively. */
  readonly readWriters: number[];
  /** Claim something below it exclusively. */
  readonly writersBelow: number[];
  /** Claim something below it, shared only. */
  readonly readersBelow: number[];
}

export interface UnitUse {
  readonly node: string;
  readonly isRate: boolean;
  readonly takers: number[];
  /** Units of each taker. */
  readonly units: number[];
}

export interface Uses {
  readonly locks: ReadonlyMap<string, LockUse>;
  readonly units: ReadonlyMap<string, UnitUse>;
}

/** A node while it is filled: what the task at hand wants of it, without a map a task. */
interface Entry {
  readonly use: LockUse;
  /** Entries of the nodes above it that somebody claims. */
  above: readonly Entry[];
  /** The task `want` belongs to. */
  wantedBy: number;
  want: number;
  /** The last task that claims it exclusively. */
  writtenBy: number;
}

/** What a task wants of a node is a set of bits: the modes it wants it in, and four times those it wants something below it in. */
const BELOW = 4;

/** Groups normalised claims by node. Linear in claims times their depth. */
export function usesOf(claimsByTask: readonly (readonly ResolvedClaim[])[]): Uses {
  const entries = entriesOf(claimsByTask);
  const units = new Map<string, UnitUse>();
  for (const [place, claims] of claimsByTask.entries()) {
    addLocks(entries, claims, place);
    for (const claim of claims) if (claim.mode === UNITS || claim.mode === RATE) addTaker(units, claim, place);
  }
  return { locks: new Map([...entries].map(([node, { use }]) => [node, use])), units };
}

function entriesOf(claimsByTask: readonly (readonly ResolvedClaim[])[]): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const ancestors = new Map<Entry, readonly string[]>();
  for (const claims of claimsByTask) {
    for (const claim of claims) {
      const { node } = claim;
      if (claim.mode > EXCLUSIVE || entries.has(node)) continue;
      const use: LockUse = { node, writers: [], readers: [], readWriters: [], writersBelow: [], readersBelow: [] };
      const entry: Entry = { use, above: [], wantedBy: -1, want: 0, writtenBy: -1 };
      entries.set(node, entry);
      ancestors.set(entry, claim.ancestors);
    }
  }
  for (const [entry, names] of ancestors) entry.above = names.flatMap((name) => entries.get(name) ?? []);
  return entries;
}

/** A claim that an exclusive one of the same task covers adds nothing, and would count the task twice. */
function addLocks(entries: ReadonlyMap<string, Entry>, claims: readonly ResolvedClaim[], place: number): void {
  const wanted: Entry[] = [];
  const want = (entry: Entry, bits: number) => {
    if (entry.wantedBy === place) entry.want |= bits;
    else {
      entry.wantedBy = place;
      entry.want = bits;
      wanted.push(entry);
    }
  };
  for (const { node, mode } of claims) {
    const entry = mode === EXCLUSIVE ? entries.get(node) : undefined;
    if (entry !== undefined) entry.writtenBy = place;
  }
  for (const { node, mode } of claims) {
    const entry = mode > EXCLUSIVE ? undefined : entries.get(node);
    if (entry === undefined || entry.above.some(({ writtenBy }) => writtenBy === place)) continue;
    want(entry, mode);
    for (const above of entry.above) want(above, mode * BELOW);
  }
  for (const entry of wanted) entry.use[listFor(entry.want)].push(place);
}

function listFor(want: number): Exclude<keyof LockUse, "node"> {
  if (want & EXCLUSIVE) return "writers";
  const writesBelow = (want & (EXCLUSIVE * BELOW)) !== 0;
  if (want & SHARED) return writesBelow ? "readWriters" : "readers";
  return writesBelow ? "writersBelow" : "readersBelow";
}

function addTaker(units: Map<string, UnitUse>, claim: ResolvedClaim, place: number): void {
  let use = units.get(claim.node);
  if (use === undefined) {
    use = { node: claim.node, isRate: claim.mode === RATE, takers: [], units: [] };
    units.set(claim.node, use);
  }
  use.takers.push(place);
  use.units.push(claim.units);
}
