/** Worktrees that tasks made: see basics.ts. */
export { type FoundWorktree, findWorktrees } from "../footprint/leftovers.ts";
