/** Random turns over the memory ledger, judged after each by a brute-force checker that shares no code with the kernel. */
import { describe, expect, it } from "vitest";
import { kernelFaults } from "../../src/testing/kernel-check.ts";
import { RandomWorld } from "../../src/testing/random-world.ts";

const SEEDS = Number(process.env.LOCKYARD_KERNEL_SEEDS ?? 60);

describe("random turns on the memory ledger", () => {
  it("keep every invariant and forget no waiter", { timeout: 600_000 }, () => {
    const totals = { admitted: 0, reserved: 0, refused: 0, carried: 0, maxPassed: 0 };
    for (let seed = 1; seed <= SEEDS; seed++) {
      const world = new RandomWorld(seed);
      for (let step = 0; step < 300; step++) {
        world.step();
        const faults = kernelFaults(world.look());
        expect(faults, `seed ${seed}, step ${step}`).toEqual([]);
      }
      const left = world.runDry();
      expect(left, `seed ${seed} runs dry`).toEqual([]);
      for (const name of ["admitted", "reserved", "refused", "carried"] as const) totals[name] += world.totals[name];
      totals.maxPassed = Math.max(totals.maxPassed, world.totals.maxPassed);
    }
    // The interesting things happened.
    for (const [name, count] of Object.entries(totals)) expect(count, name).toBeGreaterThan(0);
    if (process.env.LOCKYARD_VERBOSE) console.log(totals);
  });
});
