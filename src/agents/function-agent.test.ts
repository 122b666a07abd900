import { expect, test } from "vitest";
import { heardContext, someTask } from "../../test/support/agent-context.ts";
import { defineAgents } from "../core/agent-types.ts";
import { functionAgent } from "./function-agent.ts";

test("a function is an agent of this process and is given task and context", async () => {
  const agent = functionAgent(async (task, ctx) => [task.taskId, ctx.attempt]);
  expect(agent).toMatchObject({ kind: "function", holder: "in-process" });
  expect(await agent.run(someTask(), heardContext({ attempt: 2 }).ctx)).toEqual(["task-1", 2]);
});

test("options are carried: schemas, claims, concurrency", () => {
  const schema = { "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) } } as const;
  const claims = () => [{ read: "a" }];
  const agent = functionAgent({ context: schema, output: schema, claims, concurrency: 2, run: () => null });
  expect(agent).toMatchObject({ context: schema, output: schema, claims, concurrency: 2 });
});

test("a run that is no function and a concurrency that is no count are refused at once", () => {
  // @ts-expect-error what a caller without types may do
  expect(() => functionAgent({})).toThrow(/must be a function/);
  expect(() => functionAgent({ run: () => null, concurrency: 0 })).toThrow(/concurrency is 0/);
});

test("a record of agents stays the object it is", () => {
  const agents = { a: functionAgent(() => 1) };
  expect(defineAgents(agents)).toBe(agents);
});
