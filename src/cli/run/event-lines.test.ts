import { expect, test } from "vitest";
import type { AgentResult, LockyardEvent } from "../../index.ts";
import { styleOf } from "../terminal/style.ts";
import { type LineOptions, linesOf } from "./event-lines.ts";

const style = styleOf({ isInteractive: false, hasColour: false, hasUnicode: true });
const OPTIONS: LineOptions = { style, isVerbose: false, ui: "live", lastTaskId: null };
const BASE = { sequence: 1, at: "2026-01-01T00:00:00.000Z", workflowId: "w", taskId: "docs", agentId: "command" };

function finished(result: Partial<AgentResult>): LockyardEvent {
  const whole = {
    taskId: "docs",
    agentId: "command",
    instanceId: "i",
    success: true,
    status: "succeeded",
    output: "",
    confidenceScore: null,
    evidence: [],
    errorMessage: null,
    attempts: 1,
    queuedMs: 0,
    lockWaitMs: 0,
    executionTimeMs: 3_200,
    startedAt: BASE.at,
    finishedAt: BASE.at,
    ...result,
  } as AgentResult; // the fields of a result, some replaced
  return { ...BASE, type: "task-finished", status: whole.status, result: whole };
}

const FAILED = {
  success: false,
  status: "failed",
  errorMessage: "node ended with exit code 3. It said: first\nsecond",
  error: { code: "AGENT_EXITED", message: "", retryable: false },
} as const;

test("an end is a line, with its time and what it waited for locks", () => {
  expect(linesOf(finished({ lockWaitMs: 2_600 }), OPTIONS)).toEqual(["✓ docs 3.2s, waited 2.6s for locks"]);
});

test("what was touched and not declared is a warning, of a few names", () => {
  expect(linesOf(finished({ touched: ["src/a.ts", "docs/d.md (by writer)"] }), OPTIONS)).toEqual([
    "✓ docs 3.2s",
    "    ! touched, not declared: src/a.ts, docs/d.md (by writer)",
  ]);
  const many = Array.from({ length: 8 }, (_, index) => `f${index}`);
  expect(linesOf(finished({ touched: many }), OPTIONS)[1]).toMatch(/: f0, f1, f2, f3, f4 and 3 more$/);
});

test("a failure says its code, and more lines of its message are indented", () => {
  expect(linesOf(finished(FAILED), OPTIONS)).toEqual([
    "✗ docs failed after 3.2s (AGENT_EXITED): node ended with exit code 3. It said: first",
    "    second",
  ]);
});

test("a long message is cut, and says how much is missing", () => {
  const errorMessage = Array.from({ length: 40 }, (_, at) => `line ${at}`).join("\n");
  const lines = linesOf(finished({ ...FAILED, errorMessage }), OPTIONS);
  expect(lines).toHaveLength(13);
  expect(lines.at(-1)).toBe("    and 28 more lines");
});

test("what was cancelled before it started is only counted, unless everything is told", () => {
  const cancelled = finished({
    success: false,
    status: "cancelled",
    startedAt: null,
    errorMessage: "Task docs was cancelled.",
    error: { code: "CANCELLED", message: "", retryable: false },
  });
  expect(linesOf(cancelled, OPTIONS)).toEqual([]);
  expect(linesOf(cancelled, { ...OPTIONS, isVerbose: true })).toEqual(["✗ docs cancelled"]);
});

test("the output of the last task is shown, that of others when asked for", () => {
  const event = finished({ output: "all\nfine\n" });
  expect(linesOf(event, OPTIONS)).toEqual(["✓ docs 3.2s"]);
  expect(linesOf(event, { ...OPTIONS, lastTaskId: "docs" })).toEqual(["✓ docs 3.2s", "    all", "    fine"]);
  const output: LockyardEvent = {
    ...BASE,
    type: "task-output",
    instanceId: "i",
    chunk: { stream: "stdout", text: "a\nb\n" },
  };
  expect(linesOf(output, OPTIONS)).toEqual([]);
  expect(linesOf(output, { ...OPTIONS, isVerbose: true })).toEqual(["docs | a", "docs | b"]);
});

test("a warning of an agent is shown, whatever else is", () => {
  const event: LockyardEvent = { ...BASE, type: "task-output", instanceId: "i", chunk: { warning: "not merged" } };
  expect(linesOf(event, OPTIONS)).toEqual(["! docs: not merged"]);
});

test("nothing a task says reaches the terminal as a command", () => {
  const evil = "\u001b]0;owned\u0007\u001b[2Jhidden\u202e";
  const events: readonly LockyardEvent[] = [
    finished({ ...FAILED, taskId: evil, errorMessage: evil }),
    { ...BASE, type: "task-output", instanceId: "i", chunk: evil },
    { ...BASE, type: "task-needs-input", instanceId: "i", question: evil },
    { ...BASE, type: "task-retrying", attempt: 1, delayMs: 10, reason: evil },
    { ...BASE, type: "budget-paused", reason: evil },
  ];
  for (const event of events) {
    const text = linesOf({ ...event, taskId: evil } as LockyardEvent, { ...OPTIONS, isVerbose: true }).join("\n"); // one field replaced
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
    expect(text).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f\u202e]/);
  }
});

test("starts are told where nothing else shows what runs", () => {
  const started: LockyardEvent = {
    ...BASE,
    type: "task-started",
    instanceId: "i",
    attempt: 2,
    queuedMs: 0,
    lockWaitMs: 0,
  };
  expect(linesOf(started, OPTIONS)).toEqual([]);
  expect(linesOf(started, { ...OPTIONS, ui: "stream" })).toEqual(["● docs started, attempt 2"]);
});
