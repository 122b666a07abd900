/** How git is started: nothing leads it elsewhere, and another git is waited for. */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import type { Clock } from "../../src/core/ports.ts";
import { git } from "../../src/footprint/git.ts";
import { type GitRepository, gitRepository } from "../support/git-repository.ts";

let repository: GitRepository = gitRepository();
afterEach(() => {
  repository.remove();
  repository = gitRepository();
});
const clock = systemClock();

test("variables that lead git elsewhere do not reach it, and hooks do not run", async () => {
  process.env.GIT_DIR = "/nowhere";
  try {
    const mark = path.join(repository.root, "hook-ran");
    writeFileSync(path.join(repository.root, ".git/hooks/pre-commit"), `#!/bin/sh\ntouch ${mark}\nexit 1\n`, {
      mode: 0o755,
    });
    repository.write("a", "a");
    await git(["add", "a"], { cwd: repository.root, clock });
    const identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"];
    await git([...identity, "commit", "--quiet", "-m", "second"], { cwd: repository.root, clock });
    expect(existsSync(mark)).toBe(false);
  } finally {
    delete process.env.GIT_DIR;
  }
});

test("what git said is in the error", async () => {
  await expect(git(["merge", "nothing"], { cwd: repository.root, clock })).rejects.toMatchObject({
    code: "AGENT_FAILED",
    message: expect.stringContaining("git merge ended with exit code 1: merge: nothing - not something we can merge"),
  });
});

test("another git that has the index for a moment is waited for", async () => {
  const lock = path.join(repository.root, ".git/index.lock");
  writeFileSync(lock, "");
  let waits = 0;
  const patient: Clock = {
    ...clock,
    nowMs: () => clock.nowMs(),
    random: () => clock.random(),
    setTimer: (delayMs, fire) => {
      if (++waits === 2) rmSync(lock);
      return clock.setTimer(Math.min(delayMs, 1), fire);
    },
  };
  repository.write("a", "a");
  await git(["add", "a"], { cwd: repository.root, clock: patient });
  expect(waits).toBe(2);
  expect(repository.git("diff", "--cached", "--name-only")).toBe("a");
});
