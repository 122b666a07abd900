import { expect, test } from "vitest";
import { BOUNDS } from "../core/bounds.ts";
import { EXCLUSIVE, resolvedClaim } from "../core/claims.ts";
import type { AgentResult, AgentTask } from "../core/task.ts";
import { Metrics, OTHER } from "./metrics.ts";

const times = { nowMs: 0 };
function metrics(slots = 2): Metrics {
  times.nowMs = 0;
  return new Metrics({ clock: { nowMs: () => times.nowMs }, resourceId: (node) => node.slice(2), slots: () => slots });
}

function result(fields: Partial<AgentResult> = {}): AgentResult {
  return {
    taskId: "t",
    agentId: "writer_1",
    instanceId: "i",
    confidenceScore: null,
    evidence: [],
    attempts: 1,
    queuedMs: 0,
    lockWaitMs: 0,
    executionTimeMs: 100,
    startedAt: "2026-01-01T00:00:00.000Z",
    finishedAt: "2026-01-01T00:00:00.000Z",
    success: true,
    status: "succeeded",
    output: null,
    errorMessage: null,
    ...fields,
  } as AgentResult; // the fields given make it a result of either kind
}
const none = { runMs: 100, heldMs: 0, claims: [] };
const failed = {
  success: false,
  output: null,
  errorMessage: "no",
  error: { code: "AGENT_FAILED", message: "no", retryable: false },
} as const;

test("before anything ended every figure is zero, speed-up one", () => {
  expect(metrics().snapshot()).toEqual({
    totalTasks: 0,
    successfulTasks: 0,
    failedTasks: 0,
    cancelledTasks: 0,
    averageExecutionTimeMs: 0,
    p50ExecutionTimeMs: 0,
    p95ExecutionTimeMs: 0,
    p50QueuedMs: 0,
    p95QueuedMs: 0,
    p50LockWaitMs: 0,
    p95LockWaitMs: 0,
    throughputPerMinute: 0,
    parallelEfficiency: 1,
    speedup: 1,
    agentMetrics: {},
    resourceContention: [],
  });
});

test("totals add up, and a task that never started counts in none of the averages", () => {
  const measured = metrics();
  times.nowMs = 1_000;
  measured.finished(result(), none);
  measured.finished(result({ ...failed, status: "timed_out", executionTimeMs: 300 }), { ...none, runMs: 300 });
  measured.finished(result({ ...failed, status: "cancelled", startedAt: null, executionTimeMs: 0 }), {
    ...none,
    runMs: 0,
  });
  measured.finished(result({ ...failed, status: "skipped", startedAt: null, executionTimeMs: 0 }), {
    ...none,
    runMs: 0,
  });
  const snapshot = measured.snapshot();
  expect(snapshot).toMatchObject({
    totalTasks: 4,
    successfulTasks: 1,
    failedTasks: 2,
    cancelledTasks: 1,
    averageExecutionTimeMs: 200,
  });
  expect(snapshot.agentMetrics.writer_1).toEqual({
    tasks: 4,
    successes: 1,
    failures: 2,
    averageExecutionTimeMs: 200,
    retries: 0,
  });
});

test("two tasks at once on two slots are a speed-up of two and full efficiency", () => {
  const measured = metrics(2);
  times.nowMs = 60_000;
  for (let task = 0; task < 2; task++)
    measured.finished(result({ executionTimeMs: 60_000 }), { ...none, runMs: 60_000 });
  expect(measured.snapshot()).toMatchObject({ speedup: 2, parallelEfficiency: 1, throughputPerMinute: 2 });
});

test("usage and retries are summed by agent, and left out where none was reported", () => {
  const measured = metrics();
  measured.finished(result({ usage: { inputTokens: 10, outputTokens: 5, costUsd: 0.5 } }), none);
  measured.finished(result({ usage: { costUsd: 0.25 } }), none);
  measured.finished(result({ agentId: "__proto__" }), none);
  measured.retried("writer_1");
  const { agentMetrics } = measured.snapshot();
  expect(agentMetrics.writer_1).toMatchObject({ tokens: 15, costUsd: 0.75, retries: 1 });
  expect(Object.keys(agentMetrics)).toEqual(["writer_1", "__proto__"]);
  expect(Object.hasOwn(Object.prototype, "tasks")).toBe(false);
});

test("contention lists what was waited for, most waited for first, with all its hold time", () => {
  const measured = metrics();
  const claims = [resolvedClaim("n:hot", EXCLUSIVE), resolvedClaim("n:cold", EXCLUSIVE)];
  measured.finished(result(), { runMs: 100, heldMs: 100, claims });
  measured.waited("n:hot", 50);
  measured.waited("n:hot/", 25);
  measured.waited("n:warm", 10);
  expect(measured.snapshot().resourceContention).toEqual([
    { resourceId: "hot", waits: 2, waitMs: 75, holdMs: 100 },
    { resourceId: "warm", waits: 1, waitMs: 10, holdMs: 0 },
  ]);
});

test("any number of agents and resources stays bounded, and nothing is lost from the sums", () => {
  const measured = metrics();
  const count = 3 * BOUNDS.agentMetrics;
  for (let index = 0; index < count; index++) {
    measured.finished(result({ agentId: `agent${index}x` }), {
      ...none,
      heldMs: 1,
      claims: [resolvedClaim(`n:idle${index}`, EXCLUSIVE)],
    });
    measured.waited(`n:hot${index}`, 1);
  }
  const { agentMetrics, resourceContention } = measured.snapshot();
  expect(Object.keys(agentMetrics)).toHaveLength(BOUNDS.agentMetrics + 1);
  expect(Object.values(agentMetrics).reduce((sum, agent) => sum + agent.tasks, 0)).toBe(count);
  expect(resourceContention.length).toBe(BOUNDS.contendedResources + 1);
  expect(resourceContention[0]?.resourceId).toBe(OTHER);
  expect(resourceContention.reduce((sum, resource) => sum + resource.waits, 0)).toBe(count);
});

test("the usual duration is known once a task of the kind succeeded", () => {
  const measured = metrics();
  const task = {
    taskId: "t",
    workflowId: "w",
    group: "general",
    agentId: "writer_7",
    taskType: "edit",
    description: "",
  } as AgentTask;
  expect(measured.typicalMs(task)).toBeNull();
  measured.finished(result({ ...failed, status: "failed" }), none);
  expect(measured.typicalMs(task)).toBeNull();
  measured.finished(result({ executionTimeMs: 100 }), none);
  measured.finished(result({ executionTimeMs: 400 }), none);
  expect(measured.typicalMs(task)).toBeCloseTo(200);
  measured.finished(result({ executionTimeMs: 10 }), { ...none, task });
  expect(measured.typicalMs(task)).toBeCloseTo(10);
});
