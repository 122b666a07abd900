import { LockyardError } from "../core/errors.ts";
import type { Claim } from "../core/task.ts";

export interface AddClaimOptions {
  /** Of a lock; default exclusive. */
  readonly mode?: "exclusive" | "shared";
  /** Of a declared capacity, pool or rate; default 1. */
  readonly units?: number;
}

const NOTHING: readonly never[] = [];

/**
 * What a task asks for beyond its own `claims`, gathered by `identifyRequiredResources`. Each claim remembers from what it
 * was inferred.
 */
export class ResourceClaims {
  #claims: readonly Claim[] = NOTHING;
  #from: readonly string[] = NOTHING;
  readonly #isDeclared: (name: string) => boolean;

  constructor(
    identified: readonly { readonly claim: Claim; readonly from: string }[],
    isDeclared: (name: string) => boolean,
  ) {
    this.#isDeclared = isDeclared;
    if (identified.length > 0) {
      this.#claims = identified.map(({ claim }) => claim);
      this.#from = identified.map(({ from }) => from);
    }
  }

  get size(): number {
    return this.#claims.length;
  }

  /** The claims, in the order they were added. */
  get claims(): readonly Claim[] {
    return this.#claims;
  }

  /**
   * Adds a resource by name, or a claim. A name that is declared as capacity, pool or rate takes one unit of it; any other
   * name is locked, exclusively unless `mode` says "shared". Throws INVALID_CLAIM.
   */
  add(resource: string | Claim, options: AddClaimOptions = {}): this {
    this.#claims = [...this.#claims, typeof resource === "string" ? this.#named(resource, options) : resource];
    this.#from = [...this.#from, "identifyRequiredResources"];
    return this;
  }

  /** What each claim was inferred from, for `plan` and `why`. */
  explain(): readonly { readonly claim: Claim; readonly from: string }[] {
    return this.#claims.map((claim, index) => ({ claim, from: this.#from[index] ?? "" }));
  }

  #named(name: string, { mode, units }: AddClaimOptions): Claim {
    if (this.#isDeclared(name)) return units === undefined ? { use: name } : { use: name, units };
    if (units !== undefined) {
      throw new LockyardError(
        "INVALID_CLAIM",
        `${name} has no units: no capacity, pool or rate of this name is declared.`,
        {
          hint: `Declare it: resources: { ${JSON.stringify(name)}: { capacity: ${units} } }.`,
        },
      );
    }
    return mode === undefined ? { lock: name } : { lock: name, mode };
  }
}
