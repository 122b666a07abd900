/** Worktrees that earlier runs left: what is empty goes, what holds work is told. */
import { existsSync } from "node:fs";
import type { AgentContext, Clock } from "../core/ports.ts";
import { livenessOf } from "../process/identity.ts";
import { uncommitted } from "./changes.ts";
import { git } from "./git.ts";
import { isTaskBranch } from "./names.ts";
import { commitOf, gitClaims, isAncestor, type Repository, repositoryAt } from "./repository.ts";
import { isInhabited, isMerging, readWorktree, removeWorktree, underLock, type Worktree } from "./worktree.ts";

/**
 * `busy`: its process lives, cannot be judged from here, or somebody works in it. `dirty`: changes that are not committed.
 * `unmerged`: commits that are not in the tree. `empty`: nothing that would be lost.
 */
export type WorktreeState = "busy" | "dirty" | "unmerged" | "empty";

export interface FoundWorktree {
  readonly path: string;
  readonly branch: string;
  readonly state: WorktreeState;
  /** Null when it says nothing of itself: its maker died while it was made. */
  readonly worktree: Worktree | null;
}

/** The worktrees of tasks in the repository a place belongs to; none outside of one. */
export async function findWorktrees(
  place: string,
  { clock }: { readonly clock: Clock },
): Promise<readonly FoundWorktree[]> {
  const repository = await repositoryAt(place, { clock });
  return repository === null ? [] : worktreesOf(repository, clock);
}

async function worktreesOf(repository: Repository, clock: Clock): Promise<readonly FoundWorktree[]> {
  const { stdout } = await git(["worktree", "list", "--porcelain"], { cwd: repository.top, clock });
  const found: FoundWorktree[] = [];
  for (const entry of stdout.split("\n\n")) {
    const path = /^worktree (.+)$/m.exec(entry)?.[1];
    if (path === undefined) continue;
    const worktree = readWorktree(path);
    const branch = worktree?.branch ?? /^branch refs\/heads\/(.+)$/m.exec(entry)?.[1] ?? "";
    if (!isTaskBranch(branch)) continue;
    found.push({ path, branch, worktree, state: await stateOf({ path, branch, worktree }, repository, clock) });
  }
  return found;
}

async function stateOf(
  { path, branch, worktree }: Omit<FoundWorktree, "state">,
  { top, head }: Repository,
  clock: Clock,
): Promise<WorktreeState> {
  const lives = worktree !== null && livenessOf(worktree.owner) !== "gone";
  if (lives || isInhabited(path)) return "busy";
  if (existsSync(path) && (isMerging(path) || (await uncommitted({ cwd: path, clock })).length > 0)) return "dirty";
  const tip = await commitOf(existsSync(path) ? "HEAD" : `refs/heads/${branch}`, {
    cwd: existsSync(path) ? path : top,
    clock,
  });
  return tip === null || (await isAncestor(tip, head, { cwd: top, clock })) ? "empty" : "unmerged";
}

/** Takes away what is empty; returns what is not and whose run is over. */
export async function sweepWorktrees(given: {
  readonly repository: Repository;
  readonly ctx: AgentContext;
  readonly busy: ReadonlySet<string>;
}): Promise<readonly FoundWorktree[]> {
  const { repository, ctx, busy } = given;
  const options = { cwd: repository.top, clock: ctx.clock };
  return underLock(ctx, gitClaims(repository, ["worktrees"]), async () => {
    const left: FoundWorktree[] = [];
    for (const found of await worktreesOf(repository, ctx.clock)) {
      if (found.state === "busy" || busy.has(found.path)) continue;
      const { worktree, state } = found;
      // One that says nothing of itself may be in the making, where locks do not reach this process.
      const isRemoved = state === "empty" && worktree !== null && (await removeWorktree(worktree, options));
      if (!isRemoved) left.push(found);
    }
    return left;
  });
}
