/** Worktrees that runs left in a repository, as the command line tells of them. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

test("doctor tells of worktrees whose run is over and that hold work, and of nobody else's", async () => {
  const here = directory();
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", ...args], {
      cwd: here.path,
      env: { ...process.env, ...here.env },
      encoding: "utf8",
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  git("commit", "--quiet", "--allow-empty", "--message", "first");
  const base = git("rev-parse", "HEAD");
  const leave = (taskId: string) => {
    const place = path.join(here.path, "..", `${path.basename(here.path)}-${taskId}`);
    const branch = `lockyard/night/${taskId}`;
    git("worktree", "add", "--quiet", "-b", branch, place);
    const owner = { pid: 4_194_303, startTime: 1, bootId: "an earlier boot", pidNamespace: "" };
    const record = { workflowId: "night", taskId, branch, base, owner };
    const name = path.basename(place);
    fs.writeFileSync(path.join(here.path, ".git/worktrees", name, "lockyard.json"), JSON.stringify(record));
    return place;
  };
  try {
    leave("empty");
    fs.writeFileSync(path.join(leave("dirty"), "half.txt"), "half");
    git("worktree", "add", "--quiet", "-b", "mine", `${here.path}-mine`);
    const { stdout } = await here.run(["doctor", "--json"]);
    const checks = (JSON.parse(stdout) as { checks: { name: string; status: string; what: string; fix?: string }[] })
      .checks;
    const place = `${fs.realpathSync(here.path)}-dirty`;
    expect(checks.filter(({ name }) => name === "worktrees")).toEqual([
      { name: "worktrees", status: "ok", what: "1 worktree of runs that ended is empty; the next run takes it away" },
      {
        name: "worktrees",
        status: "warning",
        what: `lockyard/night/dirty holds changes that are not committed, of a run that ended, in ${place}`,
        fix: `look at them there; to throw them away: git worktree remove --force ${place}`,
      },
    ]);
  } finally {
    for (const name of ["empty", "dirty", "mine"]) fs.rmSync(`${here.path}-${name}`, { recursive: true, force: true });
  }
});
