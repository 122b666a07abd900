/** Reads the configuration that was found. All files are checked as plans are, and all their faults are told at once. */

import { BOUNDS } from "../core/bounds.ts";
import type { DeclaredResource, ResourceDeclaration } from "../core/declared.ts";
import type { Fault } from "../core/errors.ts";
import { workspaceId } from "../core/names.ts";
import type { QuarantinePolicy } from "../core/ports.ts";
import { readAgent } from "../plan/agent.ts";
import { checkClaims, readClaims } from "../plan/claims.ts";
import { inputError } from "../plan/faults.ts";
import { reportIssues } from "../plan/issues.ts";
import { readNotices, readOnQuarantine } from "../plan/notices.ts";
import type { PlanAgent, PlanNotice } from "../plan/plan.ts";
import { prune } from "../plan/prune.ts";
import { defaultResources, effectiveResources, readResource } from "../plan/resource.ts";
import { readSource, type Source } from "../plan/source.ts";
import type { CommandRule, Config, ConfigFile } from "./config.ts";
import { type FindOptions, findConfigFiles } from "./find-files.ts";
import { configSchema, type RawConfig } from "./schema.ts";
import { agentsKey } from "./trust.ts";

export interface LoadConfigOptions extends FindOptions {
  /** Cores of the machine: `build` has one unit for every four, at least one. */
  readonly cores: number;
  /** Identity of the workspace with this root; default: that of the directory as it is written. */
  readonly workspaceOf?: (root: string) => string;
}

/**
 * The configuration that holds for a directory. Throws LockyardError INVALID_CONFIG with every fault of every file, each at
 * `file:line:column`; `formatFaults(error, textsOf(…))` shows the lines.
 */
export function loadConfig(options: LoadConfigOptions): Config {
  const { root, files } = findConfigFiles(options);
  const { cores, workspaceOf = workspaceId } = options;
  const workspace = workspaceOf(root);
  const read = files.map((file) => readConfig(file, workspace));
  const declared = [...defaultResources(cores, workspace), ...read.flatMap(({ resources }) => resources)];
  const inForce = effectiveResources(declared);
  const rules = read.flatMap((each) => each.rulesFor({ inForce, root }));
  const faults: Fault[] = read.flatMap(({ source }) => source.faults.list());
  if (faults.length > 0) throw inputError("INVALID_CONFIG", faults);
  const say = <Value>(choose: (raw: RawConfig) => Value | undefined): Value | null => {
    for (const { raw } of read) {
      const value = choose(raw);
      if (value !== undefined) return value;
    }
    return null;
  };
  const identify = say((raw) => raw.identify);
  const agents: Record<string, PlanAgent> = Object.create(null);
  for (const each of read.toReversed()) Object.assign(agents, each.agents);
  return {
    files,
    root,
    declared,
    inForce,
    concurrency: say((raw) => raw.concurrency),
    machineConcurrency: machineConcurrencyOf(read),
    notify: read.flatMap(({ notify }) => notify),
    onQuarantine: read.find(({ onQuarantine }) => onQuarantine !== undefined)?.onQuarantine ?? null,
    agents,
    agentKeys: Object.fromEntries(read.flatMap(({ path, agentsKey: key }) => (key === null ? [] : [[path, key]]))),
    identify: identify !== "off" && identify !== false,
    rules,
    hold: say((raw) => raw.hold),
    gitGuard: say((raw) => raw.gitGuard) ?? true,
    hotFiles: [...new Set(read.flatMap(({ raw }) => raw.hotFiles ?? []))],
    store: say((raw) => raw.store) ?? {},
    ifBroken: say((raw) => raw.ifBroken),
    keep: [...new Set(read.flatMap(({ raw }) => raw.keep ?? []))],
  };
}

/** Texts by file, for `formatFaults`. */
export function textsOf(files: readonly ConfigFile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}

/** A number that holds for all processes together is the user's to say. */
function machineConcurrencyOf(read: readonly ReadConfig[]): number | null {
  const said = read.find(({ isAuthority }) => isAuthority)?.raw.concurrency;
  return typeof said === "number" ? said : null;
}

interface ReadConfig {
  readonly path: string;
  readonly agentsKey: string | null;
  readonly isAuthority: boolean;
  readonly notify: readonly PlanNotice[];
  readonly onQuarantine: QuarantinePolicy | undefined;
  readonly source: Source;
  readonly raw: RawConfig;
  readonly resources: readonly DeclaredResource[];
  readonly agents: Readonly<Record<string, PlanAgent>>;
  /** Rules need to know what all files declare. */
  rulesFor(known: { readonly inForce: Config["inForce"]; readonly root: string }): readonly CommandRule[];
}

function readConfig(file: ConfigFile, workspace: string): ReadConfig {
  const source = readSource(file.text, file.path);
  const { faults } = source;
  const raw = shapeOf(source);
  if (!file.authority) {
    const hint = "set it in ~/.config/lockyard/config.yaml";
    if (raw.store !== undefined) {
      const what = '"store" does not belong into a repository: one store serves all of yours';
      faults.add({ path: ["store"] }, what, hint);
    }
    if (raw.notify !== undefined)
      faults.add({ path: ["notify"] }, '"notify" does not belong into a repository: it starts processes', hint);
  }
  const resources: DeclaredResource[] = [];
  const broken = new Set<string>(Object.keys(Object(Object(source.data).resources)));
  const by = { faults, by: file.path, workspace, authority: file.authority };
  for (const [name, declaration] of Object.entries(raw.resources ?? {}).slice(0, BOUNDS.declaredResources)) {
    const resource = readResource(name, declaration as ResourceDeclaration, { ...by, path: ["resources", name] }); // same shape; its values are checked there
    if (resource !== undefined) {
      resources.push(resource);
      broken.delete(name);
    }
  }
  const agents: Record<string, PlanAgent> = Object.create(null);
  const reading = { faults, spelling: (path: readonly (string | number)[]) => source.spelling(path) };
  for (const [name, agent] of Object.entries(raw.agents ?? {}))
    agents[name] = readAgent(name, agent, { path: ["agents", name], reading, file: file.path });
  return {
    path: file.path,
    agentsKey: raw.agents === undefined ? null : agentsKey(raw.agents),
    source,
    raw,
    isAuthority: file.authority,
    notify: readNotices(raw.notify, reading),
    onQuarantine: readOnQuarantine(raw.onQuarantine, reading),
    resources,
    agents,
    rulesFor: ({ inForce, root }) =>
      (raw.rules ?? []).map((rule, index) => {
        const placed = readClaims(rule, ["rules", index]);
        if (placed.length === 0)
          faults.add({ path: ["rules", index] }, "the rule takes nothing", "write use, write, read or lock");
        const claims = checkClaims(placed, { root, faults, resources: inForce, isBroken: (name) => broken.has(name) });
        return {
          match: typeof rule.match === "string" ? [rule.match] : rule.match,
          claims: claims.map(({ claim }) => claim),
          declaredBy: file.path,
        };
      }),
  };
}

/** The data in its shape; what has another shape is told and left out. An empty file says nothing, which is fine. */
function shapeOf({ data, faults, isReadable }: Source): RawConfig {
  if (!isReadable || data === null) return {};
  const parsed = configSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  reportIssues(parsed.error.issues, { schema: configSchema, data, faults });
  const again = configSchema.safeParse(prune(data, parsed.error.issues).data);
  return again.success ? again.data : {};
}
