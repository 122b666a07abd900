/**
 * Who touches what, by what the agents themselves say when they begin and stop. Nothing a store says is asked here: this
 * book alone decides whether two agents ever worked on the same thing at once.
 */
import type { Verdict } from "../violation.ts";
import { type GhostClaim, GhostNames } from "./ghost-task.ts";

export interface Touch {
  readonly id: string;
  readonly holderKey: number;
  /** Of the grant behind it: tells which of two was granted first. */
  readonly fence: number;
  readonly ancestors: readonly number[];
  readonly claims: readonly GhostClaim[];
  readonly members: Readonly<Record<string, readonly string[]>>;
}

export class GhostTouches {
  readonly #names = new GhostNames();
  readonly #touches = new Map<string, Touch>();
  readonly #verdict: Verdict;

  constructor(verdict: Verdict) {
    this.#verdict = verdict;
  }

  get size(): number {
    return this.#touches.size;
  }

  ids(): readonly string[] {
    return [...this.#touches.keys()];
  }

  isTouched(holderKey: number): boolean {
    for (const touch of this.#touches.values()) if (touch.holderKey === holderKey) return true;
    return false;
  }

  begin(touch: Touch): void {
    if (this.#touches.has(touch.id)) this.#verdict.fail("duplicate", `${touch.id} was started twice`);
    for (const other of this.#touches.values()) {
      if (!mayBeInside(touch, other) && this.#names.conflict(touch.claims, other.claims)) {
        this.#verdict.fail("L1", `${touch.id} began while ${other.id} was inside`);
      }
      this.#compareMembers(touch, other);
    }
    this.#touches.set(touch.id, touch);
  }

  /** Those who run, or ran, inside one holder share what it had. */
  #compareMembers(touch: Touch, other: Touch): void {
    if ([touch.holderKey, ...touch.ancestors].some((key) => key === other.holderKey || other.ancestors.includes(key)))
      return;
    for (const [node, members] of Object.entries(touch.members)) {
      const twice = members.find((member) => other.members[node]?.includes(member));
      if (twice !== undefined)
        this.#verdict.fail("L3", `${touch.id} and ${other.id} both use member ${twice} of ${node}`);
    }
  }

  end(id: string): void {
    this.#touches.delete(id);
  }
}

/** What is granted later may lie within what it runs inside of; never the other way round. */
function mayBeInside(a: Touch, b: Touch): boolean {
  const [earlier, later] = a.fence < b.fence ? [a, b] : [b, a];
  return earlier.holderKey === later.holderKey || later.ancestors.includes(earlier.holderKey);
}
