import { expect, test } from "vitest";
import type { StoreView } from "./ports.ts";
import type { TaskRow } from "./row.ts";
import { ancestorsOfToken, readToken, tokenVariables } from "./token.ts";

const TOKEN = { workflowId: "w/1", taskId: "build the thing", key: 7, fence: 1_767_225_600_000_001 };

function viewOf(row: Partial<TaskRow> | undefined): StoreView {
  return { task: () => row } as unknown as StoreView; // nothing else is asked
}

test("what is written is read again", () => {
  expect(readToken(tokenVariables(TOKEN))).toEqual(TOKEN);
});

test.for([
  {},
  { LOCKYARD_WORKFLOW: "w", LOCKYARD_TASK: "t" },
  { LOCKYARD_WORKFLOW: "w", LOCKYARD_TASK: "t", LOCKYARD_TOKEN: "7" },
  { LOCKYARD_WORKFLOW: "w", LOCKYARD_TASK: "t", LOCKYARD_TOKEN: "7.x" },
  { LOCKYARD_WORKFLOW: "w", LOCKYARD_TASK: "t", LOCKYARD_TOKEN: `7.${"9".repeat(30)}` },
  { LOCKYARD_WORKFLOW: "", LOCKYARD_TASK: "t", LOCKYARD_TOKEN: "7.8" },
])("a damaged token is none: %#", (env) => {
  expect(readToken(env)).toBeNull();
});

test("a token stands for its holder and for what that runs inside of", () => {
  const row = { key: 7, fence: TOKEN.fence, status: "running", ancestors: [3, 1] } as const;
  expect(ancestorsOfToken(viewOf(row), TOKEN)).toEqual([7, 3, 1]);
});

test.for([
  undefined,
  { key: 7, fence: TOKEN.fence, status: "succeeded", ancestors: [] },
  { key: 7, fence: TOKEN.fence + 1, status: "running", ancestors: [] },
  { key: 8, fence: TOKEN.fence, status: "running", ancestors: [] },
  { key: 7, fence: TOKEN.fence, status: "waiting", ancestors: [] },
] as const)("a token of an earlier attempt, or of a task that holds nothing, stands for nobody: %#", (row) => {
  expect(ancestorsOfToken(viewOf(row), TOKEN)).toEqual([]);
});
