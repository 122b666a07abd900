import { expect, test } from "vitest";
import { parsePlan } from "../../plan/parse-plan.ts";
import { starterFiles } from "./starter-files.ts";

function planFor(files: Readonly<Record<string, string>>, name = "shop") {
  const [, plan] = starterFiles({ read: (file) => files[file], name, cores: 8 });
  return parsePlan(plan?.text ?? "", { file: "lockyard.plan.yaml", root: "/shop" });
}

test("the scripts of a package become tasks; those that never end or change files do not", () => {
  const scripts = {
    dev: "vite",
    lint: "eslint",
    "test:watch": "vitest",
    test: "vitest",
    format: "prettier -w",
    build: "tsc",
  };
  const plan = planFor({ "package.json": JSON.stringify({ scripts }), "pnpm-lock.yaml": "" });
  expect(plan.tasks.map(({ id }) => id)).toEqual(["lint", "test", "build", "report"]);
  expect(plan.tasks.map(({ command }) => command)).toContainEqual({ argv: ["pnpm", "run", "test"] });
});

test.each([
  ["Cargo.toml", "", ["check", "test", "report"]],
  ["go.mod", "", ["vet", "test", "report"]],
  ["pyproject.toml", "", ["test", "report"]],
  ["Makefile", "test:\n\tctest\n", ["test", "report"]],
  ["README.md", "", ["first", "second", "report"]],
  ["package.json", "{ not json", ["first", "second", "report"]],
])("%s gives a plan that can be parsed", (file, text, ids) => {
  expect(planFor({ [file]: text }).tasks.map(({ id }) => id)).toEqual(ids);
});

test("any directory name makes a valid plan name", () => {
  expect(["Shop", "my app!", "42", "日本", ""].map((name) => planFor({}, name).name)).toEqual([
    "shop-checks",
    "my-app-checks",
    "repository-checks",
    "repository-checks",
    "repository-checks",
  ]);
});
