/** Git commands that throw uncommitted edits away. An alias, or anything else that is not plain git, is left alone. */
import { basename, isAbsolute, resolve } from "node:path";
import type { ShellCommand, ShellReading } from "./read-shell.ts";

export interface GitDiscard {
  /** As it is called, without paths: `git reset --hard`. */
  readonly name: string;
  /** Absolute directory that git works in. */
  readonly directory: string;
  /** Which edits go: of files git knows, or files it does not know yet. */
  readonly tracked: boolean;
  readonly untracked: boolean;
  /**
   * Absolute paths it reaches, with all below; null: the whole worktree. A path that only the run can tell makes it the
   * whole worktree too, and then `isSure` is false.
   */
  readonly paths: readonly string[] | null;
  readonly isSure: boolean;
}

export function gitOf({ commands, renamed }: ShellReading): readonly GitDiscard[] {
  return renamed.has("git") ? [] : commands.flatMap(discardsBy);
}

function discardsBy(command: ShellCommand): readonly GitDiscard[] {
  const own = discardBy(command);
  return [...(own === null ? [] : [own]), ...command.inner.flatMap(discardsBy)];
}

function discardBy({ words, programs, cwd, env }: ShellCommand): GitDiscard | null {
  const [program, ...rest] = words.slice(programs.at(-1) ?? 0).map(({ value }) => value);
  if (basename(program ?? "") !== "git" || [...env.keys()].some((name) => name.startsWith("GIT_"))) return null;
  const call = callOf(rest, cwd);
  const [name, ...args] = call?.words ?? [];
  if (call === null || typeof name !== "string" || !Object.hasOwn(COMMANDS, name)) return null;
  const found = COMMANDS[name]?.(args) ?? null;
  if (found === null) return null;
  const { directory } = call;
  const operands = found.paths?.map((path) => placed(path, directory)) ?? null;
  const isSure = operands === null || !operands.includes(null);
  const paths = isSure ? (operands as readonly string[] | null) : null; // no null among them
  const { tracked = false, untracked = false } = found;
  return { name: `git ${found.name}`, directory, tracked, untracked, paths, isSure };
}

