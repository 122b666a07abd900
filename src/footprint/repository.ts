/** The repository a place belongs to, as git sees it at this moment. */
import { realpathSync } from "node:fs";
import { posix } from "node:path";
import type { Claim } from "../core/task.ts";
import { type GitDirectories, gitDirectories, gitLock } from "../resources/git.ts";
import { type GitOptions, git } from "./git.ts";

export interface Repository extends GitDirectories {
  /** Top directory of the working tree, without links on its way. */
  readonly top: string;
  /** Commit that is checked out. */
  readonly head: string;
  /** Short name of the branch that is checked out; `HEAD` when none is. */
  readonly branch: string;
}

type Tools = Pick<GitOptions, "clock" | "signal">;

/** Null outside a repository, in one without a working tree, and in one without a commit. */
export async function repositoryAt(place: string, tools: Tools): Promise<Repository | null> {
  if (gitDirectories(place) === undefined) return null;
  const options = { ...tools, cwd: place, accept: [0, 128] };
  const shown = await git(["rev-parse", "--show-toplevel", "HEAD^{commit}", "--abbrev-ref", "HEAD"], options);
  const [top, head, branch] = shown.stdout.split("\n");
  if (shown.code !== 0 || top === undefined || head === undefined || branch === undefined) return null;
  const directories = gitDirectories(top);
  return directories === undefined ? null : { ...directories, top, head, branch };
}

/** Commit of a name, or null. */
export async function commitOf(name: string, options: GitOptions): Promise<string | null> {
  const answer = await git(["rev-parse", "--verify", "--quiet", `${name}^{commit}`], { ...options, accept: [0, 1] });
  return answer.code === 0 ? answer.stdout.trim() : null;
}

export async function isAncestor(ancestor: string, commit: string, options: GitOptions): Promise<boolean> {
  const answer = await git(["merge-base", "--is-ancestor", ancestor, commit], { ...options, accept: [0, 1] });
  return answer.code === 0;
}

/** Claims on git's own locks of this repository. */
export function gitClaims(directories: GitDirectories, parts: readonly string[]): readonly Claim[] {
  return parts.map((part) => ({ lock: gitLock(directories, part) }));
}

/** Where a directory lies below the top of the tree; null when it lies elsewhere. */
export function placeInTree(directory: string, top: string): string | null {
  const place = posix.relative(top, realPath(directory));
  return place === ".." || place.startsWith("../") ? null : place;
}

/** Links resolved as far as the path exists. */
export function realPath(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    const parent = posix.dirname(path);
    return parent === path ? path : posix.join(realPath(parent), posix.basename(path));
  }
}
