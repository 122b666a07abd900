import fc from "fast-check";
import { expect, test } from "vitest";
import { Histogram, ParallelTime, QUANTILE_ERROR } from "./stats.ts";

test("three runs at once for ten seconds are a speed-up of three, and idle time counts for nothing", () => {
  const time = new ParallelTime();
  for (let run = 0; run < 3; run++) time.ran(10_000, 10_000);
  time.ran(10_000, 1_000_000);
  expect(time.figures()).toEqual({ runMs: 40_000, busyMs: 20_000, speedup: 2 });
});

test("nothing measured is a speed-up of one", () => {
  expect(new ParallelTime().figures().speedup).toBe(1);
});

test("busy time is the union of all runs", () => {
  const run = fc.record({ afterMs: fc.nat(20), durationMs: fc.nat(60) });
  fc.assert(
    fc.property(fc.array(run, { maxLength: 40 }), (runs) => {
      const time = new ParallelTime();
      const busy = new Set<number>();
      let endMs = 1_000;
      for (const { afterMs, durationMs } of runs) {
        endMs += afterMs;
        time.ran(durationMs, endMs);
        for (let ms = endMs - durationMs; ms < endMs; ms++) busy.add(ms);
      }
      expect(time.figures().busyMs).toBe(busy.size);
    }),
  );
});

test("with more gaps than are remembered the speed-up is never overstated", () => {
  const time = new ParallelTime();
  let endMs = 0;
  for (let run = 0; run < 10_000; run++) {
    endMs += 2 + (run % 7);
    time.ran(1, endMs);
  }
  const { runMs, busyMs } = time.figures();
  expect(runMs).toBe(10_000);
  expect(busyMs).toBeGreaterThanOrEqual(10_000);
  time.ran(endMs, endMs);
  expect(time.figures().busyMs).toBe(endMs);
});

test("a quantile is within one percent of the true one", () => {
  const value = fc.double({ min: 0.01, max: 1e8, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 1, maxLength: 60 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (values, fraction) => {
        const histogram = new Histogram();
        for (const ms of values) histogram.add(ms);
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(fraction * values.length)) - 1] ?? 0;
        expect(Math.abs(histogram.quantile(fraction) - exact)).toBeLessThanOrEqual(exact * (QUANTILE_ERROR + 1e-9));
        expect(histogram.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 3);
      },
    ),
  );
});

test("hostile values are counted, not believed", () => {
  const histogram = new Histogram();
  for (const ms of [Number.NaN, -5, 0, Number.POSITIVE_INFINITY, Number.MAX_VALUE]) histogram.add(ms);
  expect(histogram.count).toBe(5);
  expect(histogram.quantile(0.5)).toBe(0);
  expect(histogram.quantile(1)).toBeLessThan(4.1e9);
  expect(Number.isFinite(histogram.mean)).toBe(true);
});
