/**
 * Starts a program in our place: our standard streams, our whole environment, our directory. With a terminal it stays in
 * the caller's process group, so that Ctrl-C, Ctrl-Z and reading the terminal work as if we were not there; it is then
 * owned by descent, marker and, where one can be made, a control group. Without one it leads a group and session of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import os from "node:os";
import { LockyardError } from "../core/errors.ts";
import type { OwnedProcess } from "../core/ports.ts";
import { insideCgroup, limitMemory, makeCgroup, memoryLimitFault, removeCgroup } from "./cgroup.ts";
import { childIdentity } from "./identity.ts";
import { MARKER_VARIABLE, markerChain } from "./marker.ts";
import { type Exit, exitOf, isExecutable, spawnFailure } from "./spawn.ts";

export interface ForegroundOptions {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Variables set by Lockyard, over everything inherited. */
  readonly ownEnv: Readonly<Record<string, string>>;
  readonly marker: string;
  readonly group: "caller" | "own";
  /** Lower priority for processor and disk than what people look at. */
  readonly isNice: boolean;
  /** Bytes it and all it starts may use together; null for no limit. */
  readonly memoryBytes: number | null;
}

export interface ForegroundChild {
  readonly process: OwnedProcess;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  /** Hands a signal on: to its group when it leads one, else to it alone, for the terminal has told the others. */
  signal(signal: NodeJS.Signals): void;
}

/** What `nice` itself adds. The disk priority follows from it. */
const NICENESS = 10;

/**
 * Throws SPAWN_FAILED; its cause says ENOENT or EACCES, for the codes of a shell. With `memoryBytes` it needs a control group
 * with the memory controller, and throws INVALID_OPTION where there is none.
 */
export async function spawnForeground(options: ForegroundOptions): Promise<ForegroundChild> {
  const { argv, marker, group, isNice } = options;
  const cgroup = cgroupFor(options);
  const child = start(options, cgroup);
  const { pid } = child;
  // Before anything is awaited: as long as this turn lasts, its number is its own.
  const identity = pid === undefined ? undefined : childIdentity(pid);
  const exited = exitOf(child);
  // Stays while others are in it.
  if (cgroup !== undefined) void exited.then(() => removeCgroup(cgroup));
  if (pid === undefined || identity === undefined) {
    if (cgroup !== undefined) removeCgroup(cgroup);
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve));
    throw spawnFailure(argv[0], error);
  }
  child.on("error", () => undefined);
  if (isNice) lower(pid);
  return {
    process: { ...identity, marker, ...(cgroup === undefined ? undefined : { cgroup }) },
    exited,
    signal: (signal) => send(group === "own" ? -pid : pid, signal),
  };
}

function cgroupFor({ argv: [program], marker, memoryBytes }: ForegroundOptions): string | undefined {
  // What cannot be started is started without, for the error that says why.
  const isThere = isExecutable(program, { cwd: undefined, path: process.env.PATH });
  const cgroup = isThere ? makeCgroup(marker) : undefined;
  if (!isThere) return undefined;
  if (memoryBytes === null || (cgroup !== undefined && limitMemory(cgroup, memoryBytes))) return cgroup;
  if (cgroup !== undefined) removeCgroup(cgroup);
  throw memoryError(memoryLimitFault() ?? "the control group takes no limit");
}

export function memoryError(why: string): LockyardError {
  return new LockyardError("INVALID_OPTION", `Memory cannot be limited here: ${why}.`, {
    hint: "Leave --mem out, or start the shell with: systemd-run --user --scope -p Delegate=yes bash",
  });
}

function start({ argv, ownEnv, marker, group }: ForegroundOptions, cgroup: string | undefined): ChildProcess {
  const [program, ...rest] = cgroup === undefined ? argv : insideCgroup(cgroup, argv);
  try {
    return spawn(program, rest, {
      detached: group === "own",
      shell: false,
      stdio: streams(),
      env: { ...process.env, ...ownEnv, [MARKER_VARIABLE]: markerChain(marker, process.env[MARKER_VARIABLE]) },
    });
  } catch (error) {
    if (cgroup !== undefined) removeCgroup(cgroup);
    throw spawnFailure(argv[0], error);
  }
}

/** Ours, and the two of make's job server when we are one of its jobs: all else that we inherited is closed to a child. */
function streams(): ("inherit" | "ignore" | number)[] {
  const list: ("inherit" | "ignore" | number)[] = ["inherit", "inherit", "inherit"];
  const [, read, write] = /--jobserver-(?:auth|fds)=(\d{1,3}),(\d{1,3})/.exec(process.env.MAKEFLAGS ?? "") ?? [];
  for (const descriptor of [Number(read), Number(write)]) {
    if (!(descriptor > 2)) continue;
    while (list.length < descriptor) list.push("ignore");
    list[descriptor] = descriptor;
  }
  return list;
}

/** At once after the start: what it has started before runs as it would without us, and that is no fault. */
function lower(pid: number): void {
  try {
    os.setPriority(pid, Math.min(19, Math.max(os.getPriority(), 0) + NICENESS));
  } catch {
    // Gone already, or not allowed here: it runs as it would without us.
  }
}

function send(target: number, signal: NodeJS.Signals): void {
  try {
    process.kill(target, signal);
  } catch {
    // It has ended: its exit says how.
  }
}
