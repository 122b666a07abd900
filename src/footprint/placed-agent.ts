/** An agent that writes files nobody declared: it is given a place to run in, and what it touched is found out afterwards. */
import { resolve } from "node:path";
import type { Agent, AgentContext, AgentReport } from "../core/ports.ts";
import type { AgentTask, Claim, JsonObject } from "../core/task.ts";
import { declaresFiles, type Isolation } from "./isolation.ts";

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
  readonly context?: Agent["context"];
  readonly output?: Agent["output"];
  readonly claims?: Agent["claims"];
  readonly concurrency?: number | undefined;
  readonly close?: (() => Promise<void>) | undefined;
}

export function placedAgent(options: PlacedAgentOptions): Agent {
  const { kind, root, run, cwdFor, context, output, concurrency, close } = options;
  return {
    kind,
    holder: "owned",
    ...(context === undefined ? undefined : { context }),
    ...(output === undefined ? undefined : { output }),
    ...(concurrency === undefined ? undefined : { concurrency }),
    ...(close === undefined ? undefined : { close }),
    claims: (data, task) => claimsOf(options, data, task),
    run: (task, ctx) => run(task, ctx, { cwd: resolve(root, cwdFor?.(task) ?? "") }),
  };
}

/** Those that follow from the context, and everything for a task that declares no files and wants no company. */
function claimsOf(options: PlacedAgentOptions, data: unknown, task: AgentTask): readonly Claim[] {
  const derived = options.claims?.(data as JsonObject, task) ?? []; // parsed by the agent's own schema
  const claims = [...(task.claims ?? []), ...derived];
  const isWhole = askedOf(options, task) === "whole-tree" && !declaresFiles(claims);
  return isWhole ? [...derived, { write: options.root }] : derived;
}

function askedOf({ isolation }: PlacedAgentOptions, task: AgentTask): Isolation | undefined {
  return typeof isolation === "function" ? isolation(task) : isolation;
}
