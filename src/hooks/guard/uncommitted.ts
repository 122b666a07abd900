/** What git says is not committed: asked of git itself, for what a session wrote may be committed long since. */
import { execFile } from "node:child_process";
import { join } from "node:path";

/** What git knows of a file that differs from the last commit. */
export type Uncommitted = "tracked" | "untracked";

export interface Git {
  /** Root of the worktree that a directory is in; null outside of one, and where git does not answer. */
  readonly rootOf: (directory: string) => Promise<string | null>;
  /** Of these absolute paths those that are not committed, in their worktree. */
  readonly uncommitted: (root: string, paths: readonly string[]) => Promise<ReadonlyMap<string, Uncommitted>>;
  /** Wall time of the last commit that changed a file; 0 when there is none. */
  readonly committedMs: (root: string, path: string) => Promise<number>;
  /** Absolute paths that the commit being made would change. */
  readonly staged: (root: string) => Promise<readonly string[]>;
}

const LIMIT_MS = 5_000;
const OUTPUT_BYTES = 16 * 1024 * 1024;

export const realGit: Git = {
  rootOf: async (directory) => {
    const text = await run(directory, ["rev-parse", "--show-toplevel"]);
    return text === null ? null : text.replace(/\n$/, "");
  },
  uncommitted: async (root, paths) => {
    if (paths.length === 0) return new Map();
    const text = await run(root, [
      "status",
      "--porcelain=v1",
      "-z",
      "--untracked-files=all",
      "--no-renames",
      "--",
      ...paths,
    ]);
    const entries = (text ?? "").split("\0").filter((entry) => entry.length > 3);
    return new Map(
      entries.map((entry) => [
        join(root, entry.slice(3)),
        entry.startsWith("??") ? ("untracked" as const) : ("tracked" as const),
      ]),
    );
  },
  committedMs: async (root, path) => {
    const text = await run(root, ["log", "-1", "--format=%ct", "--", path]);
    return Number(text ?? 0) * 1_000;
  },
  staged: async (root) => {
    const text = await run(root, ["diff", "--cached", "--name-only", "--no-renames", "-z"]);
    return (text ?? "")
      .split("\0")
      .filter((name) => name !== "")
      .map((name) => join(root, name));
  },
};

/** Null when git fails: it then fails for whoever asked, too. */
function run(directory: string, args: readonly string[]): Promise<string | null> {
  // Names are names, not patterns; and looking must not wait for, or hold, a lock of the repository.
  const env = { ...process.env, GIT_LITERAL_PATHSPECS: "1", GIT_OPTIONAL_LOCKS: "0" };
  const options = { cwd: directory, env, timeout: LIMIT_MS, maxBuffer: OUTPUT_BYTES, encoding: "utf8" as const };
  return new Promise((resolve) => {
    execFile("git", args, options, (error, stdout) => resolve(error === null ? stdout : null));
  });
}
