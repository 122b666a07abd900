/** The simulation itself: many worlds, no violation, and everything happened that must happen now and then. */
import { describe, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { kernelLevel } from "../../src/testing/sim/kernel/level.ts";
import type { Level } from "../../src/testing/sim/levels.ts";
import { managerLevel } from "../../src/testing/sim/manager/level.ts";
import { simulate } from "../../src/testing/sim/simulate.ts";

async function run(
  level: Level,
  seeds: number,
): Promise<{ readonly said: string; readonly missing: readonly string[] }> {
  const lines: string[] = [];
  try {
    const { failed, missing } = await simulate(level, {
      seeds,
      seed: 1,
      isTraced: false,
      clock: systemClock(),
      say: (line) => lines.push(line),
      command: `npm run sim -- --level ${level.name}`,
    });
    return { said: failed.length === 0 ? "" : lines.join("\n"), missing };
  } finally {
    level.close();
  }
}

describe("simulated worlds", () => {
  test("the kernel keeps every invariant in 1,000 of them, and every interesting thing happens", async () => {
    expect(await run(kernelLevel("memory"), 1_000)).toEqual({ said: "", missing: [] });
  });

  test("managers keep every invariant in 1,000 of them, and every interesting thing happens", async () => {
    expect(await run(managerLevel(), 1_000)).toEqual({ said: "", missing: [] });
  });

  test("the SQLite ledger keeps every invariant with a connection for each process", async () => {
    expect(await run(kernelLevel("sqlite"), 60)).toEqual({ said: "", missing: [] });
  });
});

describe("one seed", () => {
  const levels: readonly (() => Level)[] = [() => kernelLevel("memory"), () => kernelLevel("sqlite"), managerLevel];

  test("gives the same trace, byte for byte, every time", async () => {
    for (const open of levels) {
      for (const seed of [3, 11, 20]) {
        const [one, two] = [open(), open()];
        try {
          const [first, second] = [await one.run(seed), await two.run(seed)];
          expect(first.trace.lines.length).toBeGreaterThan(10);
          expect(second.trace.lines).toEqual(first.trace.lines);
          expect(second.trace.fingerprint()).toBe(first.trace.fingerprint());
        } finally {
          one.close();
          two.close();
        }
      }
    }
  });

  test("another one gives another trace", async () => {
    for (const open of levels) {
      const level = open();
      try {
        const [three, four] = [await level.run(3), await level.run(4)];
        expect(three.trace.fingerprint()).not.toBe(four.trace.fingerprint());
      } finally {
        level.close();
      }
    }
  });
});
