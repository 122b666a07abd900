/** Claims of a plan's task: short forms and the long form → one list, checked as far as no variable stands in them. */
import { BOUNDS } from "../core/bounds.ts";
import { type DeclaredResource, describeDeclared } from "../core/declared.ts";
import { errorCode } from "../core/errors.ts";
import { nameNode } from "../core/names.ts";
import { pathNode } from "../core/paths.ts";
import { suggest } from "../core/suggest.ts";
import type { Claim } from "../core/task.ts";
import { type FaultList, type Path, phrase, quote } from "./faults.ts";
import type { RawClaim, RawTask } from "./schema.ts";
import { hasTemplate } from "./template.ts";

/** A claim and where its text stands. */
export interface PlacedClaim {
  readonly claim: Claim;
  readonly path: Path;
}

const SHORT = ["write", "read", "observe", "use", "lock"] as const;

/** Every claim a task writes down, `use: build:2` still as it stands. */
export function readClaims(raw: Pick<RawTask, (typeof SHORT)[number] | "claims">, path: Path): readonly PlacedClaim[] {
  const claims: PlacedClaim[] = [];
  for (const verb of SHORT) {
    const value = raw[verb];
    if (value === undefined) continue;
    const place = [...path, verb];
    if (typeof value === "string") claims.push({ claim: claimOf(verb, value), path: place });
    else
      for (const [index, text] of value.entries()) claims.push({ claim: claimOf(verb, text), path: [...place, index] });
  }
  for (const [index, claim] of (raw.claims ?? []).entries()) {
    claims.push({ claim: plainClaim(claim), path: [...path, "claims", index, verbOf(claim)] });
  }
  return claims;
}

function claimOf(verb: (typeof SHORT)[number], value: string): Claim {
  switch (verb) {
    case "write":
      return { write: value };
    case "read":
      return { read: value };
    case "observe":
      return { observe: value };
    case "use":
      return { use: value };
    case "lock":
      return { lock: value };
  }
}

/** Without members that are undefined. */
function plainClaim(claim: RawClaim): Claim {
  if ("use" in claim) return claim.units === undefined ? { use: claim.use } : { use: claim.use, units: claim.units };
  if ("lock" in claim) return claim.mode === undefined ? { lock: claim.lock } : { lock: claim.lock, mode: claim.mode };
  return claim;
}

function verbOf(claim: RawClaim): (typeof SHORT)[number] {
  return SHORT.find((verb) => verb in claim) ?? "write";
}

/** The text of a claim: its path or name. */
export function claimText(claim: Claim): string {
  if ("write" in claim) return claim.write;
  if ("read" in claim) return claim.read;
  if ("observe" in claim) return claim.observe;
  return "use" in claim ? claim.use : claim.lock;
}

/** The same claim with another text. */
export function withText(claim: Claim, text: string): Claim {
  if ("write" in claim) return { write: text };
  if ("read" in claim) return { read: text };
  if ("observe" in claim) return { observe: text };
  return "use" in claim ? { ...claim, use: text } : { ...claim, lock: text };
}

interface Checking {
  readonly root: string;
  readonly faults: FaultList;
  /** What counts for each declared name. */
  readonly resources: ReadonlyMap<string, DeclaredResource>;
  /** Names that are declared, but wrongly: already a fault of their own. */
  readonly isBroken: (name: string) => boolean;
}

/** Checks the claims of one task, those with templates left out, and returns them with units as numbers. */
export function checkClaims(claims: readonly PlacedClaim[], checking: Checking): readonly PlacedClaim[] {
  const { faults, resources } = checking;
  const sums = new Map<string, number>();
  const first = claims[0];
  if (first !== undefined && claims.length > BOUNDS.claimsPerTask) {
    faults.add(
      { path: first.path },
      `${claims.length} claims and the limit is ${BOUNDS.claimsPerTask}`,
      "claim a directory, it covers all below it",
    );
  }
  return claims.slice(0, BOUNDS.claimsPerTask).map((placed) => {
    const { claim, path } = placed;
    if (hasTemplate(claimText(claim))) return placed;
    if (!("use" in claim)) {
      checkText(claim, path, checking);
      return placed;
    }
    const use = parseUse(claim.use, claim.units);
    if (typeof use === "string") {
      faults.add({ path }, use, "write NAME or NAME:UNITS");
      return placed;
    }
    const resource = resources.get(use.name.normalize("NFC"));
    if (resource === undefined) {
      if (!checking.isBroken(use.name))
        faults.add({ path }, `no capacity, pool or rate named ${quote(use.name)}`, unknownHint(use.name, resources));
      return placed;
    }
    const sum = (sums.get(resource.name) ?? 0) + use.units;
    sums.set(resource.name, sum);
    if (sum > resource.capacity)
      faults.add(
        { path },
        `${sum} of ${quote(resource.name)} and there ${are(resource)} (${resource.declaredBy})`,
        "ask for less, or raise it where it is declared",
      );
    return { claim: use.units === 1 ? { use: use.name } : { use: use.name, units: use.units }, path };
  });
}

/** `build:2` → its name and units, or what is wrong. */
function parseUse(text: string, units: number | undefined): { readonly name: string; readonly units: number } | string {
  const match = /^(.*):([^:]*)$/s.exec(text);
  if (match === null) return { name: text, units: units ?? 1 };
  const [, name = "", written = ""] = match;
  if (units !== undefined) return `the units of ${quote(name)} are given twice`;
  return /^[1-9]\d{0,9}$/.test(written) ? { name, units: Number(written) } : `${quote(written)} is no number of units`;
}

function are({ kind, capacity }: DeclaredResource): string {
  const count = capacity.toLocaleString("en");
  switch (kind) {
    case "capacity":
      return capacity === 1 ? "is 1 unit" : `are ${count} units`;
    case "pool":
      return capacity === 1 ? "is 1 member" : `are ${count} members`;
    case "rate":
      return `may be ${count} at once`;
  }
}

function unknownHint(name: string, resources: ReadonlyMap<string, DeclaredResource>): string {
  const near = resources.get(suggest(name, resources.keys()) ?? "");
  // Without configuration the size of `build` is not known.
  if (near !== undefined && near.capacity >= BOUNDS.units)
    return `did you mean "${near.name}"? for a plain mutex write lock: ${name}`;
  const meant =
    near === undefined ? "" : `did you mean "${near.name}" (${describeDeclared(near)}, ${near.declaredBy})? `;
  return `${meant}for a plain mutex write lock: ${name}`;
}

/** Paths and names that no store would take. */
function checkText(claim: Claim, path: Path, { root, faults }: Checking): void {
  const text = claimText(claim);
  try {
    if ("lock" in claim) nameNode(text, "workspace");
    else pathNode(text, root);
  } catch (error) {
    if (errorCode(error) !== "INVALID_CLAIM" || !(error instanceof Error)) throw error;
    const hint = "hint" in error && typeof error.hint === "string" ? phrase(error.hint) : undefined;
    faults.add({ path }, phrase(error.message), hint);
  }
}
