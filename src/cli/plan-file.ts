/** A plan named on the command line → its tasks, or every fault of it told at once. */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { basename, dirname, relative, resolve } from "node:path";
import type { Config } from "../config/config.ts";
import { configFiles, type LoadConfigOptions, loadConfig, textsOf } from "../config/load-config.ts";
import { errorCode, LockyardError } from "../edges/basics.ts";
import { realRoot, workspaceId } from "../edges/names.ts";
import { type ExpandedPlan, expandPlan } from "../plan/expand.ts";
import { formatFaults } from "../plan/faults.ts";
import { parsePlan } from "../plan/parse-plan.ts";
import type { Plan } from "../plan/plan.ts";
import { selectTasks } from "./select-tasks.ts";
import type { Surroundings } from "./surroundings.ts";

export interface LoadedPlan {
  readonly config: Config;
  readonly plan: Plan;
  readonly expanded: ExpandedPlan;
}

/** Why a plan could not be loaded, with the lines of the file shown. */
export class PlanFault extends Error {
  readonly details: string;
  constructor(cause: unknown, details: string) {
    super(details, { cause });
    this.details = details;
  }
}

/** Bytes of a plan that are read before they are judged; the parser's own bound is lower. */
const MAX_BYTES = 64 * 1024 * 1024;

/** Reads configuration and plan. Throws PlanFault for what can be shown with its lines, else LockyardError. */
export function loadPlan(
  file: string,
  { cwd, env, only }: Pick<Surroundings, "cwd" | "env"> & { readonly only: readonly string[] | undefined },
): LoadedPlan {
  const path = resolve(cwd, file);
  const text = readPlanText(path, file);
  const config = readConfig({ cwd: dirname(path), env });
  const shown = shownName(path, cwd);
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
    return { config, plan, expanded: config.identify ? expanded : withoutIdentify(expanded) };
  } catch (error) {
    throw withLines(error, { [shown]: text });
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

/** The configuration that holds for a directory. Throws PlanFault. */
export function readConfig({ cwd, env }: Pick<Surroundings, "cwd" | "env">): Config {
  const options: LoadConfigOptions = {
    cwd,
    home: homedir(),
    env,
    cores: availableParallelism(),
    readFile: (path) => {
      try {
        return readFileSync(path, "utf8");
      } catch (error) {
        const code = errorCode(error);
        if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "EACCES") return undefined;
        throw error;
      }
    },
  };
  try {
    return loadConfig(options);
  } catch (error) {
    throw withLines(error, textsOf(configFiles(options)));
  }
}

function withLines(error: unknown, texts: Readonly<Record<string, string>>): unknown {
  if (!(error instanceof LockyardError) || error.faults.length === 0) return error;
  return new PlanFault(error, formatFaults(error, texts));
}
