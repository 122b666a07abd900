/** The configuration that holds for a directory, as it is on the disk. Where there is no file, nothing is loaded to read one. */
import { readFileSync } from "node:fs";
import { availableParallelism, homedir } from "node:os";
import { errorCode } from "../core/errors.ts";
import { workspaceId } from "../core/names.ts";
import { realRoot } from "../resources/real-path.ts";
import type { Config } from "./config.ts";
import { type FindOptions, findConfigFiles } from "./find-files.ts";
import { withoutFiles } from "./without-files.ts";

export interface Here {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** With `kept`, texts of files by path, those are the only files there are. Throws INVALID_CONFIG. */
export async function configHere(here: Here, kept?: Readonly<Record<string, string>>): Promise<Config> {
  const options = findOptions(here, kept);
  const cores = availableParallelism();
  // As the engine names it: private names of a file and of the claims on them must meet.
  const workspaceOf = (root: string) => workspaceId(realRoot(root));
  const { root, files } = findConfigFiles(options);
  if (files.length === 0) return withoutFiles(root, { cores, workspace: workspaceOf(root) });
  const { loadConfig } = await import("./load-config.ts");
  return loadConfig({ ...options, cores, workspaceOf });
}

export function findOptions({ cwd, env }: Here, kept?: Readonly<Record<string, string>>): FindOptions {
  const read = kept === undefined ? readFile : (path: string) => (isGit(path) ? readFile(path) : kept[path]);
  return { cwd, env, home: homedir(), readFile: read };
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
