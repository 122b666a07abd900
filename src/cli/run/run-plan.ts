/** Runs a plan that is loaded, from its first task or from where a process that is gone left it. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { LockyardError } from "../../edges/basics.ts";
import type { Budget } from "../../index.ts";
import { configFor } from "../config-for.ts";
import type { ExitCode } from "../exit-codes.ts";
import { planOf } from "../plan-file.ts";
import type { CommonOptions, Surroundings } from "../surroundings.ts";
import type { Earlier } from "./earlier.ts";
import { planAgents } from "./plan-agents.ts";
import { PlanRun, type PlanRunParts } from "./plan-run.ts";
import type { RunNote } from "./run-note.ts";
import { trustFor } from "./trust.ts";

export async function runPlan({ loaded, around, earlier }: Omit<PlanRunParts, "agents">): Promise<ExitCode> {
  const agents = planAgents(loaded.expanded, {
    trusted: trustFor(loaded, around.env),
    keep: loaded.config.keep,
  });
  try {
    return await new PlanRun({ loaded, agents, around, earlier: earlier ?? null }).run();
  } finally {
    await agents.close();
  }
}

export interface GoOn {
  readonly note: RunNote;
  readonly earlier: Earlier;
  readonly options: CommonOptions;
  readonly budget: Budget;
  readonly surroundings: Surroundings;
}

/** Goes on with a run as it was started: the plan and the configuration of then. Throws as `loadPlan`. */
export async function goOnWith({ note, earlier, options, budget, surroundings }: GoOn): Promise<ExitCode> {
  const { path, file, config: kept } = note;
  const config = await configFor({ cwd: dirname(path), env: surroundings.env }, kept ?? undefined);
  const text = note.text ?? readAgain(path);
  const loaded = await planOf({ path, shown: file, text, config, only: note.options.only });
  return runPlan({ loaded, earlier, around: { ...surroundings, options: { ...note.options, ...options }, budget } });
}

function readAgain(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new LockyardError(
      "INVALID_PLAN",
      `The store keeps no plans (prompts in the configuration), and ${path} cannot be read.`,
      {
        hint: "Put the file back where it was.",
        cause,
      },
    );
  }
}
