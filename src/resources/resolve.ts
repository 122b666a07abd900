/**
 * Claims as people write them → claims as the kernel sees them. Called at the edge, once a submission and once before a
 * start; decides nothing about who may run.
 */

import { BOUNDS } from "../core/bounds.ts";
import {
  ClaimCache,
  EXCLUSIVE,
  type Mode,
  normaliseClaims,
  RATE,
  type ResolvedClaim,
  SHARED,
  UNITS,
} from "../core/claims.ts";
import { type DeclaredResource, describeDeclared } from "../core/declared.ts";
import { type ErrorCode, errorCode, type Fault, LockyardError } from "../core/errors.ts";
import { nameNode } from "../core/names.ts";
import { suggest } from "../core/suggest.ts";
import type { Claim } from "../core/task.ts";
import { FORMS, parseShape, parseUse, refusal, type Verb } from "./claim-shape.ts";
import { gitNode } from "./git.ts";
import { type PathResolver, pathResolver } from "./real-path.ts";

export interface ResolveContext {
  /** Absolute directory that relative paths lie below. */
  readonly root: string;
  readonly workspace: string;
  readonly declared: ReadonlyMap<string, DeclaredResource>;
  readonly cache: ClaimCache;
  readonly paths: PathResolver;
  /** Nodes of undeclared names that were resolved before; cleared when full. */
  readonly names: Map<string, string>;
  /** Place of the claims, for faults: `tasks[3].claims`. Default `claims`. */
  readonly where?: string;
  /** Asks the file system anew instead of trusting what was resolved before: for the check before a start. */
  readonly isRecheck?: boolean;
}

export interface ResolvedClaims {
  /** Normalised: one claim a node. */
  readonly claims: readonly ResolvedClaim[];
  /** Paths to look at before and after, as they were written. */
  readonly observed: readonly string[];
}

/** A context with empty caches; make one for each manager and keep it. */
export function resolveContext(place: Pick<ResolveContext, "root" | "workspace" | "declared">): ResolveContext {
  return { ...place, cache: new ClaimCache(), paths: pathResolver(), names: new Map() };
}

const NOTHING: ResolvedClaims = { claims: [], observed: [] };

/**
 * Resolves every claim of one task. Throws one LockyardError that lists all faults of the task; its code is that of the
 * faults when they agree (UNKNOWN_RESOURCE, OVER_CAPACITY, LIMIT_EXCEEDED), else INVALID_CLAIM.
 */
export function resolveClaims(claims: readonly Claim[], context: ResolveContext): ResolvedClaims {
  if (claims.length === 0) return NOTHING;
  const resolution = new Resolution(context);
  resolution.addAll(claims);
  return resolution.finish();
}

/**
 * What the same claims resolve to now, or null when it is what they did: links and case rules may have changed while the
 * task waited. The caller puts the task back in line with the new claims.
 */
export function recheckClaims(
  claims: readonly Claim[],
  resolved: readonly ResolvedClaim[],
  context: ResolveContext,
): ResolvedClaims | null {
  if (!claims.some((claim) => "write" in claim || "read" in claim)) return null;
  const again = resolveClaims(claims, { ...context, isRecheck: true });
  const modes = new Map(resolved.map((claim) => [claim.node, claim.mode]));
  const paths = again.claims.filter((claim) => claim.node.startsWith("f:"));
  const before = resolved.filter((claim) => claim.node.startsWith("f:"));
  const isSame = paths.length === before.length && paths.every((claim) => modes.get(claim.node) === claim.mode);
  return isSame ? null : again;
}

interface CodedFault extends Fault {
  readonly code: ErrorCode;
}

class Resolution {
  readonly #context: ResolveContext;
  readonly #claims: ResolvedClaim[] = [];
  readonly #observed: string[] = [];
  readonly #faults: CodedFault[] = [];
  /** Declared resources taken, and where each was asked for first. */
  readonly #taken = new Map<string, { readonly resource: DeclaredResource; readonly where: string }>();
  /** The claim at hand, and its verb when that is known. */
  #index = 0;
  #verb = "";

  constructor(context: ResolveContext) {
    this.#context = context;
  }

  addAll(claims: readonly Claim[]): void {
    const where = this.#context.where ?? "claims";
    if (!Array.isArray(claims)) {
      this.#faults.push({ code: "INVALID_CLAIM", where, what: "must be a list" });
      return;
    }
    if (claims.length > BOUNDS.claimsPerTask) {
      const what = `holds ${claims.length} claims and the limit is ${BOUNDS.claimsPerTask}`;
      this.#faults.push({ code: "LIMIT_EXCEEDED", where, what, hint: WIDER });
    }
    const count = Math.min(claims.length, BOUNDS.claimsPerTask);
    for (let index = 0; index < count; index++) this.#add(claims[index], index);
  }

  finish(): ResolvedClaims {
    const claims = normaliseClaims(this.#claims);
    for (const { resource, where } of this.#taken.values()) {
      const units = claims.find((claim) => claim.node === resource.node)?.units ?? 0;
      if (units <= resource.capacity) continue;
      this.#faults.push({
        code: "OVER_CAPACITY",
        where,
        what: overCapacity(resource, units),
        hint: raise(resource, units),
      });
    }
    // Links may double a path, so the bound is asked again.
    if (claims.length > BOUNDS.claimsPerTask && this.#faults.length === 0) {
      const what = `resolve to ${claims.length} locks and the limit is ${BOUNDS.claimsPerTask}`;
      this.#faults.push({ code: "LIMIT_EXCEEDED", where: this.#context.where ?? "claims", what, hint: WIDER });
    }
    const first = this.#faults[0];
    if (first === undefined) return { claims, observed: this.#observed };
    const code = this.#faults.every((fault) => fault.code === first.code) ? first.code : "INVALID_CLAIM";
    const more = this.#faults.length === 1 ? "" : ` (and ${this.#faults.length - 1} more)`;
    const faults = this.#faults.map(({ code: _, ...fault }) => fault);
    throw new LockyardError(code, `${first.where}: ${first.what}${more}.`, { hint: first.hint, faults });
  }

