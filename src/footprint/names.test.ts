import { expect, test } from "vitest";
import { branchName, isTaskBranch, safeName } from "./names.ts";

test("a plain id is its own name, and a second branch of a task has a number", () => {
  expect(branchName("night-7f3a", "docs")).toBe("lockyard/night-7f3a/docs");
  expect(branchName("night-7f3a", "docs", 2)).toBe("lockyard/night-7f3a/docs-2");
  expect(isTaskBranch(branchName("w", "t"))).toBe(true);
  expect(isTaskBranch("lockyards/other")).toBe(false);
});

test("an id that says more than a branch may be called is told apart by a hash", () => {
  const ids = ["a b", "a/b", "a..b", ".a", "a.", "a.lock", "../..", "a~b", "a\u0000b", "ü", "", "x".repeat(500), "@{"];
  const names = ids.map(safeName);
  expect(new Set(names).size).toBe(ids.length);
  for (const name of names) {
    expect(name).toMatch(/^[\w-](?:[\w.-]*[\w-])?$/);
    expect(name).not.toMatch(/\.\.|\.lock$/);
    expect(name.length).toBeLessThan(80);
  }
});
