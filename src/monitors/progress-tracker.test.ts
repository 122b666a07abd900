import fc from "fast-check";
import { expect, test } from "vitest";
import { defaultProgressTracker } from "./progress-tracker.ts";

const tracker = defaultProgressTracker();
const estimate = (nowWallMs: number, progress: number, typicalMs: number | null) =>
  tracker.estimate({ startedWallMs: 1_000, nowWallMs, progress, typicalMs });

test("a quarter done in a second means three more", () => {
  expect(estimate(2_000, 0.25, null)).toBe(5_000);
});

test("without progress the usual duration counts, until it has passed", () => {
  expect(estimate(1_500, 0, 4_000)).toBe(5_000);
  expect(estimate(6_000, 0, 4_000)).toBeNull();
  expect(estimate(2_000, 0, null)).toBeNull();
  expect(estimate(2_000, Number.NaN, null)).toBeNull();
});

test("the later in the task, the more its own pace counts", () => {
  expect(estimate(2_000, 0.5, 10_000)).toBe(1_000 + 0.5 * 2_000 + 0.5 * 10_000);
});

test("an end is never in the past", () => {
  const ms = fc.nat(1e9);
  fc.assert(
    fc.property(ms, fc.double(), fc.option(ms), (nowWallMs, progress, typicalMs) => {
      const end = estimate(nowWallMs + 1_000, progress, typicalMs);
      if (end !== null) expect(end).toBeGreaterThanOrEqual(nowWallMs + 1_000);
    }),
  );
});
