import { readFileSync } from "node:fs";
import type { Config } from "../../config/config.ts";
import { type Trust, trustIn } from "../../config/trust.ts";
import { stateDirectory } from "../../edges/basics.ts";
import type { LoadedPlan } from "../plan-file.ts";
import type { Environment } from "../terminal/capabilities.ts";

/** What a configuration may start. */
export function trustOf(config: Config, env: Environment): Trust {
  return trustIn(config, { env, stateDirectory: stateDirectory(), readFile: textOf });
}

/** The plan was named; the user's own file is the user's word; what was found in a repository is neither, until approved. */
export function trustFor({ plan, config }: LoadedPlan, env: Environment): Trust["isTrusted"] {
  const trust = trustOf(config, env);
  return (declaredBy) => declaredBy === "" || declaredBy === plan.file || trust.isTrusted(declaredBy);
}

/** The text of a file of approvals. One that cannot be read approves nothing. */
function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
