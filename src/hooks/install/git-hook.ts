/** A pre-commit hook of git that asks us, beside whatever the hook does already. */
import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { LockyardError } from "../../edges/basics.ts";
import { quoteWords } from "../shell/words.ts";
import type { Program } from "./hook-command.ts";

const BEGIN = "# lockyard: begin (lockyard hooks remove git takes it away)";
const END = "# lockyard: end";

export interface GitHook {
  readonly path: string;
  readonly before: string | null;
  /** Null: no hook is left. */
  readonly after: string | null;
}

/** What would change. Throws INVALID_OPTION outside of a repository, and for a hook that is no shell script. */
export function gitHook(root: string, program: Program | null): GitHook {
  const path = hookPath(root);
  const before = existsSync(path) ? readFileSync(path, "utf8") : null;
  const without = before === null ? null : withoutBlock(before);
  if (program === null) return { path, before, after: without === null || isEmpty(without) ? null : without };
  if (without !== null && !isEmpty(without) && !/^#!.*\b(?:sh|bash|dash|zsh)\s*\n/.test(without)) {
    throw new LockyardError("INVALID_OPTION", `${path} is no shell script. Nothing was changed.`, {
      hint: "Call `lockyard hooks check-commit` in it.",
    });
  }
  const [head = "", ...rest] = (without === null || isEmpty(without) ? "#!/bin/sh\n" : without).split(/(?<=^[^\n]*\n)/);
  return { path, before, after: head + blockFor(program) + rest.join("") };
}

export function applyGitHook({ path, before, after }: GitHook): void {
  if (after === null) return rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, after);
  // One that somebody turned off by its rights stays off.
  if (before === null) chmodSync(path, 0o755);
}

/** Whether commits of this repository ask us. */
export function hasGitHook(root: string): boolean {
  try {
    const path = hookPath(root);
    return existsSync(path) && readFileSync(path, "utf8").includes(BEGIN);
  } catch {
    // No repository, or hooks that are shared: then we are not in them.
    return false;
  }
}

/** Throws INVALID_OPTION where git has no hooks of its own: a directory of the repository is shared with others. */
function hookPath(root: string): string {
  const ask = (...args: string[]) =>
    execFileSync("git", ["-C", root, "rev-parse", ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trimEnd();
  let folder: string;
  let common: string;
  try {
    folder = resolve(root, ask("--git-path", "hooks"));
    common = resolve(root, ask("--git-common-dir"));
  } catch (error) {
    throw new LockyardError("INVALID_OPTION", `${root} is in no git repository.`, { cause: error });
  }
  const isInside = (place: string) => existsSync(folder) && !relative(place, realpathSync(folder)).startsWith("..");
  if (isInside(realpathSync(root)) && !isInside(realpathSync(common))) {
    throw new LockyardError(
      "INVALID_OPTION",
      `The hooks of this repository are shared, in ${folder}. Nothing was changed.`,
      {
        hint: "Call `lockyard hooks check-commit` in its pre-commit hook.",
      },
    );
  }
  return resolve(folder, "pre-commit");
}

function blockFor({ node, script }: Program): string {
  const ask = '[ "$LOCKYARD" = off ] || [ ! -x "$0" ] || [ ! -f "$1" ] || exec "$0" "$@"';
  return `${BEGIN}\n/bin/sh -c ${quoteWords([ask, node, script, "hooks", "check-commit"])} || exit 1\n${END}\n`;
}

function withoutBlock(text: string): string {
  const start = text.indexOf(`${BEGIN}\n`);
  const end = text.indexOf(`${END}\n`, start);
  return start < 0 || end < 0 ? text : text.slice(0, start) + text.slice(end + END.length + 1);
}

function isEmpty(text: string): boolean {
  return text.trim() === "" || text.trim() === "#!/bin/sh";
}
