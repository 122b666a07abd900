/** Short in CI, long when asked for (`node scripts/dev.mjs prove -- --long`). */
export const isLong = process.env.LOCKYARD_PROOFS === "long";

/** Milliseconds a proof may take before it counts as hanging. */
export const LIMIT_MS = isLong ? 3_600_000 : 420_000;

export function sized({ short, long }: { readonly short: number; readonly long: number }): number {
  return isLong ? long : short;
}
