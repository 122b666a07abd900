import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MAX_TIMER_MS } from "../core/bounds.ts";
import { clampDelay, systemClock } from "./system-clock.ts";
import { seededRandom, virtualClock } from "./virtual-clock.ts";

describe("system clock", () => {
  test("now is the machine's monotonic clock, the same in every process", () => {
    const clock = systemClock();
    const hrtimeMs = Number(process.hrtime.bigint()) / 1e6;
    expect(Math.abs(clock.nowMs() - hrtimeMs)).toBeLessThan(50);
    if (process.platform === "linux") {
      // Uptime counts suspends, the monotonic clock does not: it can only be behind.
      const uptimeMs = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
      expect(clock.nowMs()).toBeLessThan(uptimeMs + 1_000);
    }
  });

  test("delays are clamped to what setTimeout keeps", () => {
    expect(clampDelay(Number.NaN)).toBe(0);
    expect(clampDelay(-5)).toBe(0);
    expect(clampDelay(1e12)).toBe(MAX_TIMER_MS);
    expect(clampDelay(0.2)).toBe(1);
  });

  test("a timer fires once, a cancelled one never", async () => {
    const clock = systemClock();
    const fired: string[] = [];
    await new Promise<void>((resolve) => {
      clock.setTimer(1, () => fired.push("cancelled")).cancel();
      clock.setTimer(2, () => {
        fired.push("kept");
        resolve();
      });
    });
    expect(fired).toEqual(["kept"]);
  });
});

describe("virtual clock", () => {
  test("fires in order of due time, then of setting, whatever the order of setting", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 40 }), async (delays) => {
        const clock = virtualClock();
        const fired: number[] = [];
        for (const [index, delay] of delays.entries()) clock.setTimer(delay, () => fired.push(index));
        await clock.advance(50);
        const expected = delays.map((delay, index) => ({ delay, index })).sort((a, b) => a.delay - b.delay);
        expect(fired).toEqual(expected.map(({ index }) => index));
      }),
      { numRuns: 50 },
    );
  });

  test("what a timer made runnable runs before the next timer fires", async () => {
    const clock = virtualClock();
    const order: string[] = [];
    clock.setTimer(1, () => {
      order.push("first timer");
      Promise.resolve()
        .then(() => undefined)
        .then(() => order.push("its continuation"))
        .catch(() => undefined);
    });
    clock.setTimer(1, () => order.push("second timer"));
    await clock.advance(1);
    expect(order).toEqual(["first timer", "its continuation", "second timer"]);
  });

  test("idle means that only background timers are left", async () => {
    const clock = virtualClock();
    let beats = 0;
    const beat = () => {
      beats++;
      clock.setTimer(10, beat, { background: true });
    };
    beat();
    clock.setTimer(35, () => undefined);
    await clock.runUntilIdle();
    expect(beats).toBe(4);
    expect(clock.pendingTimers()).toBe(0);
  });

  test("run moves time until the work settles, and a hang is an error", async () => {
    const clock = virtualClock({ startMs: 0 });
    const work = new Promise<string>((resolve) => {
      clock.setTimer(5_000, () => resolve("done"));
    });
    await expect(clock.run(work)).resolves.toBe("done");
    expect(clock.nowMs()).toBe(5_000);
    await expect(clock.run(new Promise(() => undefined))).rejects.toThrow(/no timer is set/);
    await expect(clock.run(Promise.reject(new Error("mine")))).rejects.toThrow("mine");
  });

  test("the same seed gives the same chance", () => {
    const [one, two, other] = [seededRandom(7), seededRandom(7), seededRandom(8)];
    const draw = (random: () => number) => Array.from({ length: 20 }, random);
    const first = draw(one);
    expect(draw(two)).toEqual(first);
    expect(draw(other)).not.toEqual(first);
    expect(first.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});
