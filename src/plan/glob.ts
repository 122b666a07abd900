/**
 * Globs of `forEach`: what is refused, and which files they match.
 *
 * No extended patterns, few wildcards a segment: matching costs a power of them, and file names may come from strangers.
 */
import { type Dirent, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import picomatch from "picomatch";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode, LockyardError } from "../core/errors.ts";
import { fixedPrefix } from "../core/paths.ts";
import { quote } from "./faults.ts";
import { leavesRoot } from "./reading.ts";

/** Directories no glob looks into unless it names them. */
const IGNORED = ["node_modules", ".git"];

const OPTIONS = { strictBrackets: true, noextglob: true, posixSlashes: false } as const;

/** What is wrong with a glob, or undefined. */
export function globFault(glob: string): { readonly what: string; readonly hint: string } | undefined {
  const pattern = glob.startsWith("!") ? glob.slice(1) : glob;
  if (pattern === "") return { what: "an empty glob", hint: 'write "docs/**/*.md"' };
  if (Buffer.byteLength(pattern) > BOUNDS.globBytes) {
    return {
      what: `the glob has ${Buffer.byteLength(pattern)} bytes and the limit is ${BOUNDS.globBytes}`,
      hint: "write a list of shorter ones",
    };
  }
  if (pattern.includes("\\")) return { what: `${quote(glob)} has a backslash`, hint: "separate directories with /" };
  if (leavesRoot(pattern))
    return { what: `${quote(glob)} leaves the plan's root`, hint: "write it relative to the root, without .." };
  if (/[@!+*?]\(/.test(glob))
    return { what: `${quote(glob)} is an extended glob`, hint: "write a list of plain ones, or {a,b}" };
  const crowded = pattern
    .split("/")
    .find((segment) => segment !== "**" && segment.split("*").length - 1 > BOUNDS.globWildcards);
  if (crowded !== undefined)
    return { what: `${quote(crowded)} has more than ${BOUNDS.globWildcards} wildcards`, hint: "fewer will do" };
  try {
    picomatch.makeRe(pattern, OPTIONS);
    return undefined;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return {
      what: `${quote(glob)} is not a glob (${why.charAt(0).toLowerCase()}${why.slice(1)})`,
      hint: "close the bracket",
    };
  }
}

/** What the expansion of a plan reads from the disk. */
export interface PlanFiles {
  /** Files a glob matches: relative to the root, with `/`, in any order. */
  files(glob: string): readonly string[];
  /** A text file, relative to the root. Throws when it cannot be read. */
  readText(file: string): string;
}

/**
 * The files below a directory. Symbolic links are not followed; names that begin with a dot are matched only by patterns
 * that spell the dot. Throws LIMIT_EXCEEDED after `BOUNDS.filesWalked` entries.
 */
export function filesBelow(root: string): PlanFiles {
  return {
    files: (glob) => [...walk(root, glob)],
    readText: (file) => readFileSync(posix.join(root, file), "utf8"),
  };
}

function* walk(root: string, glob: string): Generator<string> {
  const matches = picomatch(glob, OPTIONS);
  const wanted = IGNORED.filter((name) => glob.split("/").includes(name));
  const base = fixedPrefix(glob);
  const pending = [base === "." || base === glob ? posix.dirname(base) : base];
  let walked = 0;
  while (pending.length > 0) {
    const directory = pending.pop() ?? ".";
    for (const entry of entriesOf(posix.join(root, directory))) {
      if (++walked > BOUNDS.filesWalked) {
        throw new LockyardError(
          "LIMIT_EXCEEDED",
          `The glob ${quote(glob)} looked at ${BOUNDS.filesWalked} files, which is the limit.`,
          {
            hint: "Begin it with a directory.",
          },
        );
      }
      const path = posix.join(directory, entry.name);
      if (entry.isDirectory()) {
        if (!IGNORED.includes(entry.name) || wanted.includes(entry.name)) pending.push(path);
      } else if (entry.isFile() && matches(path)) yield path;
    }
  }
}

function entriesOf(directory: string): readonly Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    const code = errorCode(error);
    // Gone meanwhile, never there, or not ours to read: nothing in it can match.
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EACCES") return [];
    throw error;
  }
}
