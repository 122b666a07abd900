/** What is in a file, short enough to remember: whether it changed, and in how many lines. */
import { createHash } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { BOUNDS, errorCode } from "../edges/basics.ts";
import { NO_FILE } from "../edges/sessions.ts";

export interface Fingerprint {
  readonly hash: string;
  /** Four bytes a line; null for what is no text, or too long to keep. */
  readonly lines: Uint8Array | null;
}

const MISSING: Fingerprint = { hash: NO_FILE, lines: null };

/** Null for what cannot be judged by its content: a directory, a device, a file that may not be read. */
export function fingerprintOf(path: string): Fingerprint | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (stats === undefined) return MISSING;
    if (!stats.isFile()) return null;
    // Too long to be read at every edit: then its size and time stand for it.
    if (stats.size > BOUNDS.hashedBytes) return { hash: `${stats.size}@${stats.mtimeMs}`, lines: null };
    return fingerprintOfContent(readFileSync(path));
  } catch (error) {
    const code = errorCode(error);
    // Gone meanwhile, or something on the way to it is a file.
    if (code === "ENOENT" || code === "ENOTDIR") return MISSING;
    if (code === "EACCES" || code === "EISDIR" || code === "ELOOP" || code === "EPERM") return null;
    throw error;
  }
}

export function fingerprintOfContent(content: Uint8Array): Fingerprint {
  return { hash: createHash("sha256").update(content).digest("base64url").slice(0, 27), lines: linesOf(content) };
}

/** FNV-1a of each line: two lines that differ and look the same cost a wrong number in a message, and nothing else. */
function linesOf(content: Uint8Array): Uint8Array | null {
  const hashes = new Uint32Array(BOUNDS.hashedLines);
  let count = 0;
  let hash = 0x811c9dc5;
  let isOpen = false;
  for (const byte of content) {
    if (byte === 0) return null;
    if (byte !== 10) {
      hash = Math.imul(hash ^ byte, 0x01000193);
      isOpen = true;
      continue;
    }
    if (count === hashes.length) return null;
    hashes[count++] = hash;
    hash = 0x811c9dc5;
    isOpen = false;
  }
  if (isOpen && count === hashes.length) return null;
  if (isOpen) hashes[count++] = hash;
  return new Uint8Array(hashes.buffer.slice(0, 4 * count));
}

/** Lines that are in one and not in the other, whichever of the two has more of them. Null when it is not known. */
export function changedLines(before: Uint8Array | null, after: Uint8Array | null): number | null {
  if (before === null || after === null) return null;
  const counts = new Map<number, number>();
  for (const hash of words(before)) counts.set(hash, (counts.get(hash) ?? 0) + 1);
  let added = 0;
  for (const hash of words(after)) {
    const left = counts.get(hash) ?? 0;
    if (left > 0) counts.set(hash, left - 1);
    else added++;
  }
  const removed = [...counts.values()].reduce((sum, left) => sum + left, 0);
  return Math.max(added, removed);
}

/** Bytes from a store lie anywhere in memory: they are copied to where words may lie. */
function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.slice().buffer, 0, bytes.length >> 2);
}
