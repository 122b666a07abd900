/**
 * Claims as the kernel sees them: a node and a mode.
 *
 * A node is a string: `f:/home/ada/shop/src/api` (path), `n:WORKSPACE:backend_services/users` (name; `n:machine:gpu`),
 * `c:build` (capacity), `p:ports` (pool), `r:anthropic` (rate), `l:…` (limit: slots, agents, workflows). Paths and names
 * are hierarchical: a node covers all below it.
 */
import { ADMISSION, BOUNDS } from "./bounds.ts";
import { invariant } from "./errors.ts";

export const SHARED = 1;
export const EXCLUSIVE = 2;
/** Units of a capacity or members of a pool: may be reserved. */
export const UNITS = 3;
/** A rate: free again by time alone, never reserved. */
export const RATE = 4;
/** A concurrency limit: given back while its task waits for input, never reserved. */
export const LIMIT = 5;
export type Mode = typeof SHARED | typeof EXCLUSIVE | typeof UNITS | typeof RATE | typeof LIMIT;

/**
 * How a waiter watches. A row that runs inside a holder watches locks and capacities in lines of its own: what its
 * ancestors hold does not block it, so "the one before me is blocked" says nothing about it.
 */
export const SHARED_INSIDE = 6;
export const EXCLUSIVE_INSIDE = 7;
export const UNITS_INSIDE = 8;
export type WatchMode = Mode | typeof SHARED_INSIDE | typeof EXCLUSIVE_INSIDE | typeof UNITS_INSIDE;

export interface ResolvedClaim {
  readonly node: string;
  readonly mode: Mode;
  /** 1 for locks. */
  readonly units: number;
  /** Outermost first; empty for capacities, pools, rates and limits. */
  readonly ancestors: readonly string[];
  /** Places where others watch that become freer when this claim is let go: see `freedBy`. */
  readonly frees: readonly string[];
}

const NONE: readonly string[] = [];

/** The nodes that cover this one, outermost first: `f:/a/b` lies under `f:` (the root) and `f:/a`. */
export function ancestorsOf(node: string): readonly string[] {
  const kind = node.charCodeAt(0);
  if (kind !== 102 /* f */ && kind !== 110 /* n */) return NONE;
  const ancestors: string[] = [];
  for (let at = node.indexOf("/"); at > 0; at = node.indexOf("/", at + 1)) ancestors.push(node.slice(0, at));
  return ancestors.length === 0 ? NONE : ancestors;
}

/** A claim kept others from its node, from what lies below, and from everything above as a whole. */
function freedBy(node: string, mode: Mode, ancestors: readonly string[]): readonly string[] {
  if (mode === RATE || mode === LIMIT) return NONE;
  if (mode === UNITS) return [node];
  return [node, `${node}/`, ...ancestors.map((ancestor) => `${ancestor}/`)];
}

export function resolvedClaim(node: string, mode: Mode, units = 1): ResolvedClaim {
  invariant(Number.isSafeInteger(units) && units > 0, `units of ${node} must be a positive integer`);
  const ancestors = ancestorsOf(node);
  return { node, mode, units, ancestors, frees: freedBy(node, mode, ancestors) };
}

/** One claim a node: the stronger mode wins, units add up (L1: a task never conflicts with itself). */
export function normaliseClaims(claims: readonly ResolvedClaim[]): readonly ResolvedClaim[] {
  if (claims.length < 2) return claims;
  const byNode = new Map<string, ResolvedClaim>();
  for (const claim of claims) {
    const known = byNode.get(claim.node);
    if (known === undefined) byNode.set(claim.node, claim);
    else if (claim.mode === UNITS || claim.mode === RATE)
      byNode.set(claim.node, { ...claim, units: known.units + claim.units });
    else if (claim.mode > known.mode) byNode.set(claim.node, claim);
  }
  return byNode.size === claims.length ? claims : [...byNode.values()];
}

/** Whether a waiter at this mode may reserve: limits and rates never are (L4). */
export function isReservable(mode: WatchMode | 0): boolean {
  return mode !== 0 && mode !== RATE && mode !== LIMIT;
}

/** `f:/a/b` covers `f:/a/b` and `f:/a/b/c`, not `f:/a/bc`. */
export function covers(node: string, other: string): boolean {
  return other.startsWith(node) && (other.length === node.length || other.charCodeAt(node.length) === 47);
}

/** Whether two lock claims conflict when two different holders make them. Units are judged by counting, not here. */
export function locksConflict(a: ResolvedClaim, b: ResolvedClaim): boolean {
  if (a.mode > EXCLUSIVE || b.mode > EXCLUSIVE) return false;
  if (a.mode === SHARED && b.mode === SHARED) return false;
  return covers(a.node, b.node) || covers(b.node, a.node);
}

/** Bounded cache of claims: the same node in the same mode is one object, which is what 100,000 waiting tasks share. */
export class ClaimCache {
  readonly #claims = new Map<string, ResolvedClaim>();

  get(node: string, mode: Mode, units = 1): ResolvedClaim {
    const id = `${mode}${units === 1 ? "" : units} ${node}`;
    const known = this.#claims.get(id);
    if (known !== undefined) return known;
    if (this.#claims.size >= BOUNDS.tasksPerCall) this.#claims.clear();
    const claim = resolvedClaim(node, mode, units);
    this.#claims.set(id, claim);
    return claim;
  }
}

export const NESTED_RANK = ADMISSION.nestedRank;
