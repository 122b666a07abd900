/** A task in a worktree of its own, from its making to the merge. */
import { mkdir } from "node:fs/promises";
import { posix } from "node:path";
import { agentReport } from "../core/agent-report.ts";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode, LockyardError } from "../core/errors.ts";
import { fixedPrefix } from "../core/paths.ts";
import type { AgentContext, AgentReport } from "../core/ports.ts";
import type { AgentTask, Claim } from "../core/task.ts";
import { stateDirectory } from "../resources/state-directory.ts";
import { uncommitted } from "./changes.ts";
import { sweepWorktrees } from "./leftovers.ts";
import { changedPaths, commitWork, listed, type Merging, mergeWork, whoCommits } from "./merge.ts";
import type { PlacedRun } from "./placed-agent.ts";
import { commitOf, placeInTree, type Repository, realPath } from "./repository.ts";
import { warn } from "./warn.ts";
import { openWorktree, removeWorktree, type Worktree } from "./worktree.ts";

export interface WorktreeTask {
  readonly task: AgentTask;
  readonly ctx: AgentContext;
  /** Where it would work in the user's tree. */
  readonly cwd: string;
  readonly repository: Repository;
  /** What it declared. */
  readonly claims: readonly Claim[];
}

interface Ended extends WorktreeTask {
  readonly worktree: Worktree;
}

/** The default place: outside every repository, so that nobody's tools find a second copy of the sources. */
function worktreesDirectory(): string {
  return posix.join(stateDirectory(), "worktrees");
}

export class Worktrees {
  readonly #kind: string;
  readonly #root: string;
  readonly #directory: string;
  #identity: readonly string[] | undefined;
  readonly #busy = new Set<string>();
  /** Of repositories whose earlier runs were looked after. */
  readonly #swept = new Set<string>();

  constructor(options: { readonly kind: string; readonly root: string; readonly directory: string | undefined }) {
    this.#kind = options.kind;
    this.#root = options.root;
    this.#directory = options.directory ?? worktreesDirectory();
  }

