/**
 * Looks at a path before and after a task: what changed meanwhile, whoever did it. Locks nothing.
 *
 * Cheap for directories: at most so many entries are looked at, in an order that does not change between two looks, and of
 * each only what the file system says without opening it.
 */
import { lstat, readdir } from "node:fs/promises";
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode } from "../core/errors.ts";
import { fixedPrefix } from "../core/paths.ts";
import type { Observed } from "../core/ports.ts";

interface Look {
  /** Absolute path → what is known of it. */
  readonly entries: ReadonlyMap<string, string>;
  readonly isWhole: boolean;
}

/** Looks now; what it returns looks again and tells the difference. Paths are relative to `root`. */
export async function observe(paths: readonly string[], root: string): Promise<() => Promise<Observed>> {
  const places = paths.map((path) => posix.resolve(root, fixedPrefix(path)));
  const before = await look(places);
  return async () => {
    const after = await look(places);
    const changed = new Set<string>();
    for (const [path, state] of before.entries) if (after.entries.get(path) !== state) changed.add(path);
    // What lies beyond the bound in one look only may have been there all the time.
    if (before.isWhole) for (const path of after.entries.keys()) if (!before.entries.has(path)) changed.add(path);
    return { changed: [...changed].sort(), isWhole: before.isWhole && after.isWhole };
  };
}

async function look(places: readonly string[]): Promise<Look> {
  const entries = new Map<string, string>();
  const waiting = [...places];
  for (let path = waiting.shift(); path !== undefined; path = waiting.shift()) {
    if (entries.size >= BOUNDS.observedEntries) return { entries, isWhole: false };
    const state = await stateOf(path);
    if (state === undefined) continue;
    entries.set(path, state);
    if (state === DIRECTORY) waiting.push(...(await namesIn(path)).map((name) => posix.join(path, name)));
  }
  return { entries, isWhole: true };
}

/** A directory changes whenever something in it does, which is told by itself. */
const DIRECTORY = "directory";

async function stateOf(path: string): Promise<string | undefined> {
  try {
    const stats = await lstat(path);
    if (stats.isDirectory()) return DIRECTORY;
    return `${stats.ino} ${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.mode}`;
  } catch (error) {
    if (isHidden(error)) return undefined;
    throw error;
  }
}

async function namesIn(directory: string): Promise<readonly string[]> {
  try {
    return (await readdir(directory)).sort();
  } catch (error) {
    if (isHidden(error)) return [];
    throw error;
  }
}

function isHidden(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG"].includes(errorCode(error) ?? "");
}
