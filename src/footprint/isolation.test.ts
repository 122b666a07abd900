import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isolationFor } from "./isolation.ts";

const base = mkdtempSync(join(tmpdir(), "lockyard-isolation-"));
mkdirSync(join(base, "repository/.git"), { recursive: true });
mkdirSync(join(base, "repository/deep"));
mkdirSync(join(base, "plain"));
afterAll(() => rmSync(base, { recursive: true }));

test("who declares no files gets a worktree where there is a repository, and is compared afterwards elsewhere", () => {
  const at = (root: string, claims = [{ lock: "x" }] as never) =>
    isolationFor({ claims }, { asked: undefined, root: join(base, root) });
  expect(at("repository/deep")).toBe("worktree");
  expect(at("plain")).toBe("optimistic");
  expect(at("repository", [{ write: "a.md" }] as never)).toBe("optimistic");
  expect(at("repository", [{ read: "a.md" }] as never)).toBe("optimistic");
});

test("what was asked for wins", () => {
  const root = join(base, "plain");
  expect(isolationFor({}, { asked: "whole-tree", root })).toBe("whole-tree");
});
