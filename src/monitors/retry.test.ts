import fc from "fast-check";
import { expect, test } from "vitest";
import { MAX_TIMER_MS } from "../core/bounds.ts";
import { mayRetry, retryDelayMs, spreadMs } from "./retry.ts";

test("without a policy there is one attempt", () => {
  expect(mayRetry(undefined, 1)).toBe(false);
  expect(mayRetry({ attempts: 3 }, 2)).toBe(true);
  expect(mayRetry({ attempts: 3 }, 3)).toBe(false);
});

test("delays double up to the maximum when there is no jitter", () => {
  const policy = { attempts: 9, baseMs: 100, maxMs: 1_000, jitter: 0 };
  expect([1, 2, 3, 4, 5, 99].map((attempt) => retryDelayMs(policy, attempt, () => 0.5))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(retryDelayMs({ ...policy, backoff: "fixed" }, 9, () => 0.5)).toBe(100);
});

test("a delay is never negative, never above the maximum, and random only in its share", () => {
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(
      fc.nat(1e12),
      fc.nat(1e12),
      fc.nat(2_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      random,
      (baseMs, maxMs, attempt, jitter, chance) => {
        const policy = { attempts: 9, baseMs, maxMs, jitter };
        const delayMs = retryDelayMs(policy, attempt, () => chance);
        const wholeMs = retryDelayMs({ ...policy, jitter: 0 }, attempt, () => chance);
        expect(delayMs).toBeGreaterThanOrEqual(wholeMs * (1 - jitter) - 1e-6);
        expect(delayMs).toBeLessThanOrEqual(Math.min(maxMs, MAX_TIMER_MS) + 1e-6);
      },
    ),
  );
});

test("what was asked for is waited at least, and at most 30 % more", () => {
  expect(spreadMs(1_000, () => 0)).toBe(1_000);
  expect(spreadMs(1_000, () => 0.999)).toBeLessThan(1_300);
  expect(spreadMs(-1, () => 0.5)).toBe(0);
  expect(spreadMs(1e15, () => 0.5)).toBe(MAX_TIMER_MS);
});
