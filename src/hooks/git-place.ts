/** Where a session stands in git, read from the files git keeps: no process is started for it. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The directory with `.git`, nearest above; null outside of a repository. */
export function worktreeRoot(cwd: string): string | null {
  for (let directory = cwd; ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git"))) return directory;
    if (directory === dirname(directory)) return null;
  }
}

/** `main`; empty for a commit without a branch, and for what cannot be read. */
export function branchOf(gitDirectory: string): string {
  try {
    return /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(join(gitDirectory, "HEAD"), "utf8"))?.[1]?.trim() ?? "";
  } catch {
    return "";
  }
}
