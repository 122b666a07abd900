/** The claims of a command line, written as everywhere: `--write PATH`, `--read PATH`, `--use NAME[:UNITS]`, `--lock NAME`. */
import type { Claim } from "../../index.ts";

export interface ClaimOptions {
  readonly write?: readonly string[];
  readonly read?: readonly string[];
  readonly observe?: readonly string[];
  readonly use?: readonly string[];
  readonly lock?: readonly string[];
  /** Names locked together with other readers. */
  readonly shared?: readonly string[];
}

export function claimsOf({ write, read, observe, use, lock, shared }: ClaimOptions): readonly Claim[] {
  return [
    ...(use ?? []).map((name) => ({ use: name })),
    ...(write ?? []).map((path) => ({ write: path })),
    ...(read ?? []).map((path) => ({ read: path })),
    ...(observe ?? []).map((path) => ({ observe: path })),
    ...(lock ?? []).map((name) => ({ lock: name })),
    ...(shared ?? []).map((name) => ({ lock: name, mode: "shared" as const })),
  ];
}

/** Whether going on without them could damage what somebody else works on. Capacities only keep the machine usable. */
export function areHard(claims: readonly Claim[]): boolean {
  return claims.some((claim) => !("use" in claim || "observe" in claim));
}
