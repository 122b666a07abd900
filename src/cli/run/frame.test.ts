import { expect, test } from "vitest";
import type { AgentInstance, ParallelExecutionStatus } from "../../index.ts";
import { styleOf } from "../terminal/style.ts";
import { type FrameFacts, frameOf } from "./frame.ts";
import { Tally } from "./tally.ts";

const style = styleOf({ isInteractive: true, hasColour: false, hasUnicode: true });
const START = Date.parse("2026-01-01T00:00:00.000Z");

function instance(taskId: string, change: Partial<AgentInstance> = {}): AgentInstance {
  return {
    instanceId: taskId,
    agentId: "writer",
    taskId,
    status: "running",
    resourcesLocked: [],
    startTime: new Date(START).toISOString(),
    heartbeat: new Date(START).toISOString(),
    progress: 0,
    estimatedCompletionAt: null,
    machine: "m",
    ...change,
  };
}

function facts(
  running: readonly AgentInstance[],
  waitingCount: number,
  tally = new Tally(running.length + waitingCount),
): FrameFacts {
  const status: ParallelExecutionStatus = {
    workflowId: "w",
    runningInstances: Object.fromEntries(running.map((each) => [each.instanceId, each])),
    resourceLocks: {},
    waiting: Array.from({ length: Math.min(100, waitingCount) }, (_, at) => ({
      taskId: `t${at}`,
      reason: "waiting for build: in use by types for 3s.",
      blockedBy: [],
      position: at + 1,
      estimatedStartMs: null,
    })),
    waitingCount,
    concurrency: { limit: 3, running: running.length, waiting: waitingCount, reason: "" },
    staleResults: 0,
  };
  return { status, tally, elapsedMs: 62_000, nowWallMs: START + 12_000, note: "Ctrl-C ends it" };
}

const SIZE = { columns: 100, lines: 20 };

test("one row a running task: name, time, agent, progress, what it locks", () => {
  const running = [instance("docs", { progress: 0.5, detail: "half", resourcesLocked: ["file:docs"] })];
  expect(frameOf(facts(running, 0), SIZE, style)).toEqual([
    "● docs    12s  writer  ████░░░░ 50%  half  [file:docs]",
    "0/1 done · 1 running · 0 waiting · 1m02s  Ctrl-C ends it",
  ]);
});

test("a frame never has more lines than there is room, and says what it leaves out", () => {
  for (const lines of [1, 2, 3, 5, 8]) {
    const running = Array.from({ length: 10 }, (_, at) => instance(`r${at}`));
    const frame = frameOf(facts(running, 5_000), { columns: 80, lines }, style);
    expect(frame.length).toBeLessThanOrEqual(lines);
    expect(frame.at(-1)).toContain("10 running");
    if (lines >= 5) expect(frame.join("\n")).toMatch(/and [\d,]+ more/);
  }
});

test("those that wait keep some lines when many run", () => {
  const running = Array.from({ length: 50 }, (_, at) => instance(`r${at}`));
  const frame = frameOf(facts(running, 50), SIZE, style);
  expect(frame.filter((line) => line.startsWith("○")).length).toBeGreaterThan(0);
});

test("failures come first", () => {
  const tally = new Tally(3);
  const result = { errorMessage: "boom" } as never; // only the message is read
  tally.take({
    type: "task-finished",
    taskId: "lint",
    agentId: "a",
    status: "failed",
    result,
    sequence: 1,
    at: "",
    workflowId: "w",
  });
  const frame = frameOf(facts([instance("docs")], 1, tally), SIZE, style);
  expect(frame[0]).toBe("✗ 1 failed: lint");
});
