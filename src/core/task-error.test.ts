import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agentReport, isAgentReport, rateLimited } from "./agent-report.ts";
import { LockyardError } from "./errors.ts";
import { describeError, isErrorCode } from "./task-error.ts";

test("anything thrown becomes bounded JSON, and describing it never throws", () => {
  const hostile = fc.constantFrom<() => unknown>(
    () => ({
      get message() {
        throw new Error("no");
      },
    }),
    () =>
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
        },
      ),
    () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    },
    () => {
      const error = new Error("loop");
      error.cause = error;
      return error;
    },
    () => Object.create(null),
    () => () => 1,
    () => ({
      headers: {
        get: () => {
          throw new Error("no");
        },
      },
    }),
    () => ({
      message: {
        toString: () => {
          throw new Error("no");
        },
      },
    }),
    () => new Error("x".repeat(5_000_000)),
    () => new Error("half \ud800"),
    () => Symbol("s"),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything({ withBigInt: true }), hostile), (thrown) => {
      const error = describeError(thrown);
      expect(JSON.parse(JSON.stringify(error))).toEqual(error);
      expect(error.message.length).toBeLessThan(2_200);
      expect(error.message).not.toBe("");
      expect(isErrorCode(error.code)).toBe(true);
    }),
  );
});

describe("what was thrown is said", () => {
  test.for([
    [new Error("broken"), { code: "AGENT_FAILED", message: "broken", retryable: false }],
    ["text", { code: "AGENT_FAILED", message: "text" }],
    [undefined, { message: "The agent threw undefined, which is not an Error." }],
    [null, { message: "The agent threw null, which is not an Error." }],
    [0, { message: "The agent threw 0, which is not an Error." }],
    [{ secret: "s3cret" }, { message: "The agent threw Object without a message." }],
    [new Error("outer", { cause: new Error("inner", { cause: "root" }) }), { message: "outer", cause: "inner ← root" }],
    [new AggregateError([new Error("first")], "all failed"), { message: "all failed", cause: "first" }],
    [new DOMException("stopped", "AbortError"), { code: "CANCELLED" }],
    [Object.assign(new Error("heap"), { code: "ERR_WORKER_OUT_OF_MEMORY" }), { code: "OUT_OF_MEMORY" }],
    [new LockyardError("DEADLOCK", "circle"), { code: "DEADLOCK", retryable: false }],
    [Object.assign(new Error("mine"), { code: "DEADLOCK" }), { code: "AGENT_FAILED" }],
    [Object.assign(new Error("x"), { retryable: true }), { retryable: true }],
    [Object.assign(new Error("x"), { code: "ECONNRESET" }), { retryable: true }],
    [Object.assign(new Error("x"), { code: "ECONNRESET", retryable: false }), { retryable: false }],
    [Object.assign(new Error("x"), { status: 503 }), { retryable: true }],
  ] as const)("%#", ([thrown, expected]) => {
    expect(describeError(thrown)).toMatchObject(expected);
  });
});

describe("overload is understood in the shapes it comes in", () => {
  const wallMs = Date.UTC(2026, 0, 1);
  test.for([
    [rateLimited({ retryAfterMs: 1_500 }), 1_500],
    [{ retryAfterMs: 10 }, 10],
    [{ status: 429 }, undefined],
    [{ statusCode: "429" }, undefined],
    [{ response: { status: 429 } }, undefined],
    [{ code: "rate_limit_exceeded" }, undefined],
    [{ error: { type: "overloaded_error" } }, undefined],
    [{ status: 429, headers: new Headers({ "retry-after": "7" }) }, 7_000],
    [{ status: 429, headers: { "Retry-After": "2.5" } }, 2_500],
    [{ response: { status: 503, headers: { "retry-after": ["3"] } } }, 3_000],
    [{ headers: { "retry-after-ms": "250" } }, 250],
    [{ headers: { "retry-after": "Thu, 01 Jan 2026 00:00:09 GMT" } }, 9_000],
    [{ headers: { "retry-after": "Wed, 31 Dec 2025 00:00:09 GMT" } }, 0],
    [{ status: 429, headers: { "retry-after": "soon" } }, undefined],
    [{ retryAfterMs: Number.POSITIVE_INFINITY, status: 429 }, undefined],
    [{ retryAfterMs: 1e300 }, 2_147_483_647],
    [new Error("wrapped", { cause: { status: 429, headers: { "retry-after": "1" } } }), 1_000],
  ] as const)("%#", ([thrown, retryAfterMs]) => {
    const error = describeError(thrown, { wallMs });
    expect(error).toMatchObject({ code: "RATE_LIMITED", retryable: true });
    expect(error.retryAfterMs).toBe(retryAfterMs);
  });
});

test("a report is known by its mark, from whatever copy of the package, and an output of the same shape is not", () => {
  const report = agentReport({ output: { a: 1 }, confidenceScore: 0.5 });
  expect(isAgentReport(report)).toBe(true);
  expect(JSON.parse(JSON.stringify(report))).toEqual({
    success: true,
    output: { a: 1 },
    confidenceScore: 0.5,
    evidence: [],
    errorMessage: null,
  });
  expect(isAgentReport({ ...report })).toBe(false);
  expect(
    isAgentReport(
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("no");
          },
        },
      ),
    ),
  ).toBe(false);
  expect(agentReport({ output: null, errorMessage: "no" }).success).toBe(false);
  expect(() => rateLimited({ retryAfterMs: -1 })).toThrow(/-1/);
});
