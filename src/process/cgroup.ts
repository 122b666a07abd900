/**
 * A control group of its own for each task, where Linux lets us make one (cgroup v2, our own group writable). A process
 * cannot leave it by anything it does to its session, parents or environment, nor by becoming another user: so all of a
 * task is found, and all of it is killed in one step.
 *
 *  G1 made below the group this process lives in, named after the task's marker: whoever comes after finds it by its name,
 *     from any process in it
 *  G2 a child enters before its program begins, by a shell that moves itself and then becomes the program: nothing can be
 *     started outside. Being in the group is one more tie to a tree, never the only one
 *  G3 an empty one is taken away by whoever sees it empty, or later by anybody, once its maker is gone
 */
import fs from "node:fs";
import path from "node:path";
import { readStartTime } from "./proc-table.ts";

const PREFIX = "lockyard-";
/** Groups inside groups that are followed: a task that runs Lockyard makes its own. */
const DEPTH = 16;

/** The directory of the group this process lives in, or why none can be made below it. */
export function cgroupPlace(): { readonly directory: string } | { readonly why: string } {
  if (process.platform !== "linux") return { why: "this is not Linux" };
  const mount = cgroupMount();
  if (mount === undefined) return { why: "cgroup v2 is not mounted" };
  const own = cgroupPathOf("self");
  const directory = own === undefined ? undefined : directoryOf(own, mount);
  if (directory === undefined) return { why: "this process is in no group of the mounted cgroup v2" };
  try {
    fs.accessSync(path.join(directory, "cgroup.procs"), fs.constants.W_OK);
    fs.accessSync(directory, fs.constants.W_OK);
  } catch {
    return { why: `its group ${directory} is not writable` };
  }
  return { directory };
}

/** Makes a group for a task; undefined where that is not possible. */
export function makeCgroup(marker: string): string | undefined {
  const place = cgroupPlace();
  if ("why" in place) return undefined;
  const directory = path.join(place.directory, PREFIX + marker);
  try {
    fs.mkdirSync(directory);
    // Kernels before 5.14 have none: half a group would be no better than a sweep.
    if (fs.existsSync(path.join(directory, "cgroup.kill"))) return directory;
    fs.rmdirSync(directory);
  } catch {
    // Read-only after all, or too many of them.
  }
  return undefined;
}

/** Why memory cannot be limited here; null where it can. */
export function memoryLimitFault(): string | null {
  const place = cgroupPlace();
  if ("why" in place) return place.why;
  const handedDown = lines(path.join(place.directory, "cgroup.subtree_control")).join(" ").split(" ");
  return handedDown.includes("memory") ? null : "the memory controller is not handed down to groups made here";
}

/** Lets the group use no more memory than this: what asks for more is ended by the kernel. False where that cannot be set. */
export function limitMemory(directory: string, bytes: number): boolean {
  try {
    fs.writeFileSync(path.join(directory, "memory.max"), String(bytes));
  } catch {
    // The memory controller is not handed down to groups made here.
    return false;
  }
  // A command that lost one of its processes is no use to anybody; older kernels end only the largest.
  quietly(() => fs.writeFileSync(path.join(directory, "memory.oom.group"), "1"));
  quietly(() => fs.writeFileSync(path.join(directory, "memory.swap.max"), "0"));
  return true;
}

/** The arguments by which a program is started inside a group. It must be there and executable: a shell hides why not. */
export function insideCgroup(directory: string, argv: readonly [string, ...string[]]): [string, ...string[]] {
  return ["/bin/sh", "-c", '{ echo 0 >"$0/cgroup.procs"; } 2>/dev/null; exec "$@"', directory, ...argv];
}

/** Numbers of the processes in the group and in groups below it, the dead ones that nobody collected included. */
export function cgroupMembers(directory: string): readonly number[] {
  return groupsBelow(directory).flatMap((group) =>
    lines(path.join(group, "cgroup.procs"))
      .map(Number)
      .filter((pid) => pid > 0),
  );
}

/** Kills everything in the group and below it, in one step. */
export function killCgroup(directory: string): void {
  quietly(() => fs.writeFileSync(path.join(directory, "cgroup.kill"), "1"));
}

/** Takes the group away if nobody is in it any more. */
export function removeCgroup(directory: string): void {
  for (const group of groupsBelow(directory).toReversed()) quietly(() => fs.rmdirSync(group));
}

/** Takes away empty groups beside ours whose makers are gone. */
export function removeAbandonedCgroups(): void {
  const place = cgroupPlace();
  if ("why" in place) return;
  for (const name of names(place.directory)) {
    const maker = /^lockyard-(\d+)\.(\d+)-/.exec(name);
    if (maker === null || readStartTime(Number(maker[1])) === Number(maker[2])) continue;
    removeCgroup(path.join(place.directory, name));
  }
}

/** The directories, outermost first, of the groups a process is in that were made by whoever has this marker prefix. */
export function cgroupsOf(pid: number, prefix: string): readonly string[] {
  const own = cgroupPathOf(pid);
  if (own?.includes(`/${PREFIX}${prefix}`) !== true) return [];
  const mount = cgroupMount();
  const segments = own.split("/");
  return segments.flatMap((segment, at) => {
    if (!segment.startsWith(PREFIX + prefix)) return [];
    const group = segments.slice(0, at + 1).join("/");
    const directory = mount === undefined ? undefined : directoryOf(group, mount);
    return [directory ?? group];
  });
}

interface Mount {
  readonly point: string;
  /** The part of the hierarchy that is mounted there. */
  readonly root: string;
}

function cgroupMount(): Mount | undefined {
  for (const line of lines("/proc/self/mountinfo")) {
    const [before = "", after = ""] = line.split(" - ");
    if (!after.startsWith("cgroup2 ")) continue;
    const fields = before.split(" ");
    return { root: unescaped(fields[3] ?? "/"), point: unescaped(fields[4] ?? "") };
  }
  return undefined;
}

function unescaped(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function cgroupPathOf(pid: number | "self"): string | undefined {
  return lines(`/proc/${pid}/cgroup`)
    .find((line) => line.startsWith("0::"))
    ?.slice(3);
}

function directoryOf(group: string, { root, point }: Mount): string | undefined {
  // `/..`: above what this process may see of the hierarchy.
  if (group.startsWith("/..")) return undefined;
  if (root === "/") return path.join(point, group);
  return group === root || group.startsWith(`${root}/`) ? path.join(point, group.slice(root.length)) : undefined;
}

/** The group and those below it, outermost first. */
function groupsBelow(directory: string, depth = 0): readonly string[] {
  if (depth === DEPTH) return [directory];
  return [directory, ...names(directory).flatMap((name) => groupsBelow(path.join(directory, name), depth + 1))];
}

/** Names of the directories in a directory. */
function names(directory: string): readonly string[] {
  try {
    return fs
      .readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    return [];
  }
}

function lines(file: string): readonly string[] {
  try {
    return fs.readFileSync(file, "latin1").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Gone already, or not empty: whoever looks next sees it.
  }
}
