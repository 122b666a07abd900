import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resourceId } from "../core/paths.ts";
import { gitDirectories, gitNode } from "./git.ts";

// The layout git writes for a repository with one linked worktree.
let base = "";
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), "lockyard-git-"));
  for (const directory of ["main/.git/worktrees/side", "main/src", "side", "bare"])
    mkdirSync(join(base, directory), { recursive: true });
  writeFileSync(join(base, "side/.git"), `gitdir: ${join(base, "main/.git/worktrees/side")}\n`);
  writeFileSync(join(base, "main/.git/worktrees/side/commondir"), "../..\n");
});
afterAll(() => rmSync(base, { recursive: true, force: true }));

test("worktrees of one repository meet at the refs and not at the index", () => {
  const [main, side] = [join(base, "main/src"), join(base, "side")];
  for (const part of ["refs", "stash", "config", "worktrees"])
    expect(gitNode(`git:${part}`, main)).toBe(gitNode(`git:${part}`, side));
  for (const part of ["index", "head"]) expect(gitNode(`git:${part}`, main)).not.toBe(gitNode(`git:${part}`, side));
});

test("other names are left alone, unknown parts and places outside a repository are refused", () => {
  expect(gitNode("gitlab", base)).toBeUndefined();
  expect(() => gitNode("git:idnex", join(base, "main"))).toThrow(
    expect.objectContaining({ hint: 'Did you mean "git:index"?' }),
  );
  expect(() => gitNode("git:index", join(base, "bare"))).toThrow(/not in one/);
});

describe("a repository that git made", () => {
  const repository = mkdtempSync(join(tmpdir(), "lockyard-git-real-"));
  afterAll(() => rmSync(repository, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=a", "-c", "user.email=a@b.c", ...args], {
      cwd: join(repository, "main"),
      env: { PATH: process.env.PATH, HOME: repository },
      stdio: ["ignore", "pipe", "pipe"],
    });

  test("has one index and head for each worktree, and the rest once, below its directories and through links, too", () => {
    mkdirSync(join(repository, "main/deep"), { recursive: true });
    git("init", "--quiet");
    git("commit", "--quiet", "--allow-empty", "--message", "first");
    git("worktree", "add", "--quiet", "--detach", join(repository, "side"));
    symlinkSync(join(repository, "main"), join(repository, "link"));
    const [main, side] = [join(repository, "main"), join(repository, "side")];
    for (const part of ["git:index", "git:head"]) {
      expect(gitNode(part, main)).not.toBe(gitNode(part, side));
      expect(gitNode(part, join(main, "deep"))).toBe(gitNode(part, main));
      expect(gitNode(part, join(repository, "link/deep"))).toBe(gitNode(part, main));
    }
    for (const part of ["git:refs", "git:stash", "git:config", "git:worktrees"])
      expect(gitNode(part, side)).toBe(gitNode(part, main));
    // As git itself says.
    const said = execFileSync("git", ["rev-parse", "--path-format=absolute", "--git-common-dir"], { cwd: side });
    expect(gitDirectories(side)?.commonDirectory).toBe(realpathSync(String(said).trim()));
    expect(resourceId(gitNode("git:index", side) ?? "", side)).toBe("git:index");
  });
});
