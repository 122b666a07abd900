/** Seeded chance in the forms a simulation asks for. */
import { seededRandom } from "../../clock/virtual-clock.ts";

export class Chance {
  readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
    // Neighbouring seeds start from neighbouring states: the first draws are thrown away.
    this.random();
    this.random();
  }

  /** A whole number from 0 to `below` - 1. */
  pick(below: number): number {
    return Math.floor(this.random() * below);
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + this.pick(high - low + 1);
  }

  is(probability: number): boolean {
    return this.random() < probability;
  }

  oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.pick(items.length)];
  }

  /** Milliseconds until something that happens every `meanMs` happens next. */
  wait(meanMs: number): number {
    return Math.ceil(-Math.log(1 - this.random()) * meanMs);
  }
}
