/**
 * The monitor's book: what the holders themselves wrote, in one order. It knows nothing of Lockyard's tables.
 *
 *  M1 whoever acts (any record) after another began with a conflicting claim had overlapped with it
 *  M2 so had whoever is seen alive, without an end in the book, after another began
 *  M3 units of all who overlap at a beginning never exceed the capacity
 *  M4 each fence begins once, and among conflicting claims fences only grow
 *
 * Neither M1 nor M2 can accuse the innocent: a holder that ended, or died, does not write or live afterwards.
 */
import type { Faults } from "./proof.ts";
import { claimsConflict, readClaims, STORM_CAPACITY, type StormClaim } from "./storm-claims.ts";

export interface Holding {
  readonly fence: number;
  /** `workflow/task`. */
  readonly task: string;
  /** Of whoever wrote last for it. */
  pid: number;
  /** That process was seen dead. */
  isGone: boolean;
  readonly claims: readonly StormClaim[];
  /** Conflicting holders and co-holders of units that began while this one was in the book as open. */
  readonly laterRivals: Set<number>;
  hasEnded: boolean;
}

export interface BookOptions {
  readonly faults: Faults;
  /** Whether the process with this number, of the holder with this fence, lives now. */
  readonly isAlive: (holding: Holding) => boolean;
}

/** Holders kept as open although they will never write again, so that a late act of theirs is still seen. */
const OPEN_KEPT = 2_000;

export class StormBook {
  readonly #options: BookOptions;
  readonly #byFence = new Map<number, Holding>();
  readonly #open = new Map<number, Holding>();
  /** Highest fence that began, by mode and name. */
  readonly #highest = new Map<string, { readonly claim: StormClaim; fence: number }>();
  readonly ended = new Map<string, number[]>();
  #rest = "";
  begun = 0;
  overlaps = 0;

  constructor(options: BookOptions) {
    this.#options = options;
  }

  /** Holders without an end. The youngest last; most of the older ones are dead. */
  get open(): readonly Holding[] {
    return [...this.#open.values()];
  }

  holding(fence: number): Holding | undefined {
    return this.#byFence.get(fence);
  }

  /** The next piece of the file, however it was cut. */
  read(text: string): void {
    const lines = (this.#rest + text).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#record(line);
  }

  #record(line: string): void {
    const [kind, fenceText, task = "", pid, claims = ""] = line.split(" ");
    const fence = Number(fenceText);
    if (kind === "b") return this.#begin({ fence, task, pid: Number(pid), claims: readClaims(claims) });
    const holding = this.#byFence.get(fence);
    if (holding === undefined || (kind !== "t" && kind !== "e")) {
      this.#options.faults.add(`The book has "${line.slice(0, 100)}", which nobody began.`);
      return;
    }
    this.#actAfterRivals(holding);
    if (holding.pid !== Number(pid)) Object.assign(holding, { pid: Number(pid), isGone: false });
    if (kind === "t") return;
    if (holding.hasEnded) this.#options.faults.add(`${holding.task} ended twice with fence ${fence}.`);
    holding.hasEnded = true;
    this.#open.delete(fence);
    this.ended.set(task, [...(this.ended.get(task) ?? []), fence]);
  }

  #begin(begun: Pick<Holding, "fence" | "task" | "pid" | "claims">): void {
    const { faults } = this.#options;
    const holding: Holding = { ...begun, laterRivals: new Set(), isGone: false, hasEnded: false };
    this.begun++;
    if (this.#byFence.has(begun.fence))
      faults.add(`Fence ${begun.fence} began twice, the second time as ${begun.task}.`);
    this.#checkOrder(holding);
    for (const other of this.#open.values()) {
      if (areRivals(other, holding)) other.laterRivals.add(holding.fence);
    }
    this.#byFence.set(begun.fence, holding);
    this.#open.set(begun.fence, holding);
    const oldest = this.#open.keys().next();
    if (this.#open.size > OPEN_KEPT && oldest.done !== true) this.#open.delete(oldest.value);
  }

  /** M4 */
  #checkOrder({ fence, task, claims }: Holding): void {
    for (const claim of claims) {
      for (const { claim: other, fence: highest } of this.#highest.values()) {
        if (highest > fence && claimsConflict(claim, other)) {
          this.#options.faults.add(`${task} began with fence ${fence} on ${claim.name} after fence ${highest}.`);
        }
      }
      const id = `${claim.mode} ${claim.name}`;
      const known = this.#highest.get(id);
      if (known === undefined) this.#highest.set(id, { claim, fence });
      else known.fence = Math.max(known.fence, fence);
    }
  }

  /** M1 and M3: it acts now, so it held when each of these began. */
  #actAfterRivals(holding: Holding): void {
    for (const fence of holding.laterRivals) {
      const rival = this.#byFence.get(fence);
      if (rival !== undefined) this.#accuse(holding, rival, "acted");
    }
    holding.laterRivals.clear();
  }

  /** M2 and M3: looked at after everything that is in the book by now had begun. */
  look(): void {
    for (const holding of this.#open.values()) {
      if (holding.laterRivals.size === 0 || holding.isGone) continue;
      if (!this.#options.isAlive(holding)) {
        holding.isGone = true;
        continue;
      }
      for (const fence of holding.laterRivals) {
        const rival = this.#byFence.get(fence);
        if (rival !== undefined) this.#accuse(holding, rival, "was alive");
      }
      holding.laterRivals.clear();
    }
  }

  #accuse(holding: Holding, rival: Holding, what: "acted" | "was alive"): void {
    const clash = holding.claims.find((claim) => rival.claims.some((other) => claimsConflict(claim, other)));
    if (clash !== undefined) {
      this.overlaps++;
      const sentence = `${holding.task} (fence ${holding.fence}) ${what} on ${clash.name} after ${rival.task} (fence ${rival.fence}) had begun.`;
      this.#options.faults.add(sentence);
      return;
    }
    // Units: this one was certainly there when the rival began. So were all others of which the same is certain.
    const together = this.#certainUnits(rival, holding);
    if (together <= STORM_CAPACITY.capacity) return;
    this.overlaps++;
    this.#options.faults.add(
      `${together} units of ${STORM_CAPACITY.name} were out when ${rival.task} (fence ${rival.fence}) began, and there are ${STORM_CAPACITY.capacity}.`,
    );
  }

  readonly #proven = new Map<number, Map<number, number>>();

  /** Sum of units of those proven to have held when `rival` began, `holding` now among them. */
  #certainUnits(rival: Holding, holding: Holding): number {
    const held = this.#proven.get(rival.fence) ?? new Map<number, number>([[rival.fence, unitsOf(rival)]]);
    held.set(holding.fence, unitsOf(holding));
    this.#proven.set(rival.fence, held);
    let sum = 0;
    for (const units of held.values()) sum += units;
    return sum;
  }
}

function areRivals(a: Holding, b: Holding): boolean {
  if (unitsOf(a) > 0 && unitsOf(b) > 0) return true;
  return a.claims.some((claim) => b.claims.some((other) => claimsConflict(claim, other)));
}

function unitsOf({ claims }: Holding): number {
  return claims.reduce((sum, { mode, units }) => sum + (mode === "u" ? units : 0), 0);
}
