/** Files as sessions name them → as locks and the book name them. */
import { basename, relative, sep } from "node:path";
import { BOUNDS } from "../edges/basics.ts";
import {
  EXCLUSIVE,
  normaliseClaims,
  type PathResolver,
  pathResolver,
  type ResolvedClaim,
  resolvedClaim,
} from "../edges/sessions.ts";
import { type Fingerprint, fingerprintOf } from "./fingerprint.ts";

export interface HookFile {
  /** Absolute, as it was named. */
  readonly path: string;
  /** Its one true path: by it the book knows it. */
  readonly key: string;
  /** Below the session's root, for people. */
  readonly shown: string;
  readonly nodes: readonly string[];
  /** Touched by everybody all the time: held for the edit only. */
  readonly isHot: boolean;
}

/** What is asked of the disk. */
export interface Disk {
  nodes(path: string): readonly string[];
  fingerprint(path: string): Fingerprint | null;
}

export function realDisk(paths: PathResolver = pathResolver()): Disk {
  return { nodes: (path) => paths.recheck(path, "/", { literal: true }), fingerprint: fingerprintOf };
}

/** Throws INVALID_CLAIM for a path that leads through a loop of links. */
export function hookFile(
  path: string,
  { disk, root, hotFiles }: { readonly disk: Disk; readonly root: string; readonly hotFiles: readonly string[] },
): HookFile {
  const nodes = disk.nodes(path);
  const key = (nodes.at(-1) ?? `f:${path}`).slice(2) || "/";
  const shown = shownPath(path, root);
  return { path, key, shown, nodes, isHot: isHotFile(shown, hotFiles) };
}

/** Relative when it lies below the root. */
export function shownPath(path: string, root: string): string {
  const below = relative(root, path);
  return below === "" || below.startsWith(`..${sep}`) || below === ".." ? path : below;
}

/** Lockfiles, manifests, barrels, changelogs: every session touches them in every turn. */
export const HOT_FILES: readonly string[] = [
  "package.json",
  "package-lock.json",
  "npm-shrinkwrap.json",
  "yarn.lock",
  "pnpm-lock.yaml",
  "bun.lock",
  "bun.lockb",
  "deno.lock",
  "Cargo.toml",
  "Cargo.lock",
  "go.mod",
  "go.sum",
  "pyproject.toml",
  "poetry.lock",
  "uv.lock",
  "Pipfile.lock",
  "requirements*.txt",
  "Gemfile.lock",
  "composer.json",
  "composer.lock",
  "index.ts",
  "index.tsx",
  "index.js",
  "index.mjs",
  "mod.rs",
  "lib.rs",
  "__init__.py",
  "CHANGELOG*",
  "HISTORY*",
];

/** A pattern without `/` is for names, one with `/` for paths below the root; `*` stands for anything within a level. */
export function isHotFile(shown: string, patterns: readonly string[]): boolean {
  const name = basename(shown);
  return patterns.some((pattern) => matches(pattern.includes("/") ? shown : name, pattern));
}

function matches(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.replace(/^\.?\//, "").split("*");
  if (rest.length === 0) return text === first;
  const last = rest.pop() ?? "";
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) return false;
  let at = first.length;
  const end = text.length - last.length;
  for (const part of rest) {
    const found = text.indexOf(part, at);
    if (found < 0 || found + part.length > end) return false;
    at = found + part.length;
  }
  return !text.slice(first.length, end).includes("/");
}

/** What is locked for these files together: more than one task may claim are locked by the directory they share. */
export function claimsOf(files: readonly HookFile[]): readonly ResolvedClaim[] {
  const nodes = new Set(files.flatMap((file) => file.nodes));
  const few = nodes.size <= BOUNDS.claimsPerTask ? [...nodes] : [commonNode([...nodes])];
  return normaliseClaims(few.map((node) => resolvedClaim(node, EXCLUSIVE)));
}

function commonNode(nodes: readonly string[]): string {
  const [first = [], ...others] = nodes.map((node) => node.split("/"));
  const end = first.findIndex((part, at) => others.some((other) => other[at] !== part));
  return first.slice(0, end < 0 ? first.length : end).join("/");
}
