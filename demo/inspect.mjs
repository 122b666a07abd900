// Looks at a git repository and says what there is to audit. Starts git, and nothing of the repository itself.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

/** Folders that become a task each; the smaller ones beyond are one task together. */
const MAX_FOLDERS = 12;
/** Folders whose tests run. */
const MAX_TESTS = 3;

/** What the person gave is wrong: one line, no stack. */
export class DemoError extends Error {}

/**
 * @typedef {object} Folder
 * @property {string} name `src/core`, or `.` for the files at the root
 * @property {readonly string[]} paths what a task reads, relative to the root
 * @property {number} files
 */

/**
 * @typedef {object} Repository
 * @property {string} root absolute
 * @property {string} name
 * @property {number} files
 * @property {readonly Folder[]} folders largest first
 * @property {readonly string[]} tests folders whose tests run
 * @property {boolean} hasNodeModules
 */

/** @returns {Repository} */
export function inspect(given) {
  const start = path.resolve(given);
  if (!fs.existsSync(start)) throw new DemoError(`There is no ${start}.`);
  const root = git(start, "rev-parse", "--show-toplevel")?.trimEnd();
  if (root === undefined) throw new DemoError(`${start} is not in a git repository.`);
  // Files that are not committed yet count: a fresh repository has nothing else.
  const listed = git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard") ?? "";
  const files = [...new Set(listed.split("\0"))].filter((file) => file !== "" && isFile(path.join(root, file)));
  return {
    root,
    name: path.basename(root),
    files: files.length,
    folders: foldersOf(files),
    tests: testsOf(files, root),
    hasNodeModules: fs.existsSync(path.join(root, "node_modules")),
  };
}

function git(cwd, ...args) {
  const run = spawnSync("git", args, { cwd, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  if (run.error) throw new DemoError(`git does not start (${run.error.message}).`);
  return run.status === 0 ? run.stdout : undefined;
}

function isFile(file) {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

/** @returns {readonly Folder[]} */
function foldersOf(files) {
  const groups = Object.entries(Object.groupBy(files, topOf)).map(([name, members]) => ({
    name,
    // Files that lie directly in `src` are not all that lies below it.
    paths: isDeep(name) || name === "." ? members : [name],
    files: members.length,
  }));
  const sorted = groups.sort((a, b) => b.files - a.files || a.name.localeCompare(b.name));
  if (sorted.length <= MAX_FOLDERS) return sorted;
  const rest = sorted.slice(MAX_FOLDERS - 1);
  const together = {
    name: "the rest",
    paths: rest.flatMap(({ paths }) => paths),
    files: rest.reduce((sum, folder) => sum + folder.files, 0),
  };
  return [...sorted.slice(0, MAX_FOLDERS - 1), together];
}

/** Two levels where sources usually have them, else one. */
function topOf(file) {
  const parts = file.split("/");
  if (parts.length === 1) return ".";
  return parts.slice(0, isDeep(parts[0]) && parts.length > 2 ? 2 : 1).join("/");
}

function isDeep(name) {
  return ["src", "packages", "apps", "lib"].includes(name);
}

/** The folders with the smallest tests, suites known to be long left out: an example of the tests, not all of them. */
function testsOf(files, root) {
  const isLong = (file) => /(^|\/)(?:e2e|kernel|sim|contract|package|bench)\//.test(file);
  const isTest = (file) => /\.(test|spec)\.[cm]?[jt]sx?$|(^|\/)test_[^/]*\.py$/.test(file) && !isLong(file);
  const sizes = new Map();
  for (const file of files.filter(isTest)) {
    const folder = path.posix.dirname(file);
    sizes.set(folder, (sizes.get(folder) ?? 0) + fs.statSync(path.join(root, file)).size);
  }
  const sorted = [...sizes].sort(([a, sizeA], [b, sizeB]) => sizeA - sizeB || a.localeCompare(b));
  return sorted.slice(0, MAX_TESTS).map(([folder]) => folder);
}
