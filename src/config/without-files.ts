import { defaultResources, effectiveResources } from "../plan/resource.ts";
import type { Config } from "./config.ts";

/** The configuration that holds where nobody wrote one. */
export function withoutFiles(
  root: string,
  { cores, workspace }: { readonly cores: number; readonly workspace: string },
): Config {
  const declared = defaultResources(cores, workspace);
  return {
    files: [],
    root,
    declared,
    inForce: effectiveResources(declared),
    concurrency: null,
    agents: {},
    agentKeys: {},
    identify: true,
    rules: [],
    hold: null,
    gitGuard: true,
    hotFiles: [],
    store: {},
    ifBroken: null,
    keep: [],
    machineConcurrency: null,
    notify: [],
    onQuarantine: null,
  };
}
