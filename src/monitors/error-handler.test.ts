import { expect, test } from "vitest";
import type { ErrorCode, TaskError } from "../core/errors.ts";
import type { AgentTask } from "../core/task.ts";
import { defaultErrorHandler, isRetryable } from "./error-handler.ts";

const handler = defaultErrorHandler({ random: () => 0.5 });
const task = { taskId: "t" } as AgentTask;
const judge = (code: ErrorCode, fields: Partial<TaskError> & { saysRetryable?: boolean } = {}) => {
  const { saysRetryable, ...error } = fields;
  const facts = { task, attempt: 1, ...(saysRetryable === undefined ? {} : { saysRetryable }) };
  return handler.judge({ code, message: "", retryable: false, ...error }, facts);
};

test("overload waits what was asked for, a little more, and spends no attempt", () => {
  expect(judge("RATE_LIMITED", { retryAfterMs: 2_000 })).toEqual({ retryable: true, waitMs: 2_300 });
  expect(judge("RATE_LIMITED").waitMs).toBeGreaterThanOrEqual(15_000);
});

test("an exhausted account is not waited for", () => {
  expect(judge("RATE_LIMITED", { message: "error: insufficient_quota" })).toEqual({ retryable: false });
  expect(judge("RATE_LIMITED", { saysRetryable: false })).toEqual({ retryable: false });
});

test("the error's own word counts more than its code", () => {
  expect(judge("AGENT_FAILED")).toEqual({ retryable: true });
  expect(judge("AGENT_FAILED", { saysRetryable: false })).toEqual({ retryable: false });
  expect(judge("OUT_OF_MEMORY", { retryable: true })).toEqual({ retryable: true });
});

test("what a person or a limit decided is not retried, nor a code of a later version", () => {
  for (const code of ["CANCELLED", "DEADLINE", "NOT_STOPPED", "INVALID_CLAIM", "BUG"] as const)
    expect(isRetryable(code)).toBe(false);
  expect(isRetryable("SOMETHING_NEW" as ErrorCode)).toBe(false);
});
