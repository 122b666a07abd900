import type { Claim } from "./task.ts";

/** As it was asked for: `build, src/api`. */
export function claimNames(claims: readonly Claim[]): string {
  return claims
    .map((claim) => {
      if ("use" in claim) return claim.use;
      if ("lock" in claim) return claim.lock;
      return "write" in claim ? claim.write : "read" in claim ? claim.read : claim.observe;
    })
    .join(", ");
}
