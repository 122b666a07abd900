/**
 * What a task did in its worktree comes into the tree the run works on.
 *
 *  M1 the merge itself is made in the task's worktree; the user's tree only ever moves forward to its result, in one step
 *     of git's that changes nothing when local changes are in the way
 *  M2 one merge at a time for each repository, and behind whoever holds one of the files for writing
 *  M3 what cannot be merged is a question to a person; nothing is thrown away whatever the answer
 */
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import type { AgentContext } from "../core/ports.ts";
import type { Claim, JsonValue } from "../core/task.ts";
import { neutralise } from "../process/neutralise.ts";
import { TASK_TRAILER } from "./changes.ts";
import { type GitOptions, git, pieces, saidBy } from "./git.ts";
import { commitOf, gitClaims, isAncestor, type Repository, repositoryAt } from "./repository.ts";
import { warn } from "./warn.ts";
import { isMerging, underLock, type Worktree } from "./worktree.ts";

export interface MergeSetup {
  readonly worktree: Worktree;
  readonly repository: Repository;
  readonly ctx: AgentContext;
  /** What did the work, for the commit's message: `claude-code`. */
  readonly kind: string;
  /** Arguments that name who commits; see `whoCommits`. */
  readonly identity: readonly string[];
}

export type Merging =
  /** The task changed nothing that is not there already. */
  | { readonly kind: "nothing" }
  | { readonly kind: "merged"; readonly commit: string; readonly paths: readonly string[] }
  /** A person said so. */
  | {
      readonly kind: "unmerged";
      readonly answer: "skip" | "keep";
      readonly why: string;
      readonly paths: readonly string[];
    };

interface Blocked {
  readonly kind: "blocked";
  /** What the task changed. */
  readonly paths: readonly string[];
  /** With conflicts that wait to be resolved in the worktree. */
  readonly files: readonly string[];
  /** Those in which git marked what conflicts. */
  readonly marked: readonly string[];
  readonly why: string;
}

/** Commits what the task left uncommitted in its worktree. */
export async function commitWork({ worktree, ctx, kind, identity }: MergeSetup): Promise<void> {
  const options = { cwd: worktree.path, clock: ctx.clock, signal: ctx.signal };
  await git(["add", "--all"], options);
  const nested = await nestedRepositories(options);
  if (nested.length > 0) {
    // Git would keep their names and lose their files: they stay, and with them the worktree.
    await git(["reset", "--quiet", "--", ...nested], options);
    warn(ctx, `Repositories inside the worktree are not merged: ${nested.join(", ")}.`);
  }
  const message = `Task ${oneLine(ctx.taskId)} of ${oneLine(ctx.workflowId)}, by ${kind}`;
  // 1: there is nothing to commit.
  await git([...identity, "commit", "--quiet", "--message", message], { ...options, accept: [0, 1] });
}

/** Merges until it is merged, or a person says to leave it. */
export async function mergeWork(setup: MergeSetup): Promise<Merging> {
  for (;;) {
    const outcome = await tryToMerge(setup);
    if (outcome.kind !== "blocked") return outcome;
    const answer = await askWhat(setup, outcome);
    const { worktree, ctx } = setup;
    const options = { cwd: worktree.path, clock: ctx.clock, signal: ctx.signal };
    if (answer === "retry") await takeUp(setup, outcome);
    else {
      if (answer === "skip" && isMerging(worktree.path)) await git(["merge", "--abort"], options);
      return { kind: "unmerged", answer, why: outcome.why, paths: outcome.paths };
    }
  }
}

async function tryToMerge(setup: MergeSetup): Promise<Merging | Blocked> {
  const { worktree, repository, ctx } = setup;
  const options = { cwd: worktree.path, clock: ctx.clock, signal: ctx.signal };
  const inMain = { ...options, cwd: repository.top };
  const tip = await commitOf("HEAD", options);
  const target = await commitOf("HEAD", inMain);
  if (tip === null || target === null || tip === target) return { kind: "nothing" };
  const paths = await changedPaths(target, tip, options);
  if (isMerging(worktree.path)) return conflictsIn(setup, paths);
  if (paths.length === 0 && (await isAncestor(tip, target, inMain))) return { kind: "nothing" };
  const claims = [...gitClaims(repository, ["refs", "head", "index"]), ...pathClaims(paths, repository.top)];
  return underLock(ctx, claims, () => mergeUnderLock(setup, tip, paths));
}

async function mergeUnderLock(setup: MergeSetup, tip: string, paths: readonly string[]): Promise<Merging | Blocked> {
  const { worktree, repository, ctx, identity } = setup;
  const { clock, signal } = ctx;
  const inWorktree = { cwd: worktree.path, clock, signal };
  // Without the signal: it is over in a moment, and half of it would be worse.
  const inMain = { cwd: repository.top, clock, outlives: true };
  const { head, branch } = (await repositoryAt(repository.top, { clock })) ?? repository;
  if (branch !== repository.branch) {
    return blocked(paths, `${repository.top} has ${branch} checked out now`);
  }
  const tried = await git([...identity, "merge", "--quiet", "--no-edit", head], {
    ...inWorktree,
    accept: [0, 1, 2, 128],
  });
  if (tried.code !== 0) {
    return isMerging(worktree.path) ? conflictsIn(setup, paths) : blocked(paths, saidBy(tried));
  }
  const message = `Merge ${worktree.branch}\n\n${TASK_TRAILER}: ${oneLine(ctx.workflowId)}/${oneLine(ctx.taskId)}`;
  const parents = ["-p", head, "-p", tip];
  const made = await git([...identity, "commit-tree", "HEAD^{tree}", ...parents, "-m", message], inWorktree);
  const commit = made.stdout.trim();
  const moved = await git(["merge", "--quiet", "--ff-only", commit], { ...inMain, accept: [0, 1, 2, 128] });
  // The merge in the worktree was for its result alone: the branch goes on from that, or back to where it was.
  const reset = moved.code === 0 ? ["--soft", commit] : ["--hard", tip];
  await git(["reset", "--quiet", ...reset], { cwd: worktree.path, clock });
  return moved.code === 0 ? { kind: "merged", commit, paths } : blocked(paths, saidBy(moved));
}

