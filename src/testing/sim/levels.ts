/** A level of the simulation: what one seed of it is, and what must have happened in many. */
import type { Trace } from "./trace.ts";
import type { Violation } from "./violation.ts";

export interface SeedReport {
  readonly seed: number;
  readonly violations: readonly Violation[];
  readonly trace: Trace;
}

/** Events of a level and how often each happened. */
export interface Catalogue {
  readonly size: number;
  missing(): readonly string[];
  entries(): Iterable<readonly [string, number]>;
}

export interface Level {
  readonly name: "kernel" | "manager";
  readonly catalogue: Catalogue;
  /** Events that cannot happen on this ledger, and why. */
  readonly excused: ReadonlyMap<string, string>;
  run(seed: number): SeedReport | Promise<SeedReport>;
  close(): void;
}
