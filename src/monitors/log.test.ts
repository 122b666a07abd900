import { expect, test } from "vitest";
import { type LogLevel, ndjsonLogger, parseLogLevel } from "./log.ts";

function logged(level: LogLevel, fields?: Record<string, unknown>): string[] {
  const lines: string[] = [];
  const logger = ndjsonLogger({
    level,
    write: (line) => lines.push(line),
    now: () => "2026-01-01T00:00:00.000Z",
    fields: { workflowId: "w" },
  });
  logger.debug("d", fields);
  logger.info("i", fields);
  logger.warn("w", fields);
  logger.error("e", fields);
  return lines;
}

test("a level lets through itself and what is worse", () => {
  expect((["debug", "info", "warn", "error", "silent"] as const).map((level) => logged(level).length)).toEqual([
    4, 3, 2, 1, 0,
  ]);
});

test("a line is one JSON object", () => {
  expect(JSON.parse(logged("error", { taskId: "t\n1", big: 3n, failure: new TypeError("x") })[0] ?? "")).toEqual({
    at: "2026-01-01T00:00:00.000Z",
    level: "error",
    message: "e",
    workflowId: "w",
    taskId: "t\n1",
    big: "3",
    failure: { name: "TypeError", message: "x" },
  });
});

test("what cannot be written costs its fields, not the line", () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  for (const fields of [cyclic, { huge: "x".repeat(100_000) }]) {
    const [line = ""] = logged("error", fields);
    expect(JSON.parse(line).message).toBe("e");
    expect(line.length).toBeLessThan(8_192);
  }
});

test("a sink that throws is not noticed", () => {
  const logger = ndjsonLogger({
    level: "debug",
    now: () => "",
    write: () => {
      throw new Error("EPIPE");
    },
  });
  expect(() => logger.error("x")).not.toThrow();
});

test("levels are read as people write them", () => {
  expect(["WARN", " warning ", "off", "debug", "loud", undefined].map(parseLogLevel)).toEqual([
    "warn",
    "warn",
    "silent",
    "debug",
    undefined,
    undefined,
  ]);
});
