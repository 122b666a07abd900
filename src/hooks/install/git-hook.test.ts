import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { applyGitHook, gitHook } from "./git-hook.ts";

let repo = "";
const PROGRAM = { node: "/opt/node 24/bin/node", script: "/usr/lib/lockyard/bin/lockyard.js" };
const hook = () => join(repo, ".git/hooks/pre-commit");

beforeEach(() => {
  repo = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-git-hook-")));
  git("init", "-q");
  rmSync(join(repo, ".git/hooks"), { recursive: true, force: true });
});
afterEach(() => rmSync(repo, { recursive: true, force: true }));

function git(...args: string[]): void {
  execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: repo, stdio: "ignore" });
}

const install = () => applyGitHook(gitHook(repo, PROGRAM));
const remove = () => applyGitHook(gitHook(repo, null));

test("a hook comes, once, lets commits through when Lockyard is gone, and goes again", () => {
  install();
  const text = readFileSync(hook(), "utf8");
  expect(text).toMatch(
    /^#!\/bin\/sh\n# lockyard: begin .*\n\/bin\/sh -c .* hooks check-commit \|\| exit 1\n# lockyard: end\n$/,
  );
  expect(statSync(hook()).mode & 0o111).toBe(0o111);
  install();
  expect(readFileSync(hook(), "utf8")).toBe(text);
  git("commit", "--allow-empty", "-qm", "first");
  remove();
  expect(existsSync(hook())).toBe(false);
  remove();
});

test("a hook that is there stays, and comes back byte for byte", () => {
  mkdirSync(join(repo, ".git/hooks"));
  const own = "#!/usr/bin/env bash\nset -e\nnpm run lint";
  writeFileSync(hook(), own, { mode: 0o700 });
  install();
  expect(readFileSync(hook(), "utf8")).toMatch(
    /^#!\/usr\/bin\/env bash\n# lockyard: begin[\s\S]*# lockyard: end\nset -e\nnpm run lint$/,
  );
  expect(statSync(hook()).mode & 0o777).toBe(0o700);
  remove();
  expect(readFileSync(hook(), "utf8")).toBe(own);
});

test("what asks us says no: then nothing is committed", () => {
  const node = join(repo, "node");
  writeFileSync(node, "#!/bin/sh\necho no; exit 1\n", { mode: 0o755 });
  applyGitHook(gitHook(repo, { node, script: node }));
  expect(() => git("commit", "--allow-empty", "-qm", "first")).toThrow();
  expect(() => execFileSync("git", ["-C", repo, "log"], { stdio: "ignore" })).toThrow();
});

test("a hook in another language, hooks that are shared, and no repository are told", () => {
  mkdirSync(join(repo, ".git/hooks"));
  writeFileSync(hook(), "#!/usr/bin/env python3\nprint(1)\n");
  expect(() => gitHook(repo, PROGRAM)).toThrow(/is no shell script\. Nothing was changed\./);
  mkdirSync(join(repo, ".husky"));
  git("config", "core.hooksPath", ".husky");
  expect(() => gitHook(repo, PROGRAM)).toThrow(/are shared, in .*\.husky/);
  rmSync(join(repo, ".git"), { recursive: true });
  expect(() => gitHook(repo, PROGRAM)).toThrow(/is in no git repository/);
});
