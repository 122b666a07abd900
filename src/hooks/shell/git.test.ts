import { expect, test } from "vitest";
import { gitOf } from "./git.ts";
import { readShell } from "./read-shell.ts";

/** `name @directory tracked|untracked paths`, `?` when the paths are not sure. */
function discards(text: string): readonly string[] {
  const reading = readShell(text, { cwd: "/repo", home: "/home/ada" });
  return gitOf(reading ?? { text, commands: [], renamed: new Set() }).map(
    ({ name, directory, tracked, untracked, paths, isSure }) =>
      [
        name,
        `@${directory}`,
        [...(tracked ? ["tracked"] : []), ...(untracked ? ["untracked"] : [])].join("+"),
        isSure ? (paths?.join(" ") ?? "everything") : "?",
      ].join(" "),
  );
}

test.each<[string, string]>([
  ["git reset --hard", "git reset --hard @/repo tracked everything"],
  ["git reset --hard HEAD~1", "git reset --hard @/repo tracked everything"],
  ["git reset --hard $REF", "git reset --hard @/repo tracked everything"],
  ["cd api && git -c a.b=c --no-pager reset -q --hard", "git reset --hard @/repo/api tracked everything"],
  ["git -C api -C ../web reset --hard", "git reset --hard @/repo/web tracked everything"],
  ["sudo /usr/bin/git reset --hard", "git reset --hard @/repo tracked everything"],
  ["bash -c 'git reset --hard'", "git reset --hard @/repo tracked everything"],
  ["lockyard exec -- git reset --hard", "git reset --hard @/repo tracked everything"],
  ["x=$(git reset --hard)", "git reset --hard @/repo tracked everything"],
  ["if a; then git reset --hard; fi", "git reset --hard @/repo tracked everything"],
  ["git checkout -- .", "git checkout -- @/repo tracked /repo"],
  ["git checkout .", "git checkout @/repo tracked /repo"],
  ["git checkout src/a.ts", "git checkout @/repo tracked /repo/src/a.ts"],
  ["git checkout HEAD -- a.ts 'b c'", "git checkout -- @/repo tracked /repo/a.ts /repo/b c"],
  ["git checkout HEAD a.ts", "git checkout @/repo tracked /repo/HEAD /repo/a.ts"],
  ["git checkout -- $F", "git checkout -- @/repo tracked ?"],
  ["git checkout -- '*.ts'", "git checkout -- @/repo tracked ?"],
  ["git checkout -f main", "git checkout --force @/repo tracked everything"],
  ["git switch -f main", "git switch -f @/repo tracked everything"],
  ["git switch --discard-changes main", "git switch --discard-changes @/repo tracked everything"],
  ["git restore .", "git restore @/repo tracked /repo"],
  ["git restore --source HEAD~1 a.ts", "git restore @/repo tracked /repo/a.ts"],
  ["git restore --staged --worktree a.ts", "git restore @/repo tracked /repo/a.ts"],
  ["git restore -SW a.ts", "git restore @/repo tracked /repo/a.ts"],
  ["git clean -fdx", "git clean -f @/repo untracked /repo"],
  ["cd api; git clean --force build", "git clean -f @/repo/api untracked /repo/api/build"],
  ["git stash", "git stash @/repo tracked everything"],
  ["git stash push -m 'x y' -u", "git stash @/repo tracked+untracked everything"],
  ["git stash -- a.ts", "git stash @/repo tracked /repo/a.ts"],
  ["git stash push a.ts", "git stash @/repo tracked /repo/a.ts"],
  ["git stash save work", "git stash @/repo tracked everything"],
  ["git rm -rf src", "git rm -f @/repo tracked /repo/src"],
  ["git worktree remove --force ../wt", "git worktree remove --force @/repo tracked+untracked /wt"],
])("%s", (text, expected) => {
  expect(discards(text)).toEqual([expected]);
});

test.each([
  "git status",
  "git reset HEAD a.ts",
  "git reset --soft HEAD~1",
  "git checkout -b new",
  "git checkout -p",
  "git checkout $BRANCH",
  "git checkout",
  "git switch main",
  "git restore --staged a.ts",
  "git restore -p",
  "git clean -n",
  "git clean -fdn",
  "git stash list",
  "git stash pop",
  "git stash show -p",
  "git stash push --staged",
  "git rm a.ts",
  "git rm -f --cached a.ts",
  "git worktree remove ../wt",
  "git co -- .",
  "git --git-dir=/x reset --hard",
  "GIT_DIR=/x git reset --hard",
  "cd $X && git reset --hard",
  "echo git reset --hard",
  "git() { :; }; git reset --hard",
  "git commit -m 'reset --hard'",
  "git constructor",
  "git",
])("%s throws nothing away, or is left alone", (text) => {
  expect(discards(text)).toEqual([]);
});

test("every one of a line is told", () => {
  expect(discards("git stash && git checkout -- . && git clean -fd")).toHaveLength(3);
});
