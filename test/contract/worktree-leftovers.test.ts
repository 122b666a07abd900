/** What a run leaves in a repository when its process dies, on real git and real processes. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { findWorktrees } from "../../src/footprint/leftovers.ts";
import { type GitRepository, gitRepository, layerOver, put, task } from "../support/git-repository.ts";

const WORKER = fileURLToPath(new URL("../support/worktree-worker.ts", import.meta.url));

const repositories: GitRepository[] = [];
afterEach(() => {
  for (const repository of repositories.splice(0)) repository.remove();
});

function repository(): GitRepository {
  const made = gitRepository();
  repositories.push(made);
  return made;
}

/** A run that dies while its task is at work. */
function crash({ root, worktrees }: GitRepository, what: "write" | "nothing"): void {
  const died = spawnSync(process.execPath, [WORKER, root, worktrees, what], { encoding: "utf8" });
  expect(died.signal, died.stderr).toBe("SIGKILL");
}

const look = ({ root }: GitRepository) => findWorktrees(root, { clock: systemClock() });

test("an empty worktree of a process that died is taken away by the next run", async () => {
  const repo = repository();
  crash(repo, "nothing");
  expect(await look(repo)).toMatchObject([{ branch: "lockyard/night/a", state: "empty" }]);
  const { layer, warnings } = layerOver(repo, {});
  expect((await layer.executeTaskCall(task("b"))).status).toBe("succeeded");
  expect(await look(repo)).toEqual([]);
  expect(repo.git("branch", "--format=%(refname:short)")).toBe("main");
  expect(warnings).toEqual([]);
  await layer.close();
});

test("one with work in it stays and is told, and the same task goes on with it", async () => {
  const repo = repository();
  crash(repo, "write");
  const [found] = await look(repo);
  expect(found).toMatchObject({ branch: "lockyard/night/a", state: "dirty" });
  const { layer, warnings } = layerOver(repo, { a: (place) => existsSync(path.join(place, "half.txt")) });
  await layer.executeTaskCall(task("b"));
  expect(warnings).toEqual([
    "Earlier runs left work that is not merged: lockyard/night/a. lockyard doctor shows where it is.",
  ]);
  expect(await look(repo)).toHaveLength(1);
  expect((await layer.executeTaskCall(task("a"))).output).toBe("true");
  expect(repo.read("half.txt")).toBe("half\n");
  expect(await look(repo)).toEqual([]);
  await layer.close();
});

test("commits are work until they are merged", async () => {
  const repo = repository();
  crash(repo, "write");
  const [found] = await look(repo);
  repo.git("-C", found?.path ?? "", "add", "--all");
  repo.git("-C", found?.path ?? "", "commit", "--quiet", "-m", "by hand");
  expect(await look(repo)).toMatchObject([{ state: "unmerged" }]);
  repo.git("merge", "--quiet", "lockyard/night/a");
  expect(await look(repo)).toMatchObject([{ state: "empty" }]);
});

test("a worktree in which somebody works is never taken away", async () => {
  const repo = repository();
  crash(repo, "nothing");
  const [found] = await look(repo);
  const before = process.cwd();
  process.chdir(found?.path ?? "");
  try {
    expect(await look(repo)).toMatchObject([{ state: "busy" }]);
    const { layer } = layerOver(repo, {});
    await layer.executeTaskCall(task("b"));
    await layer.close();
    expect(existsSync(found?.path ?? "")).toBe(true);
  } finally {
    process.chdir(before);
  }
});

test("worktrees of other people and other programs are none of ours", async () => {
  const repo = repository();
  repo.git("worktree", "add", "--quiet", "-b", "feature", path.join(path.dirname(repo.root), "feature"));
  expect(await look(repo)).toEqual([]);
  const { layer } = layerOver(repo, { a: (place) => put(place, "a", "a") });
  await layer.executeTaskCall(task("a"));
  expect(repo.git("worktree", "list").split("\n")).toHaveLength(2);
  await layer.close();
});
