/** Paths of a command line are relative to where it is typed, those of the engine to the workspace. */
import { resolve } from "node:path";
import type { Claim } from "../../index.ts";

export function placed(claims: readonly Claim[], cwd: string): readonly Claim[] {
  return claims.map((claim) => {
    if ("write" in claim) return { write: resolve(cwd, claim.write) };
    if ("read" in claim) return { read: resolve(cwd, claim.read) };
    return "observe" in claim ? { observe: resolve(cwd, claim.observe) } : claim;
  });
}