function blocked(paths: readonly string[], why: string): Blocked {
  return { kind: "blocked", paths, files: [], marked: [], why };
}

async function conflictsIn({ worktree, ctx }: MergeSetup, paths: readonly string[]): Promise<Blocked> {
  const options = { cwd: worktree.path, clock: ctx.clock, signal: ctx.signal };
  const files = await unmerged(options);
  const marked = files.filter((file) => hasMarks(posix.join(worktree.path, file)) === true);
  return { kind: "blocked", paths, files, marked, why: `conflicts in ${listed(files)}` };
}

/**
 * A person said `retry`: what was resolved is committed. When nobody has resolved anything the merge is begun anew, because
 * the other side may have changed; when some is left, it is asked for again.
 */
async function takeUp({ worktree, ctx, identity }: MergeSetup, { files, marked }: Blocked): Promise<void> {
  const options = { cwd: worktree.path, clock: ctx.clock, signal: ctx.signal };
  // Resolved and committed by hand, or never begun.
  if (!isMerging(options.cwd)) return;
  const left = await unmerged(options);
  // Without `git add`, but free of the marks git had made: resolved, too.
  const open = left.filter((file) => !marked.includes(file) || hasMarks(posix.join(options.cwd, file)) !== false);
  if (open.length === 0) {
    await git(["add", "--all"], options);
    await git([...identity, "commit", "--quiet", "--no-edit"], options);
  } else if (open.length === files.length) await git(["merge", "--abort"], options);
}

async function unmerged(options: GitOptions): Promise<readonly string[]> {
  return pieces((await git(["diff", "--name-only", "--diff-filter=U", "-z"], options)).stdout);
}

/** Null for a file that is not there: only `git rm` says that this is meant. */
function hasMarks(file: string): boolean | null {
  try {
    return /^(?:<{7}|>{7}) /m.test(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

async function askWhat(
  { worktree, repository, ctx }: MergeSetup,
  blocked: Blocked,
): Promise<"retry" | "skip" | "keep"> {
  const { branch, path } = worktree;
  const what = `${branch} could not be merged into ${repository.branch}: ${blocked.why}.`;
  const how =
    blocked.files.length > 0
      ? `Resolve them in ${path}, git add them, and answer retry.`
      : `Put that right in ${repository.top} and answer retry.`;
  const otherwise = "Or answer skip (its branch stays, its worktree goes) or keep (both stay).";
  for (let question = neutralise(`${what} ${how} ${otherwise}`); ; question = `Answer retry, skip or keep. ${what}`) {
    const answer = wordOf(await ctx.ask(question));
    if (answer !== null) return answer;
  }
}

function wordOf(answer: JsonValue): "retry" | "skip" | "keep" | null {
  const word = typeof answer === "string" ? answer.trim().toLowerCase() : "";
  return word === "retry" || word === "skip" || word === "keep" ? word : null;
}

/** What a commit changes against where it and the other began to differ. */
export async function changedPaths(target: string, tip: string, options: GitOptions): Promise<readonly string[]> {
  const range = `${target}...${tip}`;
  return pieces((await git(["diff", "--name-only", "--no-renames", "-z", range], options)).stdout);
}

/** Claims that leave room for git's own and for those a link may double. */
const MOST_PATH_CLAIMS = Math.floor(BOUNDS.claimsPerTask / 2) - 4;

/** Locks on the files, or on ever fewer directories that hold them. */
export function pathClaims(paths: readonly string[], top: string): readonly Claim[] {
  const room = BOUNDS.pathDepth - top.split("/").length;
  for (let depth = Math.max(0, room); depth > 0; depth = Math.min(depth - 1, deepest(paths) - 1)) {
    const places = new Set(paths.map((path) => path.split("/").slice(0, depth).join("/")));
    if (places.size <= MOST_PATH_CLAIMS) return [...places].map((place) => ({ write: posix.join(top, place) }));
  }
  return [{ write: top }];
}

function deepest(paths: readonly string[]): number {
  return paths.reduce((most, path) => Math.max(most, path.split("/").length), 0);
}

/** New entries that are repositories of their own. */
async function nestedRepositories(options: GitOptions): Promise<readonly string[]> {
  const { stdout } = await git(["diff", "--cached", "--raw", "-z", "--no-renames", "--diff-filter=A"], options);
  const parts = pieces(stdout);
  return parts.flatMap((part, at) => (part.startsWith(":000000 160000 ") ? [parts[at + 1] ?? ""] : []));
}

/** Arguments that name somebody where git knows nobody: a commit must not fail over that at night. */
export async function whoCommits(options: GitOptions): Promise<readonly string[]> {
  const { code } = await git(["var", "GIT_COMMITTER_IDENT"], { ...options, accept: [0, 128] });
  return code === 0 ? [] : ["-c", "user.name=Lockyard", "-c", "user.email=lockyard@localhost"];
}

const LISTED = 5;

export function listed(files: readonly string[]): string {
  const shown = files.slice(0, LISTED).map((file) => neutralise(file));
  return `${shown.join(", ")}${files.length > LISTED ? ` and ${files.length - LISTED} more` : ""}`;
}

function oneLine(text: string): string {
  return neutralise(text).replaceAll(/\s+/g, " ");
}
