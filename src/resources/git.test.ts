import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { gitNode } from "./git.ts";

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
