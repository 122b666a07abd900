/** How a coding agent that may write anywhere is kept from others: decided from what its task declared. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { AgentTask, Claim } from "../core/task.ts";

/**
 * `worktree`: a git worktree of its own, merged afterwards. `optimistic`: in place, and compared afterwards. `whole-tree`:
 * in place, behind a lock on everything.
 */
export type Isolation = "worktree" | "optimistic" | "whole-tree";

/** What was asked for; else a worktree for who declares no files, where there is a repository; else in place. */
export function isolationFor(
  task: Pick<AgentTask, "claims">,
  { asked, root }: { readonly asked: Isolation | undefined; readonly root: string },
): Isolation {
  if (asked !== undefined) return asked;
  return declaresFiles(task.claims ?? []) || !isInRepository(root) ? "optimistic" : "worktree";
}

export function declaresFiles(claims: readonly Claim[]): boolean {
  return claims.some((claim) => "write" in claim || "read" in claim);
}

/** `.git` is a directory, or a file that names one. */
function isInRepository(place: string): boolean {
  for (let directory = resolve(place); ; directory = dirname(directory)) {
    if (existsSync(join(directory, ".git"))) return true;
    if (directory === dirname(directory)) return false;
  }
}
