/** What tasks of the storm ask for: few names, nested, shared and counted, so that nearly everybody meets somebody. */
import type { Claim } from "../index.ts";

/** `x` exclusive, `s` shared, `u` units of the one capacity. Names have levels with `/`. */
export interface StormClaim {
  readonly mode: "x" | "s" | "u";
  readonly name: string;
  readonly units: number;
}

export const STORM_CAPACITY = { name: "storm_units", capacity: 3 } as const;

const PLACES = 8;

export function randomClaims(random: () => number): readonly StormClaim[] {
  const claims = new Map<string, StormClaim>();
  for (let left = random() < 0.5 ? 1 : 2; left > 0; left--) {
    const name = `storm/${Math.floor(random() * PLACES)}${random() < 0.4 ? `/${Math.floor(random() * 2)}` : ""}`;
    claims.set(name, { mode: random() < 0.7 ? "x" : "s", name, units: 1 });
  }
  if (random() < 0.3) {
    const units = 1 + Math.floor(random() * 2);
    claims.set(STORM_CAPACITY.name, { mode: "u", name: STORM_CAPACITY.name, units });
  }
  return [...claims.values()];
}

export function claimOf({ mode, name, units }: StormClaim): Claim {
  if (mode === "u") return { use: name, units };
  return { lock: `machine:${name}`, mode: mode === "x" ? "exclusive" : "shared" };
}

/** One word for the monitor's book: `x:storm/3,u:storm_units:2`. */
export function writtenClaims(claims: readonly StormClaim[]): string {
  return claims.map(({ mode, name, units }) => `${mode}:${name}:${units}`).join(",");
}

export function readClaims(text: string): readonly StormClaim[] {
  return text.split(",").map((word) => {
    const [mode, name = "", units] = word.split(":");
    return { mode: mode === "s" || mode === "u" ? mode : "x", name, units: Number(units) };
  });
}

/** The monitor's own rule; it shares no code with the kernel's. */
export function claimsConflict(a: StormClaim, b: StormClaim): boolean {
  if (a.mode === "u" || b.mode === "u" || (a.mode === "s" && b.mode === "s")) return false;
  return a.name === b.name || a.name.startsWith(`${b.name}/`) || b.name.startsWith(`${a.name}/`);
}
