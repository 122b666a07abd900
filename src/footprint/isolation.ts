/** How a coding agent that may write anywhere is kept from others: decided from what its task declared. */
import type { Claim } from "../core/task.ts";

/**
 * `worktree`: a git worktree of its own, merged afterwards. `optimistic`: in place, and compared afterwards. `whole-tree`:
 * in place, behind a lock on everything.
 */
export type Isolation = "worktree" | "optimistic" | "whole-tree";

/** What was asked for; else a worktree for who declares no files, where there is a repository; else in place. */
export function isolationFor(
  claims: readonly Claim[],
  { asked, hasRepository }: { readonly asked: Isolation | undefined; readonly hasRepository: boolean },
): Isolation {
  if (asked !== undefined) return asked;
  return declaresFiles(claims) || !hasRepository ? "optimistic" : "worktree";
}

export function declaresFiles(claims: readonly Claim[]): boolean {
  return claims.some((claim) => "write" in claim || "read" in claim);
}
