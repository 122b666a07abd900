/**
 * The configuration every command goes by: the user's own file, and the `lockyard.yaml` that was found above a directory.
 *
 * What holds without being trusted: numbers of capacities, pools and rates, rules and limits of a found file, for they
 * only restrict and the user's own file overrules them. What does not: agents and whatever else starts a process
 * (run/trust.ts).
 */
import { readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import type { Config } from "../config/config.ts";
import { type FindOptions, findConfigFiles } from "../config/find-files.ts";
import { withoutFiles } from "../config/without-files.ts";
import { errorCode, LockyardError } from "../edges/basics.ts";
import { realRoot, workspaceId } from "../edges/names.ts";
import type { Surroundings } from "./surroundings.ts";

/** Why a plan or a configuration could not be loaded, with the lines of the file shown. */
export class PlanFault extends Error {
  readonly details: string;
  constructor(cause: unknown, details: string) {
    super(details, { cause });
    this.details = details;
  }
}

/**
 * Where there is no file, nothing is loaded to read one: most commands of most people start that way. With `kept`, texts of
 * files by path, those are the only files there are. Throws PlanFault.
 */
export async function configFor(
  { cwd, env }: Pick<Surroundings, "cwd" | "env">,
  kept?: Readonly<Record<string, string>>,
): Promise<Config> {
  const read = kept === undefined ? readFile : (path: string) => (isGit(path) ? readFile(path) : kept[path]);
  const options: FindOptions = { cwd, env, home: homedir(), readFile: read };
  const cores = availableParallelism();
  // As the engine names it: private names of a file and of the claims on them must meet.
  const workspaceOf = (root: string) => workspaceId(realRoot(root));
  const { root, files } = findConfigFiles(options);
  if (files.length === 0) return withoutFiles(root, { cores, workspace: workspaceOf(root) });
  const { loadConfig, textsOf } = await import("../config/load-config.ts");
  try {
    return loadConfig({ ...options, cores, workspaceOf });
  } catch (error) {
    throw await withLines(error, textsOf(files));
  }
}

/** What tells where a repository begins is asked of the disk. */
function isGit(path: string): boolean {
  return /\/\.git(?:\/|$)/.test(path);
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR" || code === "EACCES") return undefined;
    throw error;
  }
}

/** A fault with the lines of its files shown. */
export async function withLines(error: unknown, texts: Readonly<Record<string, string>>): Promise<unknown> {
  if (!(error instanceof LockyardError) || error.faults.length === 0) return error;
  const { formatFaults } = await import("../plan/faults.ts");
  return new PlanFault(error, formatFaults(error, texts));
}
