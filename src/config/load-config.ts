/**
 * Finds and reads configuration: the user's own file, then `lockyard.yaml` nearest above a directory, no higher than the
 * repository. Both are checked as plans are, and all faults of both are told at once.
 */
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import type { ResourceDeclaration } from "../core/declared.ts";
import type { Fault } from "../core/errors.ts";
import { workspaceId } from "../core/names.ts";
import { readAgent } from "../plan/agent.ts";
import { checkClaims, readClaims } from "../plan/claims.ts";
import { inputError } from "../plan/faults.ts";
import { reportIssues } from "../plan/issues.ts";
import type { PlanAgent } from "../plan/plan.ts";
import { prune } from "../plan/prune.ts";
import { defaultResources, effectiveResources, readResource, type SourcedResource } from "../plan/resource.ts";
import { readSource, type Source } from "../plan/source.ts";
import type { CommandRule, Config, ConfigFile } from "./config.ts";
import { configSchema, type RawConfig } from "./schema.ts";

export interface LoadConfigOptions {
  /** Absolute directory to look from. */
  readonly cwd: string;
  /** Absolute home directory of the user. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, undefined when there is none. May throw for what cannot be read. */
  readonly readFile: (path: string) => string | undefined;
  /** Cores of the machine: `build` has one unit for every four, at least one. */
  readonly cores: number;
  /** Identity of the workspace; default: that of the repository's root. */
  readonly workspace?: string;
}

export const CONFIG_NAME = "lockyard.yaml";

/** Where the user's own file is: `$XDG_CONFIG_HOME/lockyard/config.yaml`, else below `~/.config`. */
export function userConfigPath({ env, home }: Pick<LoadConfigOptions, "env" | "home">): string {
  const base = env.XDG_CONFIG_HOME;
  // The base directory specification: a relative value is to be ignored.
  return posix.join(base?.startsWith("/") ? base : posix.join(home, ".config"), "lockyard", "config.yaml");
}

/**
 * The configuration that holds for a directory. Throws LockyardError INVALID_CONFIG with every fault of every file, each at
 * `file:line:column`; `formatFaults(error, textsOf(…))` shows the lines.
 */
export function loadConfig(options: LoadConfigOptions): Config {
  const { cwd, readFile, cores } = options;
  const root = repositoryAbove(cwd, readFile);
  const files = findFiles(options, root ?? cwd);
  const workspace = options.workspace ?? workspaceId(root ?? cwd);
  const read = files.map((file) => readConfig(file, workspace));
  const declared = [...defaultResources(cores, workspace), ...read.flatMap(({ resources }) => resources)];
  const inForce = effectiveResources(declared);
  const rules = read.flatMap((each) => each.rulesFor({ inForce, root: root ?? cwd }));
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
    root: root ?? cwd,
    declared,
    inForce,
    concurrency: say((raw) => raw.concurrency),
    agents,
    identify: identify !== "off" && identify !== false,
    rules,
    hold: say((raw) => raw.hold),
    ifBroken: say((raw) => raw.ifBroken),
    keep: [...new Set(read.flatMap(({ raw }) => raw.keep ?? []))],
  };
}

/** Texts by file, for `formatFaults`. */
export function textsOf(files: readonly ConfigFile[]): Readonly<Record<string, string>> {
  return Object.fromEntries(files.map(({ path, text }) => [path, text]));
}

/** The files that hold for a directory, unread ones left out; for messages when `loadConfig` has thrown. */
export function configFiles(options: LoadConfigOptions): readonly ConfigFile[] {
  return findFiles(options, repositoryAbove(options.cwd, options.readFile) ?? options.cwd);
}

function findFiles(options: LoadConfigOptions, root: string): readonly ConfigFile[] {
  const { cwd, readFile } = options;
  const files: ConfigFile[] = [];
  const own = userConfigPath(options);
  const text = readFile(own);
  if (text !== undefined) files.push({ path: own, authority: true, text });
  for (const directory of upward(cwd)) {
    const path = posix.join(directory, CONFIG_NAME);
    const found = path === own ? undefined : readFile(path);
    if (found !== undefined) files.push({ path, authority: false, text: found });
    // Above the repository lies what others may have put there: /tmp, a shared mount.
    if (found !== undefined || directory === root) break;
  }
  return files;
}

/** The directory with `.git` (a directory, or a file in a worktree); undefined outside of a repository. */
function repositoryAbove(cwd: string, readFile: LoadConfigOptions["readFile"]): string | undefined {
  for (const directory of upward(cwd)) {
    const git = posix.join(directory, ".git");
    if ((readFile(posix.join(git, "HEAD")) ?? readFile(git)) !== undefined) return directory;
  }
  return undefined;
}

function* upward(from: string): Generator<string> {
  let directory = posix.normalize(from);
  for (let depth = 0; depth < 4 * BOUNDS.pathDepth; depth++) {
    yield directory;
    const parent = posix.dirname(directory);
    if (parent === directory) return;
    directory = parent;
  }
}

interface ReadConfig {
  readonly source: Source;
  readonly raw: RawConfig;
  readonly resources: readonly SourcedResource[];
  readonly agents: Readonly<Record<string, PlanAgent>>;
  /** Rules need to know what all files declare. */
  rulesFor(known: { readonly inForce: Config["inForce"]; readonly root: string }): readonly CommandRule[];
}

function readConfig(file: ConfigFile, workspace: string): ReadConfig {
  const source = readSource(file.text, file.path);
  const { faults } = source;
  const raw = shapeOf(source);
  const resources: SourcedResource[] = [];
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
    source,
    raw,
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