/** Null where only git knows: patterns and magic of pathspecs. */
function placed(path: string | null, directory: string): string | null {
  if (path === null || /[*?[\\]|^:/.test(path)) return null;
  return isAbsolute(path) ? resolve(path) : resolve(directory, path);
}

/** The subcommand and its arguments; null when another repository or worktree is named, or an option nobody knows. */
function callOf(
  args: readonly (string | null)[],
  cwd: string | null,
): { readonly directory: string; readonly words: readonly (string | null)[] } | null {
  let directory = cwd;
  for (let at = 0; at < args.length; at++) {
    const word = args[at];
    if (word === null || word === undefined) return null;
    if (word === "-C") {
      const to = args[++at];
      if (to === null || to === undefined) return null;
      directory = isAbsolute(to) ? resolve(to) : directory === null ? null : resolve(directory, to);
    } else if (word === "-c") at++;
    else if (/^(?:-[pP]|--no-pager|--paginate|--no-optional-locks|--literal-pathspecs)$/.test(word)) continue;
    else if (word.startsWith("-")) return null;
    else return directory === null ? null : { directory, words: args.slice(at) };
  }
  return null;
}

interface Found {
  readonly name: string;
  readonly tracked?: boolean;
  readonly untracked?: boolean;
  /** Null: everything. */
  readonly paths: readonly (string | null)[] | null;
}

type Judge = (args: readonly (string | null)[]) => Found | null;

const COMMANDS: Readonly<Record<string, Judge>> = {
  reset: (args) => (args.includes("--hard") ? { name: "reset --hard", tracked: true, paths: null } : null),
  switch: (args) => {
    const flag = args.find((word) => word === "-f" || word === "--force" || word === "--discard-changes");
    return flag === undefined ? null : { name: `switch ${flag}`, tracked: true, paths: null };
  },
  checkout,
  restore,
  clean,
  stash,
  rm: (args) => {
    const { options, operands } = split(args);
    const isForced = has(options, "f", "force") && !options.includes("--cached") && !has(options, "n", "dry-run");
    return isForced ? { name: "rm -f", tracked: true, paths: operands } : null;
  },
  worktree: ([verb, ...args]) => {
    const { options, operands } = split(args);
    if (verb !== "remove" || !has(options, "f", "force")) return null;
    return { name: "worktree remove --force", tracked: true, untracked: true, paths: operands };
  },
};

interface Split {
  readonly options: readonly string[];
  readonly operands: readonly (string | null)[];
  /** After `--`; null: there is none. */
  readonly after: readonly (string | null)[] | null;
}

function split(args: readonly (string | null)[]): Split {
  const end = args.indexOf("--");
  const before = end < 0 ? args : args.slice(0, end);
  const after = end < 0 ? null : args.slice(end + 1);
  const options = before.filter((word): word is string => word?.startsWith("-") === true);
  const operands = before.filter((word) => word?.startsWith("-") !== true);
  return { options, operands: [...operands, ...(after ?? [])], after };
}

/** One-letter options stand together: `-fdx`. */
function has(options: readonly string[], letter: string | null, long: string): boolean {
  return options.some((option) => {
    return (
      option === `--${long}` ||
      option.startsWith(`--${long}=`) ||
      (letter !== null && /^-\w/.test(option) && option.includes(letter))
    );
  });
}

function checkout(args: readonly (string | null)[]): Found | null {
  const { options, operands, after } = split(args);
  if (has(options, "p", "patch")) return null;
  if (has(options, null, "pathspec-from-file")) return { name: "checkout", tracked: true, paths: [null] };
  const isNew = options.some((option) => /^-[bBdlt]|^--(?:orphan|detach|track)/.test(option));
  if (after === null && has(options, "f", "force")) return { name: "checkout --force", tracked: true, paths: null };
  if (isNew) return null;
  if (after !== null) return after.length === 0 ? null : { name: "checkout --", tracked: true, paths: after };
  // Git itself refuses a name that could be a branch as well as a file.
  const [first, ...more] = operands;
  if (first === undefined) return null;
  // A word that only the run can tell, alone: far more often a branch.
  if (more.length === 0) return first === null ? null : { name: "checkout", tracked: true, paths: [first] };
  return { name: "checkout", tracked: true, paths: first === null ? more : operands };
}

function restore(args: readonly (string | null)[]): Found | null {
  const { options, operands } = split(withoutValue(args, ["-s", "--source"]));
  if (has(options, "p", "patch")) return null;
  if (has(options, "S", "staged") && !has(options, "W", "worktree")) return null;
  const isListed = has(options, null, "pathspec-from-file");
  return { name: "restore", tracked: true, paths: isListed ? [null] : operands };
}

function clean(args: readonly (string | null)[]): Found | null {
  const { options, operands } = split(withoutValue(args, ["-e", "--exclude"]));
  if (!has(options, "f", "force") || has(options, "n", "dry-run") || has(options, "i", "interactive")) return null;
  // Without a path it begins where it stands.
  return { name: "clean -f", untracked: true, paths: operands.length === 0 ? ["."] : operands };
}

function stash(args: readonly (string | null)[]): Found | null {
  const [first] = args;
  const isPush = first === "push" || first === "save" || first === undefined || first?.startsWith("-") === true;
  if (!isPush) return null;
  const own = args.slice(first === "push" || first === "save" ? 1 : 0);
  const { options, operands } = split(withoutValue(own, ["-m", "--message"]));
  // What is staged is somebody's on purpose, and `-p` asks for each.
  if (has(options, "p", "patch") || has(options, "S", "staged")) return null;
  const untracked = has(options, "u", "include-untracked") || has(options, "a", "all");
  const isWhole = first === "save" || operands.length === 0;
  return { name: "stash", tracked: true, untracked, paths: isWhole ? null : operands };
}

function withoutValue(args: readonly (string | null)[], names: readonly string[]): readonly (string | null)[] {
  const end = args.indexOf("--");
  return args.filter((word, at) => {
    const before = args[at - 1];
    const isValue = (end < 0 || at < end) && typeof before === "string" && names.includes(before);
    return !isValue && !(names.includes(word ?? "") && (end < 0 || at < end));
  });
}
