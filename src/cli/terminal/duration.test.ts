import fc from "fast-check";
import { expect, test } from "vitest";
import { bytes, count, duration, elapsed, grouped, parseDuration } from "./duration.ts";

test("durations read as people say them", () => {
  const shown = [
    0, 0.2, 340, 999.6, 1_000, 3_240, 9_949, 9_960, 42_000, 59_600, 130_000, 180_000, 3_600_000, 3_840_000,
  ];
  expect(shown.map(duration)).toEqual([
    "0ms",
    "1ms",
    "340ms",
    "1s",
    "1s",
    "3.2s",
    "9.9s",
    "10s",
    "42s",
    "1m",
    "2m10s",
    "3m",
    "1h",
    "1h04m",
  ]);
  expect(duration(Number.NaN)).toBe("0ms");
  expect(duration(51 * 3_600_000)).toBe("2d3h");
});

test("a ticking time changes once a second", () => {
  expect([0, 999, 1_000, 59_999, 61_500].map(elapsed)).toEqual(["0s", "0s", "1s", "59s", "1m01s"]);
});

test("what is printed can be read back, to within its precision", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 10 * 86_400_000 }), (ms) => {
      const back = parseDuration(duration(ms)) ?? Number.NaN;
      expect(Math.abs(back - ms)).toBeLessThanOrEqual(Math.max(50, ms * 0.03));
    }),
  );
});

test("times are read with and without units", () => {
  expect(["90", "90s", "1h30m", "500ms", "1.5m", "1d"].map(parseDuration)).toEqual([
    90_000, 90_000, 5_400_000, 500, 90_000, 86_400_000,
  ]);
  expect(["", "soon", "1x", "-5", "m", "1 h"].map(parseDuration)).toEqual(Array(6).fill(undefined));
});

test("counts and sizes carry their units", () => {
  expect([count(1, "task"), count(0, "task"), count(1_234, "task"), count(2, "process", "processes")]).toEqual([
    "1 task",
    "0 tasks",
    "1,234 tasks",
    "2 processes",
  ]);
  expect([999, 1_000, 12_400, 999_600, 4_200_000_000].map(bytes)).toEqual([
    "999 B",
    "1 KB",
    "12.4 KB",
    "1 MB",
    "4.2 GB",
  ]);
});

test("numbers are grouped by thousands", () => {
  expect([0, 999, 1_000, 98_901, 1_234_567, -1_500, 1234.5].map(grouped)).toEqual([
    "0",
    "999",
    "1,000",
    "98,901",
    "1,234,567",
    "-1,500",
    "1,234.5",
  ]);
});
