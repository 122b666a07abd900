/**
 * The file system's side of a path claim: what lies behind links, and whether names differ by case.
 *
 *  P1  A claim locks its lexical path and its real path when they differ. The real path is that of the longest existing
 *      part plus the rest by text; a dangling link counts as its target, because a write through it creates the target.
 *  P2  `..` is read both ways when the ways differ: by text (as tools that normalise do) and behind links (as the kernel does).
 *  P3  Names are folded where the file system folds, directory by directory: a volume that tells case apart may be mounted
 *      below one that does not. Probed once per device. In doubt (nothing there has a letter to probe with) both spellings
 *      are locked, so that a later claim, made when the rule is known, still meets this one.
 *  P4  An answer from the cache may be old; `recheck` never uses it. It is asked before a task starts, and a different
 *      answer sends the task back in line.
 *
 * Not handled, and said in the docs: hard links, bind mounts, folding that is set per directory (ext4 `chattr +F`).
 */
import { lstatSync, opendirSync, readlinkSync, realpathSync } from "node:fs";
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import { errorCode, LockyardError } from "../core/errors.ts";
import { fixedPrefix, pathNode } from "../core/paths.ts";

/** Links followed before a loop is assumed: what Linux allows. */
const MAX_LINKS = 40;
/** Entries of a directory looked at for a letter to probe with. */
const PROBE_ENTRIES = 32;

export interface PathEntry {
  readonly device: number;
  readonly inode: number;
  readonly isLink: boolean;
}

/** The four questions asked of a file system. `nodeFileSystem` asks the real one. */
export interface FileSystem {
  /** Undefined when there is nothing, or nothing that may be seen. Throws ELOOP. */
  entry(path: string): PathEntry | undefined;
  /** Undefined when something on the way is missing or hidden. Throws ELOOP. */
  realPath(path: string): string | undefined;
  readLink(path: string): string;
  /** Some names in a directory; empty when it cannot be read. */
  someNames(path: string): readonly string[];
}

export interface PathResolver {
  /** Nodes of a path claim, the lexical one first. `literal` takes pattern characters as they are. Throws INVALID_CLAIM. */
  nodes(path: string, root: string, options?: { readonly literal?: boolean }): readonly string[];
  /** The same, asked of the file system anew. */
  recheck(path: string, root: string, options?: { readonly literal?: boolean }): readonly string[];
}

export function pathResolver(fileSystem: FileSystem = nodeFileSystem): PathResolver {
  return new RealPaths(fileSystem);
}

/** A root by its one true name: the same workspace reached through two links is one workspace. */
export function realRoot(directory: string, fileSystem: FileSystem = nodeFileSystem): string {
  return fileSystem.realPath(directory) ?? posix.resolve(directory);
}

type CaseRule = "folds" | "tells-apart" | "unknown";

class RealPaths implements PathResolver {
  readonly #fileSystem: FileSystem;
  readonly #nodes = new Map<string, readonly string[]>();
  /** Rule of a directory that exists. */
  readonly #directories = new Map<string, CaseRule>();
  readonly #devices = new Map<number, CaseRule>();

  constructor(fileSystem: FileSystem) {
    this.#fileSystem = fileSystem;
  }

  nodes(path: string, root: string, options: { readonly literal?: boolean } = {}): readonly string[] {
    const key = `${options.literal ? "l" : "p"}${root}\0${path}`;
    const known = this.#nodes.get(key);
    if (known !== undefined) return known;
    return this.#remember(key, this.#resolve(path, root, options));
  }

  recheck(path: string, root: string, options: { readonly literal?: boolean } = {}): readonly string[] {
    const key = `${options.literal ? "l" : "p"}${root}\0${path}`;
    const nodes = this.#resolve(path, root, options);
    const known = this.#nodes.get(key);
    const isSame =
      known !== undefined && known.length === nodes.length && known.every((node, at) => node === nodes[at]);
    return isSame ? known : this.#remember(key, nodes);
  }

  #remember(key: string, nodes: readonly string[]): readonly string[] {
    if (this.#nodes.size >= BOUNDS.pathCache) this.#nodes.clear();
    this.#nodes.set(key, nodes);
    return nodes;
  }

  #resolve(path: string, root: string, options: { readonly literal?: boolean }): readonly string[] {
    const literal = options.literal === true || this.#existsLiterally(path, root);
    const lexicalNode = pathNode(path, root, { literal });
    const lexical = lexicalNode.slice(2) || "/";
    const paths = [lexical, this.#real(lexical, path)];
    const raw = literal ? path : fixedPrefix(path);
    if (raw.includes("..")) paths.push(this.#real(raw.startsWith("/") ? raw : `${root}/${raw}`, path));
    const nodes = new Set<string>();
    for (const absolute of new Set(paths)) {
      for (const spelling of this.#spellings(pathNode(absolute, "/", { literal: true }).slice(2)))
        nodes.add(`f:${spelling}`);
    }
    return [...nodes];
  }

  /** `app/[id]/page.tsx` is a path when it is there, and a pattern when it is not. */
  #existsLiterally(path: string, root: string): boolean {
    if (path === "" || path.includes("\0") || fixedPrefix(path) === path) return false;
    return this.#ask(() => this.#fileSystem.entry(posix.resolve(root, path)), path) !== undefined;
  }

  #real(absolute: string, claimed: string): string {
    return this.#ask(() => this.#behindLinks(absolute, 0), claimed);
  }

