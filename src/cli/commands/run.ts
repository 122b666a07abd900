/** `lockyard run PLAN`. */
import { PlanFault } from "../config-for.ts";
import type { ExitCode } from "../exit-codes.ts";
import { tellFailure } from "../failure.ts";
import { loadPlan } from "../plan-file.ts";
import type { RunOptions } from "../program.ts";
import { runPlan } from "../run/run-plan.ts";
import type { Surroundings } from "../surroundings.ts";

export async function runCommand(file: string, options: RunOptions, surroundings: Surroundings): Promise<ExitCode> {
  if (options.dry === true) {
    const { planCommand } = await import("./plan.ts");
    return planCommand(file, options, surroundings);
  }
  const json = options.json === true || options.ui === "json";
  try {
    const loaded = await loadPlan(file, { ...surroundings, only: options.only });
    return await runPlan({ loaded, around: { ...surroundings, options } });
  } catch (error) {
    if (error instanceof PlanFault) {
      return tellFailure(error.cause, surroundings, { json, details: error.details });
    }
    return tellFailure(error, surroundings, { json });
  }
}
