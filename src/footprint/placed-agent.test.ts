import { expect, test } from "vitest";
import { heardContext, someTask } from "../../test/support/agent-context.ts";
import { agentReport } from "../core/agent-report.ts";
import type { Claim } from "../core/task.ts";
import { type PlacedAgentOptions, placedAgent } from "./placed-agent.ts";

const base: PlacedAgentOptions = {
  kind: "test",
  root: "/repository",
  isolation: "optimistic",
  run: async (_task, _ctx, { cwd }) => agentReport({ output: cwd }),
};

test("an agent works in its root, or in the directory its task names", async () => {
  const at = async (options: Partial<PlacedAgentOptions>) =>
    ((await placedAgent({ ...base, ...options }).run(someTask(), heardContext().ctx)) as { output: string }).output;
  expect(await at({})).toBe("/repository");
  expect(await at({ cwdFor: () => "packages/api" })).toBe("/repository/packages/api");
});

test("whole-tree locks everything for a task that declares no files, and nothing more for one that does", () => {
  const claims = (isolation: PlacedAgentOptions["isolation"], declared: readonly Claim[]) =>
    placedAgent({ ...base, isolation, claims: () => [{ use: "build" }] }).claims?.(
      {},
      { ...someTask(), claims: declared },
    );
  expect(claims("whole-tree", [])).toEqual([{ use: "build" }, { write: "/repository" }]);
  expect(claims("whole-tree", [{ write: "docs" }])).toEqual([{ use: "build" }]);
  expect(claims(() => "whole-tree", [])).toContainEqual({ write: "/repository" });
  expect(claims("optimistic", [])).toEqual([{ use: "build" }]);
});
