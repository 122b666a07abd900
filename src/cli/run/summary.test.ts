import { expect, test } from "vitest";
import type { AgentResult } from "../../index.ts";
import { styleOf } from "../terminal/style.ts";
import { summarise, summaryLines } from "./summary.ts";

const style = styleOf({ isInteractive: false, hasColour: false, hasUnicode: true });

function result(taskId: string, fromMs: number, toMs: number, change: Partial<AgentResult> = {}): AgentResult {
  return {
    taskId,
    agentId: "command",
    instanceId: taskId,
    success: true,
    status: "succeeded",
    output: "",
    confidenceScore: null,
    evidence: [],
    errorMessage: null,
    attempts: 1,
    queuedMs: fromMs,
    lockWaitMs: 0,
    executionTimeMs: toMs - fromMs,
    startedAt: new Date(fromMs).toISOString(),
    finishedAt: new Date(toMs).toISOString(),
    ...change,
  } as AgentResult; // the fields of a result, some replaced
}

test("the speed-up is measured from the first start to the last end", () => {
  const results = [result("a", 500, 1_500), result("b", 500, 2_500), result("c", 1_500, 2_500)];
  const summary = summarise(results, 2_600, []);
  expect(summary).toMatchObject({ total: 3, succeeded: 3, makespanMs: 2_600, runMs: 4_000, speedup: 2 });
  expect(summary.slowest.map(({ taskId }) => taskId)).toEqual(["b", "a", "c"]);
});

test("nothing that ran gains nothing", () => {
  const skipped = result("a", 0, 0, {
    success: false,
    status: "skipped",
    startedAt: null,
    errorMessage: "no",
  } as Partial<AgentResult>);
  expect(summarise([skipped], 10, [])).toMatchObject({ skipped: 1, runMs: 0, speedup: 0, slowest: [] });
  expect(summarise([], 0, [])).toMatchObject({ total: 0, speedup: 0 });
});

test("the last lines name the figures, and what was contended", () => {
  const results = [result("a", 0, 1_000), result("b", 0, 1_000, { lockWaitMs: 400 })];
  const contended = [{ resourceId: "build", waits: 1, waitMs: 400, holdMs: 2_000 }];
  const lines = summaryLines(summarise(results, 1_000, contended), {
    style,
    columns: 80,
    workflowId: "shop-1a2b",
    results,
  });
  expect(lines).toEqual([
    "",
    "✓ shop-1a2b: 2 tasks succeeded",
    "  took        1s",
    "  run time    2s in all: 2.0× as fast as one after another",
    "  lock wait   400ms in all",
    "  slowest     a 1s, b 1s",
    "  contended   build 400ms in 1 wait",
  ]);
});
