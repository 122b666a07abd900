import fc from "fast-check";
import { expect, test } from "vitest";
import { ADMISSION } from "../core/bounds.ts";
import type { RankFacts } from "../core/ports.ts";
import type { AgentTask } from "../core/task.ts";
import { criticalPathScheduler, fifoScheduler, priorityScheduler, SCHEDULERS, schedulerNamed } from "./ranks.ts";

const task = (priority?: number) => (priority === undefined ? {} : { priority }) as AgentTask; // the one field ranks read
const facts = (nowMs: number, criticalPathMs = 0): RankFacts => ({
  nowMs,
  criticalPathMs,
  predictedMs: 0,
  rankedBefore: 0,
  attempt: 1,
});

test("fifo is the time at which a task became eligible, whatever its priority", () => {
  expect(fifoScheduler.rank(task(9), facts(5_000))).toBe(5_000);
});

test("a step of priority is worth a minute of waiting", () => {
  const early = priorityScheduler.rank(task(0), facts(0));
  expect(priorityScheduler.rank(task(1), facts(59_999))).toBeLessThan(early);
  expect(priorityScheduler.rank(task(1), facts(60_001))).toBeGreaterThan(early);
});

test("a longer chain goes first, up to an hour", () => {
  const rank = (ms: number) => criticalPathScheduler.rank(task(), facts(0, ms));
  expect(rank(2_000)).toBeLessThan(rank(1_000));
  expect(rank(1e12)).toBe(rank(3_600_000));
});

test("every rank is finite, behind nested requests, ages with time and never falls with less favour", () => {
  const number = fc.oneof(
    fc.double(),
    fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300),
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(SCHEDULERS)),
      number,
      number,
      fc.nat(1e12),
      fc.integer({ min: 1, max: 1e9 }),
      (scheduler, priority, chainMs, nowMs, laterMs) => {
        const rank = scheduler.rank(task(priority), facts(nowMs, chainMs));
        expect(Number.isFinite(rank)).toBe(true);
        expect(rank).toBeGreaterThan(ADMISSION.nestedRank);
        expect(scheduler.rank(task(priority), facts(nowMs + laterMs, chainMs))).toBeGreaterThan(rank);
        if (priority > -1e9 && priority < 1e9)
          expect(scheduler.rank(task(priority - 1), facts(nowMs, chainMs))).toBeGreaterThanOrEqual(rank);
      },
    ),
  );
});

test("a scheduler is found by name, a wrong name gets a suggestion", () => {
  expect(schedulerNamed("critical-path")).toBe(criticalPathScheduler);
  expect(() => schedulerNamed("critical_path")).toThrow(
    expect.objectContaining({ code: "INVALID_OPTION", hint: 'Did you mean "critical-path"?' }),
  );
  expect(() => schedulerNamed("constructor")).toThrow(/no scheduler/);
});