  async run(given: WorktreeTask, run: PlacedRun): Promise<AgentReport> {
    const { task, ctx, repository, cwd } = given;
    const place = placeInTree(cwd, repository.top);
    if (place === null) {
      throw new LockyardError(
        "INVALID_OPTION",
        `${cwd} is not in ${repository.top}, so a worktree has no such place.`,
        {
          hint: "Name a cwd inside the repository, or use isolation: optimistic.",
        },
      );
    }
    await this.#prepare(given);
    const worktree = await openWorktree({ repository, ctx, directory: this.#directory, busy: this.#busy });
    const ended = { ...given, worktree };
    try {
      const here = posix.join(worktree.path, place);
      await mkdir(here, { recursive: true });
      const report = await run(task, ctx, { cwd: here });
      return report.success ? await this.#merge(ended, report) : await this.#keep(ended, report);
    } catch (error) {
      // What could not be stopped still works there.
      if (errorCode(error) !== "NOT_STOPPED") await this.#leaveAfter(ended);
      throw error;
    } finally {
      this.#busy.delete(worktree.path);
    }
  }

  /** Once for each repository: what earlier runs left, and what this one will not see. */
  async #prepare({ ctx, repository }: WorktreeTask): Promise<void> {
    if (this.#swept.has(repository.commonDirectory)) return;
    this.#swept.add(repository.commonDirectory);
    const kept = await sweepWorktrees({ repository, ctx, busy: this.#busy });
    if (kept.length > 0) {
      const names = listed(kept.map(({ branch }) => branch));
      warn(ctx, `Earlier runs left work that is not merged: ${names}. lockyard doctor shows where it is.`);
    }
    const unseen = await uncommitted({ cwd: repository.top, clock: ctx.clock, signal: ctx.signal });
    if (unseen.length > 0) {
      warn(ctx, `Worktrees begin at the last commit, without what is not committed: ${listed(unseen)}.`);
    }
  }

  async #merge(ended: Ended, report: AgentReport): Promise<AgentReport> {
    const { worktree, repository, ctx } = ended;
    this.#identity ??= await whoCommits({ cwd: repository.top, clock: ctx.clock, signal: ctx.signal });
    const setup = { worktree, repository, ctx, kind: this.#kind, identity: this.#identity };
    await commitWork(setup);
    const merging = await mergeWork(setup);
    const isOver = merging.kind !== "unmerged" || merging.answer === "skip";
    if (isOver && !(await this.#remove(ended))) {
      warn(ctx, `The worktree ${worktree.path} stays: something in it is not merged, or somebody works there.`);
    }
    const touched = this.#undeclared(ended, merging.kind === "nothing" ? [] : merging.paths);
    return withMerge(report, { merging, touched, worktree, into: repository.branch });
  }

  /** It says itself that it did not succeed: nothing is merged, nothing is lost. */
  async #keep(ended: Ended, report: AgentReport): Promise<AgentReport> {
    const { worktree, ctx } = ended;
    const options = { cwd: worktree.path, clock: ctx.clock };
    const paths = [...(await changedPaths(worktree.base, "HEAD", options)), ...(await uncommitted(options))];
    const touched = this.#undeclared(ended, paths);
    const left = await this.#leave(ended);
    const evidence = left === null ? report.evidence : [...report.evidence, left];
    return agentReport({ ...report, evidence, touched });
  }

  /** What goes wrong here hides nothing of what went wrong before. */
  async #leaveAfter(ended: Ended): Promise<void> {
    try {
      await this.#leave(ended);
    } catch (error) {
      warn(ended.ctx, `The worktree ${ended.worktree.path} stays: ${String(error)}`);
    }
  }

  /** Takes it away when it holds nothing; else says where it is. */
  async #leave(ended: Ended): Promise<string | null> {
    const { worktree, ctx } = ended;
    const tip = await commitOf("HEAD", { cwd: worktree.path, clock: ctx.clock });
    // With commits of its own it stays, too: the next attempt goes on there.
    if (tip === worktree.base && (await this.#remove(ended))) return null;
    const left = `What task ${ctx.taskId} did is in ${worktree.path}, on branch ${worktree.branch}; it is not merged.`;
    warn(ctx, left);
    return left;
  }

  #remove({ worktree, repository, ctx }: Ended): Promise<boolean> {
    return removeWorktree(worktree, { cwd: repository.top, clock: ctx.clock });
  }

  /** What it wrote and had not declared, relative to the root. */
  #undeclared({ repository, claims }: Ended, paths: readonly string[]): readonly string[] {
    // Git says its paths without links on their way; people may claim them with some.
    const place = (path: string) => realPath(posix.resolve(this.#root, fixedPrefix(path)));
    const writes = claims.flatMap((claim) => ("write" in claim ? [place(claim.write)] : []));
    const root = realPath(this.#root);
    const lines = [...new Set(paths)]
      .sort()
      .map((path) => posix.join(repository.top, path))
      .filter((path) => !writes.some((write) => isWithin(path, write)))
      .map((path) => (isWithin(path, root) ? posix.relative(root, path) : path));
    const more = lines.length - BOUNDS.touchedPaths;
    return more > 0 ? [...lines.slice(0, BOUNDS.touchedPaths), `… and ${more} more`] : lines;
  }
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === "/" ? "/" : `${directory}/`);
}

function withMerge(
  report: AgentReport,
  facts: {
    readonly merging: Merging;
    readonly touched: readonly string[];
    readonly worktree: Worktree;
    readonly into: string;
  },
): AgentReport {
  const { merging, touched, worktree, into } = facts;
  switch (merging.kind) {
    case "nothing":
      return agentReport({ ...report, touched });
    case "merged": {
      const files = merging.paths.length === 1 ? "1 file" : `${merging.paths.length} files`;
      const evidence = [...report.evidence, `Merged into ${into} as ${merging.commit.slice(0, 12)}: ${files}.`];
      return agentReport({ ...report, evidence, touched });
    }
    case "unmerged": {
      const place = merging.answer === "keep" ? `, its worktree is ${worktree.path}` : "";
      const errorMessage = `Its work is not merged into ${into}: ${merging.why}. It is on branch ${worktree.branch}${place}.`;
      return agentReport({ ...report, success: false, errorMessage, touched });
    }
  }
}
