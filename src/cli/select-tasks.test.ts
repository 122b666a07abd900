import { expect, test } from "vitest";
import { parsePlan } from "../plan/parse-plan.ts";
import { selectTasks } from "./select-tasks.ts";

const PLAN = parsePlan(
  `tasks:
  types: { run: tsc }
  docs: { run: "node {{file}}", forEach: { list: [a, b], as: file }, dependsOn: [types] }
  lint: { run: eslint }
  report: { run: node, dependsOn: [docs, lint] }
`,
  { file: "plan.yaml", root: "/shop" },
);
const only = (...names: string[]) => selectTasks(PLAN, names).tasks.map(({ id }) => id);

test("a task comes with everything it depends on, in the order of the plan", () => {
  expect(only("docs")).toEqual(["types", "docs"]);
  expect(only("lint", "types")).toEqual(["types", "lint"]);
  expect(only("report")).toEqual(["types", "docs", "lint", "report"]);
});

test("a member stands for its whole group", () => {
  expect(only("docs[a]")).toEqual(["types", "docs"]);
});

test("an unknown name is refused with the nearest one", () => {
  expect(() => only("typos")).toThrow(expect.objectContaining({ code: "INVALID_OPTION", hint: "Did you mean types?" }));
});
