import { expect, test } from "vitest";
import { virtualClock } from "../clock/virtual-clock.ts";
import type { EventDraft, LockyardEvent } from "../core/events.ts";
import { type ContentionMonitorOptions, contentionMonitor, type Notice } from "./notices.ts";

function watched(options: Partial<ContentionMonitorOptions> = {}) {
  const clock = virtualClock();
  const notices: Notice[] = [];
  const monitor = contentionMonitor({ clock, notify: (notice) => notices.push(notice), ...options });
  let sequence = 0;
  const tell = (draft: EventDraft) =>
    monitor.onEvent({ ...draft, sequence: ++sequence, at: "", workflowId: "w" } as LockyardEvent);
  const texts = () => notices.map(({ text }) => text);
  return { clock, monitor, tell, notices, texts };
}
const waiting = (taskId: string, resourceId = "build"): EventDraft => ({
  type: "task-waiting",
  taskId,
  agentId: "a",
  resourceId,
  reason: "held by t0",
});
const started = (taskId: string): EventDraft => ({
  type: "task-started",
  taskId,
  agentId: "a",
  instanceId: "i",
  attempt: 1,
  queuedMs: 0,
  lockWaitMs: 0,
});
const failed = (code: string, status = "failed"): EventDraft =>
  ({
    type: "task-finished",
    taskId: "t1",
    agentId: "a",
    status,
    result: { success: false, status, errorMessage: "It broke.", error: { code } },
  }) as EventDraft; // the parts a notice reads

test("a wait over the threshold is told once, a shorter one never", async () => {
  const { clock, tell, texts, monitor } = watched();
  tell(waiting("t1"));
  tell(waiting("t2", "gpu"));
  await clock.advance(30_000);
  tell(started("t2"));
  await clock.advance(600_000);
  expect(texts()).toEqual(["Task t1 has waited 60 s for build: held by t0"]);
  monitor.close();
});

test("many tasks behind one resource are one notice in five minutes", async () => {
  const { clock, tell, notices } = watched();
  for (let task = 0; task < 50; task++) tell(waiting(`t${task}`));
  await clock.advance(61_000);
  expect(notices).toHaveLength(1);
  for (let task = 50; task < 60; task++) tell(waiting(`t${task}`));
  await clock.advance(400_000);
  expect(notices).toHaveLength(1);
  tell(waiting("late"));
  await clock.advance(61_000);
  expect(notices).toHaveLength(2);
});

test("a task that moves to another blocker has waited since it began", async () => {
  const { clock, tell, texts } = watched();
  tell(waiting("t1", "build"));
  await clock.advance(40_000);
  tell(waiting("t1", "gpu"));
  await clock.advance(20_000);
  expect(texts()).toEqual(["Task t1 has waited 60 s for gpu: held by t0"]);
});

test("lapsed locks, deadlocks, memory, time-outs, questions and budgets are each one sentence", () => {
  const { tell, notices } = watched();
  const lock = {
    taskId: "t1",
    agentId: "a",
    instanceId: "i1",
    resourceId: "file:src",
    lockType: "file",
    fence: 7,
  } as const;
  tell({ type: "lock-expired", ...lock });
  tell({ type: "lock-quarantined", ...lock });
  for (const code of ["DEADLOCK", "OUT_OF_MEMORY", "AGENT_FAILED"]) tell(failed(code));
  tell(failed("RUN_TIMEOUT", "timed_out"));
  tell({ type: "task-needs-input", taskId: "t1", agentId: "a", instanceId: "i1", question: "Go on?" });
  tell({ type: "budget-paused", reason: "$20.00 of $20.00 spent" });
  tell({ type: "limit-changed", name: "tasks", limit: 4, reason: "1.1 GB of memory free" });
  tell({ type: "limit-changed", name: "tasks", limit: 5, reason: "set by configure" });
  tell({ type: "events-dropped", count: 3 });
  expect(notices.map(({ kind }) => kind)).toEqual([
    "lock-expired",
    "quarantined",
    "deadlock",
    "memory",
    "timeout",
    "needs-input",
    "budget-paused",
    "memory",
    "events-dropped",
  ]);
});

test("whoever is told may throw or reject without harm", async () => {
  for (const notify of [
    () => {
      throw new Error("x");
    },
    () => Promise.reject(new Error("x")),
  ]) {
    const { tell, clock, monitor } = watched({ notify });
    tell(failed("DEADLOCK"));
    await clock.advance(1);
    monitor.close();
  }
});

test("a closed monitor sets no timer and says nothing", async () => {
  const { clock, tell, monitor, notices } = watched();
  tell(waiting("t1"));
  monitor.close();
  monitor.close();
  tell(waiting("t2"));
  await clock.advance(600_000);
  expect(notices).toEqual([]);
});
