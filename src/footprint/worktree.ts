/**
 * Working trees of tasks: made, found again, taken away.
 *
 *  W1 made one at a time for each repository (`git:worktrees`); files are written outside that lock
 *  W2 each says in git's own directory for it whose it is: whoever comes after a crash can tell
 *  W3 taken away only by git without force, which leaves what holds changes, and only when nobody works in it
 */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { mkdir, rmdir, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import { shortHash } from "../core/names.ts";
import type { AgentContext, ProcessIdentity } from "../core/ports.ts";
import { livenessOf, ownIdentity } from "../process/identity.ts";
import { gitDirectories } from "../resources/git.ts";
import { type GitOptions, git } from "./git.ts";
import { branchName, safeName } from "./names.ts";
import { commitOf, gitClaims, type Repository } from "./repository.ts";

/** What a worktree says of itself. */
export interface WorktreeRecord {
  readonly workflowId: string;
  readonly taskId: string;
  readonly branch: string;
  /** Commit it began at. */
  readonly base: string;
  /** The process that made it, or went on with it. */
  readonly owner: ProcessIdentity;
}

export interface Worktree extends WorktreeRecord {
  /** Absolute. */
  readonly path: string;
}

const RECORD_FILE = "lockyard.json";

/** What a run needs to make worktrees. */
export interface WorktreeSetup {
  readonly repository: Repository;
  readonly ctx: AgentContext;
  /** Directory for the worktrees of all repositories. */
  readonly directory: string;
  /** Paths of those that attempts of this process work in. */
  readonly busy: Set<string>;
}

/**
 * The worktree of this task: that of an attempt before it which left changes behind, else a new one at the commit that is
 * checked out.
 */
export async function openWorktree(setup: WorktreeSetup): Promise<Worktree> {
  const { repository, ctx, busy } = setup;
  const options = { cwd: repository.top, clock: ctx.clock, signal: ctx.signal };
  const worktree = await underLock(ctx, gitClaims(repository, ["worktrees"]), async () => {
    for (let number = 1; ; number++) {
      const place = placeFor(setup, number);
      const found = readWorktree(place.path);
      if (found !== null && mayGoOn(found, setup)) {
        await writeRecord({ ...found, owner: ownIdentity() });
        busy.add(found.path);
        return { ...found, isNew: false };
      }
      if (existsSync(place.path) || (await commitOf(`refs/heads/${place.branch}`, options)) !== null) continue;
      const made = {
        ...place,
        workflowId: ctx.workflowId,
        taskId: ctx.taskId,
        base: repository.head,
        owner: ownIdentity(),
      };
      busy.add(made.path);
      await mkdir(posix.dirname(made.path), { recursive: true, mode: 0o700 });
      await git(["worktree", "add", "--quiet", "--no-checkout", "-b", made.branch, made.path, made.base], options);
      await writeRecord(made);
      return { ...made, isNew: true };
    }
  });
  const { isNew, ...rest } = worktree;
  if (isNew) await git(["reset", "--quiet", "--hard"], { ...options, cwd: rest.path });
  return rest;
}

function placeFor({ directory, repository, ctx }: WorktreeSetup, number: number): Pick<Worktree, "path" | "branch"> {
  const suffix = number === 1 ? "" : `-${number}`;
  const workflow = safeName(ctx.workflowId);
  return {
    path: posix.join(directory, shortHash(repository.commonDirectory), workflow, `${safeName(ctx.taskId)}${suffix}`),
    branch: branchName(ctx.workflowId, ctx.taskId, number),
  };
}

/** Left by an attempt at the same task whose process is this one or gone, not in the middle of a merge, and empty of life. */
function mayGoOn(found: Worktree, { ctx, busy }: WorktreeSetup): boolean {
  if (found.workflowId !== ctx.workflowId || found.taskId !== ctx.taskId || busy.has(found.path)) return false;
  const isOurs = found.owner.pid === process.pid && found.owner.startTime === ownIdentity().startTime;
  return (isOurs || livenessOf(found.owner) === "gone") && !isMerging(found.path) && !isInhabited(found.path);
}

/** What the worktree at this place says of itself; null when it is none of ours. */
export function readWorktree(path: string): Worktree | null {
  const file = recordFile(path);
  if (file === null) return null;
  try {
    const record = JSON.parse(readFileSync(file, "utf8")) as WorktreeRecord; // written by writeRecord
    return typeof record.branch === "string" && typeof record.owner?.pid === "number" ? { ...record, path } : null;
  } catch {
    return null; // not there, or half written by a process that died: then it says nothing
  }
}

async function writeRecord({ path, ...record }: Worktree): Promise<void> {
  const file = recordFile(path);
  if (file !== null) await writeFile(file, JSON.stringify(record), { mode: 0o600 });
}

function recordFile(path: string): string | null {
  // Only a working tree's own link, not that of a repository around it.
  if (!existsSync(posix.join(path, ".git"))) return null;
  const directories = gitDirectories(path);
  return directories === undefined ? null : posix.join(directories.gitDirectory, RECORD_FILE);
}

/** Whether a merge was begun in it and not ended. */
export function isMerging(path: string): boolean {
  const directories = gitDirectories(path);
  return directories !== undefined && existsSync(posix.join(directories.gitDirectory, "MERGE_HEAD"));
}

/** Whether a process works in it. Where there is no process table, nobody is seen. */
export function isInhabited(path: string): boolean {
  const inside = `${path}/`;
  return (process.platform === "linux" ? readdirSync("/proc") : []).some((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return `${readlinkSync(`/proc/${pid}/cwd`)}/`.startsWith(inside);
    } catch {
      return false; // gone meanwhile, or another user's
    }
  });
}

/** Takes away a worktree and its branch; false when it holds something, or somebody. What is not merged keeps its branch. */
export async function removeWorktree(
  { path, branch }: Worktree,
  options: Omit<GitOptions, "accept">,
): Promise<boolean> {
  if (isInhabited(path)) return false;
  if (existsSync(path) && (isMerging(path) || !isOnBranch(path, branch))) return false;
  // Refused by git while there is anything that is neither committed nor ignored.
  const removed = await git(["worktree", "remove", path], { ...options, accept: [0, 128] });
  if (removed.code !== 0) return false;
  // Of the workflow: the last one takes it along.
  await rmdir(posix.dirname(path)).catch(() => undefined);
  // Refused by git when what is checked out there has not all of it.
  await git(["branch", "--quiet", "--delete", branch], { ...options, accept: [0, 1] });
  return true;
}

/** On another one, or on none, it may hold commits that would be lost with it. */
function isOnBranch(path: string, branch: string): boolean {
  const directories = gitDirectories(path);
  if (directories === undefined) return false;
  return readFileSync(posix.join(directories.gitDirectory, "HEAD"), "utf8").trim() === `ref: refs/heads/${branch}`;
}

/** Under locks of git's own. An attempt that is asked to stop gets no more locks: git's own files then have to do. */
export async function underLock<T>(
  ctx: AgentContext,
  claims: Parameters<AgentContext["lock"]>[0],
  work: () => Promise<T>,
): Promise<T> {
  if (ctx.signal.aborted) return work();
  const held = await ctx.lock(claims);
  try {
    return await work();
  } finally {
    await held.release();
  }
}
