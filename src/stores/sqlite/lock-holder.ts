/** Who keeps a store from being written: for the one line a waiter prints after two seconds. Linux tells; others do not. */
import { readFileSync, statSync } from "node:fs";

/** Byte of the -shm file that is locked by whoever writes (https://sqlite.org/walformat.html#wal_locks). */
const WRITE_LOCK_BYTE = 120;

export interface LockHolder {
  readonly pid: number;
  /** Name of the program, without its arguments: those may hold secrets. */
  readonly command: string;
  /** `T` is stopped (Ctrl-Z, a debugger, a frozen container), `D` waits for the disk; empty when unknown. */
  readonly state: string;
}

/** Reads a small file of /proc; undefined when it cannot be read. */
export type ReadText = (path: string) => string | undefined;

export const readText: ReadText = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
};

/** The process that holds the write lock of a store, or null when the system does not say. */
export function findLockHolder(file: string, read: ReadText = readText): LockHolder | null {
  const inode = statSync(`${file}-shm`, { throwIfNoEntry: false })?.ino;
  const locks = read("/proc/locks");
  if (inode === undefined || locks === undefined) return null;
  const pid = writerPid(locks, inode);
  if (pid === null) return null;
  const command = read(`/proc/${pid}/comm`)?.trim() ?? "";
  const stat = read(`/proc/${pid}/stat`) ?? "";
  return { pid, command, state: stat.slice(stat.lastIndexOf(")") + 2).charAt(0) };
}

/** A line: `12: POSIX  ADVISORY  WRITE 4711 fe:01:131098 120 120`. A pid of 0 or less is in another container. */
export function writerPid(locks: string, inode: number): number | null {
  const pattern = /^\d+: POSIX\s+\S+\s+WRITE\s+(\d+)\s+\w+:\w+:(\d+)\s+(\d+)\s+(\d+|EOF)$/gm;
  for (const [, pid, found, from, to] of locks.matchAll(pattern)) {
    const last = to === "EOF" ? Number.POSITIVE_INFINITY : Number(to);
    if (Number(found) !== inode || Number(from) > WRITE_LOCK_BYTE || last < WRITE_LOCK_BYTE) continue;
    if (Number(pid) > 0) return Number(pid);
  }
  return null;
}

/** One line: what is held since when, by whom, in which state, and what to do. */
export function heldMessage(file: string, waitedMs: number, holder: LockHolder | null): string {
  const waited = `The store ${file} has been busy for ${Math.round(waitedMs).toLocaleString("en")} ms`;
  if (holder === null) return `${waited}. Look for a stopped process that uses it, or one in another container.`;
  const who = `${holder.command === "" ? "a process" : holder.command} (pid ${holder.pid})`;
  switch (holder.state) {
    case "T":
    case "t":
      return `${waited}: ${who} holds it and is stopped. Let it go on with "kill -CONT ${holder.pid}", or end it with "kill -KILL ${holder.pid}".`;
    case "D":
      return `${waited}: ${who} holds it and waits for the disk. Look at the disk's health and load.`;
    default:
      return `${waited}: ${who} holds it. If that lasts, end it with "kill ${holder.pid}".`;
  }
}
