import { expect, test } from "vitest";
import { groupOf, groupTasks } from "./groups.ts";

const call = (agentId: string, taskType: string, contextData = {}) => ({ agentId, taskType, contextData });

test.each([
  ["backend_specialist_1", "api_implementation", "backend"],
  ["database_specialist_1", "migration", "backend"],
  ["frontend_specialist_1", "styling", "frontend"],
  ["ui_specialist_2", "work", "frontend"],
  ["documentation_specialist", "work", "documentation"],
  ["backend_specialist_1", "api_documentation", "documentation"],
  ["test_specialist_1", "work", "validation"],
  ["backend_specialist_1", "integration_testing", "validation"],
  ["worker_1", "validation", "validation"],
  ["frontend_specialist_1", "api_integration", "frontend"],
  ["api_documentation_writer", "work", "documentation"],
  ["worker_1", "apiImplementation", "backend"],
  ["worker_1", "job", "general"],
] as const)("%s doing %s belongs to %s", (agentId, taskType, group) => {
  expect(groupOf(call(agentId, taskType))).toBe(group);
});

test("context keys decide when nothing else does", () => {
  expect(groupOf(call("worker_1", "job", { components: ["Button"] }))).toBe("frontend");
});

test("every task is in exactly one group, in order", () => {
  const tasks = [call("backend_1", "a"), call("x", "y"), call("docs_1", "a"), call("backend_2", "b")];
  const groups = groupTasks(tasks);
  expect(groups.backendTasks).toEqual([tasks[0], tasks[3]]);
  expect(Object.values(groups).flat()).toHaveLength(tasks.length);
  expect(Object.keys(groups)).toEqual([
    "backendTasks",
    "frontendTasks",
    "documentationTasks",
    "validationTasks",
    "generalTasks",
  ]);
});
