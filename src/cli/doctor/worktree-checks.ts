/** What `doctor` finds of worktrees that tasks made in the repository around it. */
import { neutralise, systemClock } from "../../edges/basics.ts";
import type { FoundWorktree } from "../../edges/footprint.ts";
import type { Surroundings } from "../surroundings.ts";
import { count } from "../terminal/duration.ts";
import type { Check } from "./checks.ts";

const NAME = "worktrees";

export async function checkWorktrees({ cwd }: Surroundings): Promise<readonly Check[]> {
  const { findWorktrees } = await import("../../edges/footprint.ts");
  try {
    const found = await findWorktrees(cwd, { clock: systemClock() });
    const idle = found.filter(({ state }) => state === "empty").length;
    const busy = found.filter(({ state }) => state === "busy").length;
    return [
      ...(busy === 0 ? [] : [{ name: NAME, status: "ok", what: `tasks work in ${count(busy, "worktree")}` } as const]),
      ...(idle === 0 ? [] : [emptyOnes(idle)]),
      ...found.flatMap(workIn),
    ];
  } catch (error) {
    const what = `git could not be asked: ${neutralise(error instanceof Error ? error.message : String(error))}`;
    return [{ name: NAME, status: "warning", what }];
  }
}

function emptyOnes(number: number): Check {
  const what = `${count(number, "worktree")} of runs that ended ${number === 1 ? "is" : "are"} empty; the next run takes ${number === 1 ? "it" : "them"} away`;
  return { name: NAME, status: "ok", what };
}

function workIn({ path, branch, state }: FoundWorktree): readonly Check[] {
  if (state !== "dirty" && state !== "unmerged") return [];
  const what = state === "dirty" ? "changes that are not committed" : "commits that are not merged";
  const fix =
    state === "dirty"
      ? `look at them there; to throw them away: git worktree remove --force ${path}`
      : `git merge ${branch}; or to throw them away: git worktree remove ${path} && git branch -D ${branch}`;
  const found = `${branch} holds ${what}, of a run that ended, in ${path}`;
  return [{ name: NAME, status: "warning", what: neutralise(found), fix: neutralise(fix) }];
}
