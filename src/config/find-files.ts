/** Where configuration is: the user's own file, then `lockyard.yaml` nearest above a directory, no higher than the repository. */
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import type { ConfigFile } from "./config.ts";

export interface FindOptions {
  /** Absolute directory to look from. */
  readonly cwd: string;
  /** Absolute home directory of the user. */
  readonly home: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The text of a file, undefined when there is none. May throw for what cannot be read. */
  readonly readFile: (path: string) => string | undefined;
}

export const CONFIG_NAME = "lockyard.yaml";

/** Where the user's own file is: `$XDG_CONFIG_HOME/lockyard/config.yaml`, else below `~/.config`. */
export function userConfigPath({ env, home }: Pick<FindOptions, "env" | "home">): string {
  const base = env.XDG_CONFIG_HOME;
  // The base directory specification: a relative value is to be ignored.
  return posix.join(base?.startsWith("/") ? base : posix.join(home, ".config"), "lockyard", "config.yaml");
}

export interface FoundFiles {
  /** The repository, or the directory itself where there is none. */
  readonly root: string;
  /** In the order of weight: the user's first. */
  readonly files: readonly ConfigFile[];
}

/** The files that hold for a directory, with their texts. */
export function findConfigFiles(options: FindOptions): FoundFiles {
  const { cwd, readFile } = options;
  const root = repositoryAbove(cwd, readFile) ?? cwd;
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
  return { root, files };
}

/** The directory with `.git` (a directory, or a file in a worktree); undefined outside of a repository. */
function repositoryAbove(cwd: string, readFile: FindOptions["readFile"]): string | undefined {
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
