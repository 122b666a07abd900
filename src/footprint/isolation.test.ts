import { expect, test } from "vitest";
import { isolationFor } from "./isolation.ts";

test("who declares no files gets a worktree where there is a repository, and is compared afterwards elsewhere", () => {
  const inside = { asked: undefined, hasRepository: true };
  expect(isolationFor([{ lock: "x" }, { use: "build" }], inside)).toBe("worktree");
  expect(isolationFor([], { asked: undefined, hasRepository: false })).toBe("optimistic");
  expect(isolationFor([{ write: "a.md" }], inside)).toBe("optimistic");
  expect(isolationFor([{ read: "a.md" }], inside)).toBe("optimistic");
});

test("what was asked for wins", () => {
  expect(isolationFor([{ write: "a.md" }], { asked: "worktree", hasRepository: true })).toBe("worktree");
  expect(isolationFor([], { asked: "whole-tree", hasRepository: false })).toBe("whole-tree");
});
