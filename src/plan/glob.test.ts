import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { filesBelow, globFault } from "./glob.ts";

let root = "";
beforeAll(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-glob-"));
  const files = [
    "docs/a.md",
    "docs/deep/b.md",
    "docs/.hidden.md",
    "docs/[id].md",
    "node_modules/x/c.md",
    ".git/d.md",
    "e.md",
  ];
  for (const file of files) {
    fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
    fs.writeFileSync(path.join(root, file), file);
  }
  fs.symlinkSync(root, path.join(root, "docs", "loop"));
});
afterAll(() => fs.rmSync(root, { recursive: true, force: true }));

test.each<[string, readonly string[]]>([
  ["docs/**/*.md", ["docs/[id].md", "docs/a.md", "docs/deep/b.md"]],
  ["docs/*.md", ["docs/[id].md", "docs/a.md"]],
  ["**/*.md", ["docs/[id].md", "docs/a.md", "docs/deep/b.md", "e.md"]],
  ["docs/.*.md", ["docs/.hidden.md"]],
  ["node_modules/**/*.md", ["node_modules/x/c.md"]],
  ["docs/a.md", ["docs/a.md"]],
  ["docs/{a,z}.md", ["docs/a.md"]],
  ["nowhere/*.md", []],
  ["docs/a.md/*", []],
])("%s", (glob, expected) => {
  expect(filesBelow(root).files(glob).toSorted()).toEqual(expected);
});

test("a text is read below the root", () => {
  expect(filesBelow(root).readText("docs/a.md")).toBe("docs/a.md");
  expect(() => filesBelow(root).readText("docs/z.md")).toThrow(expect.objectContaining({ code: "ENOENT" }));
});

test.each(["**/*.md", "a/{b,c}/*.ts", "!a/b", "a/[ab]?.md", "docs/ünï/*.md"])("%s is a glob", (glob) => {
  expect(globFault(glob)).toBeUndefined();
});

test.each([
  "",
  "!",
  "../a",
  "a/../../b",
  "/a",
  "C:/a",
  "a\\b",
  "[a",
  "{a,b",
  "+(a)",
  "!(a)",
  "*a*a*a*a*a",
  "x".repeat(257),
])("%j is none", (glob) => {
  expect(globFault(glob)).toMatchObject({ what: expect.any(String), hint: expect.any(String) });
});
