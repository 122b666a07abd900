/**
 * What changed in a working tree between two looks, as git sees it: files that are not committed, known by what the file
 * system says of them, and commits. Files that git ignores are not seen.
 */
import { lstat } from "node:fs/promises";
import { posix } from "node:path";
import type { Observed } from "../core/ports.ts";
import { type GitOptions, git, pieces } from "./git.ts";
import { commitOf } from "./repository.ts";

/** Names whose task did what a commit brings: nobody else did it. */
export const TASK_TRAILER = "Lockyard-Task";

interface Look {
  readonly head: string | null;
  /** Path relative to the top → what is known of the file. Only of files that differ from the commit. */
  readonly states: ReadonlyMap<string, string>;
}

/** Looks now; what it returns looks again and tells the difference, in absolute paths. */
export async function watchChanges(top: string, tools: Pick<GitOptions, "clock">): Promise<() => Promise<Observed>> {
  const options = { ...tools, cwd: top };
  const before = await look(options);
  return async () => {
    const after = await look(options);
    const changed = new Set<string>();
    for (const [path, state] of after.states) if (before.states.get(path) !== state) changed.add(path);
    for (const [path, state] of before.states) {
      // Committed, put back or removed meanwhile.
      if (!after.states.has(path) && (await stateOf(posix.join(top, path))) !== state) changed.add(path);
    }
    if (before.head !== null && after.head !== null && before.head !== after.head) {
      for (const path of await committedBetween(before.head, after.head, options)) {
        if (!before.states.has(path)) changed.add(path);
      }
    }
    return { changed: [...changed].sort().map((path) => posix.join(top, path)), isWhole: true };
  };
}

/** Paths that differ from the commit that is checked out, untracked ones included. */
export async function uncommitted(options: GitOptions): Promise<readonly string[]> {
  const args = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=none"];
  const { stdout } = await git(args, options);
  return pieces(stdout).map((line) => line.slice(3));
}

async function look(options: GitOptions): Promise<Look> {
  const [head, paths] = [await commitOf("HEAD", options), await uncommitted(options)];
  const states = new Map<string, string>();
  for (const path of paths) states.set(path, await stateOf(posix.join(options.cwd, path)));
  return { head, states };
}

async function stateOf(file: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs, mode } = await lstat(file);
    return `${ino} ${size} ${mtimeMs} ${ctimeMs} ${mode}`;
  } catch {
    return "absent"; // removed, or hidden from us: then it is so both times
  }
}

/** Files that commits changed, without those that merge the work of a task: that one has told of them itself. */
async function committedBetween(from: string, to: string, options: GitOptions): Promise<readonly string[]> {
  const format = `--format=%x01%(trailers:key=${TASK_TRAILER},valueonly,separator=%x2C)%x02`;
  const args = ["log", "-z", "-m", "--first-parent", "--name-only", "--no-renames", format, `${from}..${to}`];
  const { stdout } = await git(args, options);
  return stdout.split("\u0001").flatMap((commit) => {
    const end = commit.indexOf("\u0002");
    return end !== 0 ? [] : pieces(commit.slice(1)).map((path) => path.replace(/^\n/, ""));
  });
}
