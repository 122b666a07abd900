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

test("a plan's coding agents work in worktrees, and a conflict is answered from another terminal", async () => {
  const here = directory();
  // What Claude Code says when it has done its work, which is a line in a file.
  const init = { type: "system", subtype: "init", session_id: "s", model: "m", tools: [] };
  const usage = { input_tokens: 1, output_tokens: 1 };
  const end = { type: "result", subtype: "success", is_error: false, result: "done", session_id: "s", usage };
  const says = [init, end].map((line) => `echo '${JSON.stringify(line)}'`).join("\n");
  const wait = 'if [ "$LOCKYARD_TASK" = b ]; then while ! grep -q "^a$" "$MAIN/line.txt"; do sleep 0.05; done; fi';
  here.write("bin/claude", `#!/bin/sh\n${wait}\necho "$LOCKYARD_TASK" > line.txt\n${says}\n`);
  fs.chmodSync(path.join(here.path, "bin/claude"), 0o755);
  const repo = path.join(here.path, "repo");
  const agent = `{ kind: claude-code, env: { MAIN: ${JSON.stringify(repo)} } }`;
  const tasks = ["a", "b"].map((id) => `  ${id}: { agent: coder, description: go }\n`).join("");
  here.write("repo/night.yaml", `name: night\nagents:\n  coder: ${agent}\ntasks:\n${tasks}`);
  here.write("repo/line.txt", "first\n");
  const git = (...args: readonly string[]) =>
    execFileSync("git", ["-c", "user.name=A", "-c", "user.email=a@b.c", ...args], {
      cwd: repo,
      env: { ...process.env, ...here.env },
      encoding: "utf8",
    }).trim();
  git("init", "--quiet", "--initial-branch=main");
  git("add", "--all");
  git("commit", "--quiet", "--message", "first");
  const env = { PATH: `${path.join(here.path, "bin")}:${process.env.PATH}` };
  const run = here.start(["run", "repo/night.yaml"], env);
  await run.until(/b asks: lockyard\/night-\w+\/b could not be merged into main: conflicts in line\.txt/);
  const workflowId = /lockyard\/(night-\w+)\/b/.exec(run.output.stdout + run.output.stderr)?.[1];
  expect((await here.run(["answer", `${workflowId}/b`, "skip"])).code).toBe(0);
  const { code, stdout } = await run.finished;
  expect(code).toBe(1);
  expect(stdout).toMatch(/a [\d.]+m?s\n +\S touched, not declared: line\.txt/);
  expect(stdout).toContain(
    `Its work is not merged into main: conflicts in line.txt. It is on branch lockyard/${workflowId}/b.`,
  );
  expect(fs.readFileSync(path.join(repo, "line.txt"), "utf8")).toBe("a\n");
  expect(git("worktree", "list").split("\n")).toHaveLength(1);
});
