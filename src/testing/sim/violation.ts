/** Something that must never happen has happened. Ends the run of its seed. */
export interface Violation {
  /** `L1` … `L13`, `lost`, `duplicate`, `liveness`, `rollback`, `crash`. */
  readonly rule: string;
  readonly what: string;
}

/** Collects the first violations of a run; the run stops at the first. */
export class Verdict {
  readonly violations: Violation[] = [];

  fail(rule: string, what: string): void {
    this.violations.push({ rule, what });
  }

  get isBroken(): boolean {
    return this.violations.length > 0;
  }
}
