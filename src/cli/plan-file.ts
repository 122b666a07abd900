/** A plan named on the command line → its tasks, or every fault of it told at once. */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, relative, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { errorCode, LockyardError } from "../edges/basics.ts";
import { realRoot, workspaceId } from "../edges/names.ts";
import { type ExpandedPlan, expandPlan } from "../plan/expand.ts";
import { parsePlan } from "../plan/parse-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { configFor, withLines } from "./config-for.ts";
import { selectTasks } from "./select-tasks.ts";
import type { Surroundings } from "./surroundings.ts";

export interface LoadedPlan {
  readonly config: Config;
  readonly plan: Plan;
  readonly expanded: ExpandedPlan;
  /** As it was read. */
  readonly text: string;
  /** Absolute. */
  readonly path: string;
}

interface PlanText {
  readonly path: string;
  /** As faults name it. */
  readonly shown: string;
  readonly text: string;
  readonly config: Config;
  readonly only: readonly string[] | undefined;
}

/** Bytes of a plan that are read before they are judged; the parser's own bound is lower. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads configuration and plan. Throws PlanFault for what can be shown with its lines, else LockyardError. */
export async function loadPlan(
  file: string,
  { cwd, env, only }: Pick<Surroundings, "cwd" | "env"> & { readonly only: readonly string[] | undefined },
): Promise<LoadedPlan> {
  const path = resolve(cwd, file);
  const text = readPlanText(path, file);
  const config = await configFor({ cwd: dirname(path), env });
  return planOf({ path, shown: shownName(path, cwd), text, config, only });
}

/** A plan whose text is known. Throws as `loadPlan`. */
export async function planOf({ path, shown, text, config, only }: PlanText): Promise<LoadedPlan> {
  try {
    const whole = parsePlan(text, {
      file: shown,
      root: dirname(path),
      declared: config.declared,
      agents: config.agents,
      // As the engine names it: private names of the plan and of its claims must meet.
      workspace: workspaceId(realRoot(config.root)),
    });
    const plan = only === undefined ? whole : selectTasks(whole, only);
    const expanded = expandPlan(plan);
    return { config, plan, expanded: config.identify ? expanded : withoutIdentify(expanded), text, path };
  } catch (error) {
    throw await withLines(error, { [shown]: text });
  }
}

/** `identify: off` of the configuration holds for every plan that does not say otherwise. */
function withoutIdentify(expanded: ExpandedPlan): ExpandedPlan {
  return { ...expanded, tasks: expanded.tasks.map((member) => ({ ...member, identify: false })) };
}

function readPlanText(path: string, given: string): string {
  try {
    if (given === "-") return readFileSync(0, "utf8");
    const text = readFileSync(path, "utf8");
    if (text.length > MAX_BYTES) throw new LockyardError("INVALID_PLAN", `${given} has more than ${MAX_BYTES} bytes.`);
    return text;
  } catch (error) {
    const near = ["lockyard.plan.yaml", "plan.yaml"].find((name) => existsSync(resolve(dirname(path), name)));
    const code = errorCode(error);
    if (code === "ENOENT") {
      throw new LockyardError("INVALID_PLAN", `There is no file ${given}.`, {
        hint: near === undefined ? "lockyard init writes a first plan." : `There is ${near}.`,
      });
    }
    if (code === "EISDIR") {
      throw new LockyardError("INVALID_PLAN", `${given} is a directory; a plan is a YAML or JSON file.`);
    }
    if (code === "EACCES") throw new LockyardError("INVALID_PLAN", `${given} may not be read by this user.`);
    throw error;
  }
}

/** As people type it when it lies below the working directory. */
function shownName(path: string, cwd: string): string {
  const near = relative(cwd, path);
  return near.startsWith("..") ? path : near || basename(path);
}
