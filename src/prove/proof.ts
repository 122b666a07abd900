/** What a proof answers: what it counted, and what should not have been. */

/** Faults listed in one report; the rest is counted. */
const FAULTS_LISTED = 20;

export interface ProofReport {
  readonly name: string;
  readonly seed: number;
  readonly counts: Readonly<Record<string, number>>;
  /** One sentence each. Empty: nothing was seen that must not be. */
  readonly faults: readonly string[];
}

/** Collects sentences, bounded. */
export class Faults {
  readonly #listed: string[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(sentence: string): void {
    this.#count++;
    if (this.#listed.length < FAULTS_LISTED) this.#listed.push(sentence);
  }

  list(): readonly string[] {
    const more = this.#count - this.#listed.length;
    return more === 0 ? this.#listed : [...this.#listed, `and ${more} more`];
  }
}

/**
 * None in N independent trials is no proof. It bounds the rate: below 3 in N with 95 % confidence ("rule of three").
 * Answers the bound in words.
 */
export function boundAfter(trials: number): string {
  const rate = trials > 0 ? 3 / trials : 1;
  return rate >= 1
    ? "too few to say anything of the rate"
    : `at most ${(rate * 100).toPrecision(2)} % (95 % confidence)`;
}