  /** P1. Kernel semantics: `absolute` may contain `..` behind a link. */
  #behindLinks(absolute: string, links: number): string {
    if (links > MAX_LINKS) throw Object.assign(new Error("too many links"), { code: "ELOOP" });
    let existing = absolute;
    let rest = "";
    let entry = this.#fileSystem.entry(existing);
    while (entry === undefined && existing !== "/") {
      const slash = existing.lastIndexOf("/");
      rest = existing.slice(slash) + rest;
      existing = slash <= 0 ? "/" : existing.slice(0, slash);
      entry = this.#fileSystem.entry(existing);
    }
    const real = this.#fileSystem.realPath(existing);
    if (real !== undefined) return posix.join(real, rest);
    if (entry?.isLink !== true) return posix.join(existing, rest);
    const slash = existing.lastIndexOf("/");
    const target = this.#fileSystem.readLink(existing);
    const from = target.startsWith("/") ? target : `${existing.slice(0, slash)}/${target}`;
    return this.#behindLinks(`${from}${rest}`, links + 1);
  }

  #ask<T>(question: () => T, claimed: string): T {
    try {
      return question();
    } catch (error) {
      if (errorCode(error) !== "ELOOP") throw error;
      throw new LockyardError("INVALID_CLAIM", `The path ${claimed} leads through a loop of links.`, {
        hint: "Remove the loop, or claim the directory that contains it.",
        cause: error,
      });
    }
  }

  /** P3: one spelling, or two where the rule is unknown. */
  #spellings(text: string): readonly string[] {
    if (text === text.toLowerCase()) return [text];
    let directory = "";
    let safe = "";
    let folded = "";
    let rule: CaseRule = "unknown";
    for (const segment of text.split("/").slice(1)) {
      rule = this.#ruleIn(directory === "" ? "/" : directory, segment, rule);
      safe += `/${rule === "folds" ? segment.toLowerCase() : segment}`;
      folded += `/${rule === "tells-apart" ? segment : segment.toLowerCase()}`;
      directory += `/${segment}`;
    }
    return safe === folded ? [safe] : [safe, folded];
  }

  /** The rule for names in a directory; a missing one has its parent's. */
  #ruleIn(directory: string, child: string, parentRule: CaseRule): CaseRule {
    const known = this.#directories.get(directory);
    if (known !== undefined && known !== "unknown") return known;
    const entry = this.#fileSystem.entry(directory);
    if (entry === undefined) return parentRule;
    // A link's own device says nothing about where it leads; its target is judged as the real path.
    if (entry.isLink) return parentRule;
    const rule = this.#devices.get(entry.device) ?? this.#probe(directory, child);
    if (rule !== "unknown") this.#devices.set(entry.device, rule);
    if (this.#directories.size >= BOUNDS.pathCache) this.#directories.clear();
    this.#directories.set(directory, rule);
    return rule;
  }

  /** Looks a name up in the other case: the same file means folding, nothing or another file means telling apart. */
  #probe(directory: string, child: string): CaseRule {
    const base = directory === "/" ? "" : directory;
    const rule = this.#probeName(base, child);
    if (rule !== "unknown") return rule;
    for (const name of this.#fileSystem.someNames(directory)) {
      const found = this.#probeName(base, name);
      if (found !== "unknown") return found;
    }
    return "unknown";
  }

  #probeName(base: string, name: string): CaseRule {
    const other = name === name.toLowerCase() ? name.toUpperCase() : name.toLowerCase();
    // Only plain letters: other alphabets fold by tables that differ between file systems.
    if (other === name || !/[a-zA-Z]/.test(name)) return "unknown";
    const entry = this.#fileSystem.entry(`${base}/${name}`);
    if (entry === undefined) return "unknown";
    const swapped = this.#fileSystem.entry(`${base}/${other}`);
    return swapped?.device === entry.device && swapped.inode === entry.inode ? "folds" : "tells-apart";
  }
}

const HIDDEN: ReadonlySet<string | undefined> = new Set(["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ENAMETOOLONG"]);

function unlessHidden<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (HIDDEN.has(errorCode(error))) return undefined;
    throw error;
  }
}

export const nodeFileSystem: FileSystem = {
  entry(path) {
    const stats = unlessHidden(() => lstatSync(path, { throwIfNoEntry: false }));
    return stats && { device: stats.dev, inode: stats.ino, isLink: stats.isSymbolicLink() };
  },
  realPath: (path) => unlessHidden(() => realpathSync.native(path)),
  readLink: (path) => readlinkSync(path),
  someNames(path) {
    const names: string[] = [];
    unlessHidden(() => {
      const directory = opendirSync(path);
      try {
        for (
          let entry = directory.readSync();
          entry !== null && names.length < PROBE_ENTRIES;
          entry = directory.readSync()
        ) {
          names.push(entry.name);
        }
      } finally {
        directory.closeSync();
      }
    });
    return names;
  },
};
