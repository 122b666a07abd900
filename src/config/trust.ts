/**
 * What a configuration that was found may start. Its agents and their commands are approved by a person, once for what they
 * say: the key is made of the agents alone, so that another capacity, another branch with the same agents or a new worktree
 * never asks again, and any change of an agent does.
 *
 *  T1 an approval counts in the repository it was given in, for the very text of the agents, and nowhere else
 *  T2 a file that cannot be read approves nothing
 */
import { createHash } from "node:crypto";
import { posix } from "node:path";
import { gitDirectories } from "../resources/git.ts";
import type { Config } from "./config.ts";

/** A team's: approved keys for every user of the machine and every repository. */
const TEAM_FILE = "/etc/lockyard/trusted";

export interface TrustSources {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute: where this user's state lies. */
  readonly stateDirectory: string;
  readonly readFile: (path: string) => string | undefined;
}

export interface Trust {
  /** Whether an agent declared in this file of the configuration may be started. */
  isTrusted(file: string): boolean;
}

/** Where approvals of this user stand: a line each, `KEY REPOSITORY`. */
export function trustFile(stateDirectory: string): string {
  return posix.join(stateDirectory, "trusted");
}

/** Of the agents as they are written; the same for every order of their names and fields. */
export function agentsKey(agents: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(agents)))
    .digest("hex")
    .slice(0, 32);
}

/** What an approval is bound to, besides the key: the repository with all its worktrees, else the directory. */
export function trustPlace(root: string): string {
  return gitDirectories(root)?.commonDirectory ?? root;
}

/** A line of the file of approvals. */
export function trustLine(key: string, root: string): string {
  return `${key} ${JSON.stringify(trustPlace(root))}\n`;
}

/** The user's own file is the user's word; a found one counts when its agents were approved. */
export function trustIn(config: Pick<Config, "files" | "root" | "agentKeys">, sources: TrustSources): Trust {
  const { env, stateDirectory, readFile } = sources;
  let approved: ReadonlySet<string> | undefined;
  const read = () => {
    const lines = (text: string | undefined) => (text ?? "").split("\n").map((line) => line.trim());
    const place = ` ${JSON.stringify(trustPlace(config.root))}`;
    return new Set([
      ...(env.LOCKYARD_TRUST ?? "").split(/[\s,]+/),
      ...lines(readFile(TEAM_FILE)).map((line) => line.split(/\s/)[0] ?? ""),
      ...lines(readFile(trustFile(stateDirectory))).flatMap((line) =>
        line.endsWith(place) ? [line.slice(0, -place.length)] : [],
      ),
    ]);
  };
  return {
    isTrusted: (file) => {
      if (config.files.some(({ path, authority }) => authority && path === file)) return true;
      const key = config.agentKeys[file];
      if (key === undefined) return false;
      approved ??= read();
      return approved.has(key);
    },
  };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, each]) => [name, sorted(each)]),
  );
}
