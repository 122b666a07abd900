/** The process table, as /proc shows it. Every read may find the process gone; that is an answer, not an error. */
import fs from "node:fs";

export interface ProcessEntry {
  readonly pid: number;
  readonly parentPid: number;
  readonly group: number;
  readonly session: number;
  /** Clock ticks since boot: with the pid, it names one process for ever. */
  readonly startTime: number;
  /** Name of the executable, at most 15 characters; chosen by the process itself, so neutralise it where it is shown. */
  readonly name: string;
}

/**
 * Whether there is a process table that can be read and is ours. Linux has one; a /proc of another pid namespace, where
 * every number means another process, is none.
 */
export function hasProcessTable(): boolean {
  if (process.platform !== "linux") return false;
  try {
    return fs.readlinkSync("/proc/self") === String(process.pid);
  } catch {
    return false;
  }
}

/** A living process; undefined when it is gone, or dead and only not yet collected by its parent (a zombie). */
export function readProcess(pid: number): ProcessEntry | undefined {
  const stat = readStat(pid);
  return stat === undefined || stat.isDead ? undefined : stat.entry;
}

/** When the process with this number started, also of one that is dead and not yet collected. */
export function readStartTime(pid: number): number | undefined {
  return readStat(pid)?.entry.startTime;
}

function readStat(pid: number): { readonly entry: ProcessEntry; readonly isDead: boolean } | undefined {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name stands in parentheses and may hold any character, further parentheses included: count from the last one.
  const nameEnd = stat.lastIndexOf(")");
  const fields = stat.slice(nameEnd + 2).split(" ");
  const [state] = fields;
  const threads = Number(fields[17]);
  const entry = {
    pid,
    parentPid: Number(fields[1]),
    group: Number(fields[2]),
    session: Number(fields[3]),
    startTime: Number(fields[19]),
    name: stat.slice(stat.indexOf("(") + 1, nameEnd),
  };
  // The first thread of a process may be dead while others work on: then it looks like a zombie with threads.
  return { entry, isDead: (state === "Z" || state === "X") && threads <= 1 };
}

/** Every living process that may be seen. */
export function readProcesses(): readonly ProcessEntry[] {
  const entries: ProcessEntry[] = [];
  for (const name of fs.readdirSync("/proc")) {
    const first = name.charCodeAt(0);
    if (first < 49 || first > 57) continue;
    const entry = readProcess(Number(name));
    if (entry !== undefined) entries.push(entry);
  }
  return entries;
}

/** Whether this very process still lives, rather than another with its number. */
export function isSameAlive(process: { readonly pid: number; readonly startTime: number }): boolean {
  return readProcess(process.pid)?.startTime === process.startTime;
}

/** A variable of the environment a process was started with; undefined when absent, or when we may not look. */
export function readVariable(pid: number, name: string): string | undefined {
  const environment = readText(`/proc/${pid}/environ`);
  if (environment === undefined) return undefined;
  const prefix = `${name}=`;
  const start = environment.startsWith(prefix) ? 0 : environment.indexOf(`\0${prefix}`) + 1;
  if (start === 0 && !environment.startsWith(prefix)) return undefined;
  const end = environment.indexOf("\0", start);
  return environment.slice(start + prefix.length, end === -1 ? undefined : end);
}

/** The command line, arguments joined by spaces; empty when it cannot be read. */
export function readCommandLine(pid: number): string {
  return (readText(`/proc/${pid}/cmdline`) ?? "").replaceAll("\0", " ").trim();
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, "latin1");
  } catch {
    return undefined;
  }
}
