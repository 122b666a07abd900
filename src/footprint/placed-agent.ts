/** An agent that writes files nobody declared: it is given a place to run in, and what it touched is found out afterwards. */
import { resolve } from "node:path";
import { LockyardError } from "../core/errors.ts";
import type { Agent, AgentContext, AgentReport, Clock, FirstLook } from "../core/ports.ts";
import type { AgentTask, Claim, JsonObject } from "../core/task.ts";
import { gitDirectories } from "../resources/git.ts";
import { observe } from "../resources/observe.ts";
import { watchChanges } from "./changes.ts";
import { declaresFiles, type Isolation, isolationFor } from "./isolation.ts";
import { type Repository, repositoryAt } from "./repository.ts";
import { Worktrees } from "./worktrees.ts";

/** Where one attempt works. */
export interface Place {
  /** Absolute. */
  readonly cwd: string;
}

/** The work itself: settles when nothing of it runs any more, as `Agent.run` does. */
export type PlacedRun = (task: AgentTask, ctx: AgentContext, place: Place) => Promise<AgentReport>;

export interface PlacedAgentOptions {
  readonly kind: string;
  /** Absolute: claims are relative to it, and it is where the agent works unless `cwdFor` says more. */
  readonly root: string;
  readonly run: PlacedRun;
  /** For all tasks, or of each; undefined decides by what the task declares. */
  readonly isolation?: Isolation | ((task: AgentTask) => Isolation | undefined) | undefined;
  /** Where this task works, relative to `root` or absolute. */
  readonly cwdFor?: ((task: AgentTask) => string | undefined) | undefined;
  /** Where worktrees are made. Default: below the user's state directory. */
  readonly worktrees?: string | undefined;
  readonly context?: Agent["context"];
  readonly output?: Agent["output"];
  readonly claims?: Agent["claims"];
  readonly concurrency?: number | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

export function placedAgent(options: PlacedAgentOptions): Agent {
  const { kind, root, context, output, concurrency, close } = options;
  const worktrees = new Worktrees({ kind, root, directory: options.worktrees });
  return {
    kind,
    holder: "owned",
    ...(context === undefined ? undefined : { context }),
    ...(output === undefined ? undefined : { output }),
    ...(concurrency === undefined ? undefined : { concurrency }),
    ...(close === undefined ? undefined : { close }),
    claims: (data, task) => claimsOf(options, data, task),
    look: async (task, clock) => {
      // Without asking git: a repository that has no commit yet is not looked at.
      if (isolationOf(options, task, gitDirectories(root) !== undefined) === "worktree") return null;
      return lookAt(root, await repositoryAt(root, { clock }), clock);
    },
    run: async (task, ctx) => {
      const cwd = resolve(root, options.cwdFor?.(task) ?? "");
      if (isolationOf(options, task, true) !== "worktree") return options.run(task, ctx, { cwd });
      const repository = await repositoryAt(root, { clock: ctx.clock, signal: ctx.signal });
      if (isolationOf(options, task, repository !== null) !== "worktree") return options.run(task, ctx, { cwd });
      if (repository === null) throw noRepository(root);
      return worktrees.run({ task, ctx, cwd, repository, claims: declared(options, task) }, options.run);
    },
  };
}

function isolationOf(options: PlacedAgentOptions, task: AgentTask, hasRepository: boolean): Isolation {
  return isolationFor(declared(options, task), { asked: askedOf(options, task), hasRepository });
}

/** By git where it can tell, else by the file system alone. */
async function lookAt(root: string, repository: Repository | null, clock: Clock): Promise<FirstLook> {
  if (repository !== null) return { place: repository.top, again: await watchChanges(repository.top, { clock }) };
  return { place: root, again: await observe(["."], root) };
}

/** Those that follow from the context, and everything for a task that declares no files and wants no company. */
function claimsOf(options: PlacedAgentOptions, data: unknown, task: AgentTask): readonly Claim[] {
  const derived = derivedFrom(options, data, task);
  const isWhole = askedOf(options, task) === "whole-tree" && !declaresFiles([...(task.claims ?? []), ...derived]);
  return isWhole ? [...derived, { write: options.root }] : derived;
}

function derivedFrom({ claims }: PlacedAgentOptions, data: unknown, task: AgentTask): readonly Claim[] {
  return claims?.(data as JsonObject, task) ?? []; // parsed by the agent's own schema
}

/** What the task declares, by itself and by its context. */
function declared(options: PlacedAgentOptions, task: AgentTask): readonly Claim[] {
  return [...(task.claims ?? []), ...derivedFrom(options, task.contextData ?? {}, task)];
}

function askedOf({ isolation }: PlacedAgentOptions, task: AgentTask): Isolation | undefined {
  return typeof isolation === "function" ? isolation(task) : isolation;
}

function noRepository(root: string): LockyardError {
  return new LockyardError(
    "INVALID_OPTION",
    `isolation: worktree needs a git repository with a commit, and ${root} has none.`,
    {
      hint: "Use isolation: optimistic, or git init and commit.",
    },
  );
}
