/** Names and pairs of names for the benches that lock: seeded, so that every case and every round asks for the same. */
import { seededRandom } from "../src/clock/virtual-clock.ts";

export const NAMES = 1_024;

/** `NAMES` names four levels deep: 4 × 8 × 32 branches, so that tasks meet on the same ones. */
export function deepNames(): string[] {
  return Array.from({ length: NAMES }, (_, at) => `area${at % 4}/part${at % 8}/unit${at % 32}/item${at}`);
}

/** Two different indexes below `NAMES`, ascending, for each of `count` tasks. */
export function pairs(count: number, seed = 7): (readonly [number, number])[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const one = Math.floor(random() * NAMES);
    const other = (one + 1 + Math.floor(random() * (NAMES - 1))) % NAMES;
    return one < other ? [one, other] : [other, one];
  });
}