  /** Whatever is wrong with one claim is thrown below and becomes one fault here. */
  #add(claim: unknown, index: number): void {
    this.#index = index;
    this.#verb = "";
    try {
      const { verb, value, beside } = parseShape(claim);
      this.#verb = `.${verb}`;
      if (typeof value !== "string" || value === "") throw refusal("INVALID_CLAIM", "must be a non-empty text", FORMS);
      this.#addVerb(verb, value, beside);
    } catch (error) {
      const code = errorCode(error);
      if (code === undefined || code === "BUG") throw error;
      const { message, hint } = error as LockyardError; // has a code: ours, or the file system's (EIO), then without a hint
      const ours = code === "UNKNOWN_RESOURCE" ? code : "INVALID_CLAIM";
      const fault = { code: ours, where: this.#where(), what: message.replace(/\.$/, "") } as const;
      this.#faults.push(hint === undefined ? fault : { ...fault, hint });
    }
  }

  #where(): string {
    return `${this.#context.where ?? "claims"}[${this.#index}]${this.#verb}`;
  }

  #addVerb(verb: Verb, value: string, beside: unknown): void {
    switch (verb) {
      case "write":
        this.#addPath(value, EXCLUSIVE);
        break;
      case "read":
        this.#addPath(value, SHARED);
        break;
      case "observe":
        this.#observed.push(value);
        break;
      case "use":
        this.#addUse(value, beside);
        break;
      case "lock":
        this.#addLock(value, beside);
        break;
    }
  }

  #addPath(path: string, mode: Mode): void {
    const { paths, root, cache, isRecheck } = this.#context;
    const nodes = isRecheck ? paths.recheck(path, root) : paths.nodes(path, root);
    for (const node of nodes) this.#claims.push(cache.get(node, mode));
  }

  #addUse(value: string, beside: unknown): void {
    const { name, units } = parseUse(value, beside);
    const resource = this.#context.declared.get(name);
    if (resource === undefined) {
      const what = `no capacity, pool or rate named "${name}"`;
      throw refusal("UNKNOWN_RESOURCE", what, didYouMean(name, this.#context.declared));
    }
    this.#take(resource, units);
  }

  #addLock(name: string, mode: unknown): void {
    if (mode !== undefined && mode !== "exclusive" && mode !== "shared") {
      throw refusal("INVALID_CLAIM", `has the mode ${JSON.stringify(mode)}, which is neither exclusive nor shared`);
    }
    const { declared, cache, names } = this.#context;
    const want = mode === "shared" ? SHARED : EXCLUSIVE;
    const known = names.get(name);
    if (known !== undefined) {
      this.#claims.push(cache.get(known, want));
      return;
    }
    const resource = declared.get(name.normalize("NFC"));
    if (resource !== undefined) this.#take(resource, 1);
    else this.#claims.push(cache.get(this.#nameNode(name), want));
  }

  #nameNode(name: string): string {
    const { names, root, workspace } = this.#context;
    const node = gitNode(name, root) ?? nameNode(name, workspace);
    if (names.size >= BOUNDS.pathCache) names.clear();
    names.set(name, node);
    return node;
  }

  #take(resource: DeclaredResource, units: number): void {
    if (!this.#taken.has(resource.node)) this.#taken.set(resource.node, { resource, where: this.#where() });
    this.#claims.push(this.#context.cache.get(resource.node, resource.kind === "rate" ? RATE : UNITS, units));
  }
}

const WIDER = "Claim a directory instead of the files in it.";

/** The hint of an unknown name: the nearest declared one with its size and place, and the way to a plain mutex. */
export function didYouMean(name: string, declared: ReadonlyMap<string, DeclaredResource>): string {
  const near = declared.get(suggest(name, declared.keys()) ?? "");
  const meant =
    near === undefined ? "" : `Did you mean "${near.name}" (${describeDeclared(near)}, ${near.declaredBy})? `;
  return `${meant}For a plain mutex: lock ${name}`;
}

function overCapacity(resource: DeclaredResource, units: number): string {
  const asked = units.toLocaleString("en-US");
  const has = resource.capacity.toLocaleString("en-US");
  switch (resource.kind) {
    case "capacity":
      return `asks for ${asked} units of "${resource.name}" in all and it has ${has} (${resource.declaredBy})`;
    case "pool":
      return `asks for ${asked} members of the pool "${resource.name}" in all and it has ${has} (${resource.declaredBy})`;
    case "rate":
      return `asks for ${asked} at once of the rate "${resource.name}" and its burst is ${has} (${resource.declaredBy})`;
  }
}

function raise(resource: DeclaredResource, units: number): string {
  const key = { capacity: "capacity", pool: "pool members", rate: "burst" }[resource.kind];
  return `Ask for at most ${resource.capacity}, or raise the ${key} of "${resource.name}" to ${units} where it is declared.`;
}
