/**
 * Git's own locks as names: `git:head` and `git:index` belong to a worktree (its git directory), `git:refs`, `git:stash`,
 * `git:config` and `git:worktrees` to the whole repository (the common directory). Two worktrees of one repository thus
 * meet at the refs and never at the index.
 */
import { readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { LockyardError } from "../core/errors.ts";
import { shortHash } from "../core/names.ts";
import { suggest } from "../core/suggest.ts";

const OF_WORKTREE: ReadonlySet<string> = new Set(["head", "index"]);
const OF_REPOSITORY: ReadonlySet<string> = new Set(["refs", "stash", "config", "worktrees"]);

export interface GitDirectories {
  /** Of this worktree. */
  readonly gitDirectory: string;
  /** Shared by all worktrees of the repository. */
  readonly commonDirectory: string;
}

/**
 * `git:index` → `n:machine:git/HASH/index`; undefined for a name that does not begin with `git:`. Throws INVALID_CLAIM for
 * an unknown part and outside a repository.
 */
export function gitNode(name: string, root: string): string | undefined {
  if (!name.startsWith("git:")) return undefined;
  const part = name.slice(4);
  const isOfWorktree = OF_WORKTREE.has(part);
  if (!isOfWorktree && !OF_REPOSITORY.has(part)) {
    const near = suggest(part, [...OF_WORKTREE, ...OF_REPOSITORY]);
    throw new LockyardError("INVALID_CLAIM", `There is no "${name}".`, {
      hint: near ? `Did you mean "git:${near}"?` : "There are git:head, index, refs, stash, config and worktrees.",
    });
  }
  const directories = gitDirectories(root);
  if (directories === undefined) {
    throw new LockyardError("INVALID_CLAIM", `"${name}" needs a git repository and ${root} is not in one.`, {
      hint: "For a plain mutex use another name.",
    });
  }
  return `n:${gitLock(directories, part)}`;
}

/** The full name of a lock of git's own, for whoever does not stand in that repository. */
export function gitLock({ gitDirectory, commonDirectory }: GitDirectories, part: string): string {
  return `machine:git/${shortHash(OF_WORKTREE.has(part) ? gitDirectory : commonDirectory)}/${part}`;
}

/** Reads what git wrote, without starting it: `.git` is a directory, or a file that names one. */
export function gitDirectories(root: string): GitDirectories | undefined {
  for (let directory = resolve(root); ; directory = dirname(directory)) {
    const gitDirectory = readGitLink(directory);
    if (gitDirectory !== undefined) {
      const common = readText(`${gitDirectory}/commondir`);
      return {
        gitDirectory,
        commonDirectory: real(common === undefined ? gitDirectory : resolve(gitDirectory, common)),
      };
    }
    if (directory === dirname(directory)) return undefined;
  }
}

function readGitLink(directory: string): string | undefined {
  const place = `${directory}/.git`;
  const stats = statSync(place, { throwIfNoEntry: false });
  if (stats?.isDirectory()) return real(place);
  const link = stats?.isFile() ? /^gitdir: (.+)$/m.exec(readText(place) ?? "")?.[1] : undefined;
  return link === undefined ? undefined : real(resolve(directory, link));
}

function readText(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return undefined; // absent, or not ours to read: then it names nothing
  }
}

function real(directory: string): string {
  try {
    return realpathSync.native(directory);
  } catch {
    return directory; // named but missing: its name still tells it apart
  }
}
