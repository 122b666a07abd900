/**
 * Starts a program in our place: our standard streams, our whole environment, our directory. With a terminal it stays in
 * the caller's process group, so that Ctrl-C, Ctrl-Z and reading the terminal work as if we were not there; it is then
 * owned by descent and marker alone. Without one it leads a group and session of its own.
 */
import { type ChildProcess, spawn } from "node:child_process";
import os from "node:os";
import type { OwnedProcess } from "../core/ports.ts";
import { childIdentity } from "./identity.ts";
import { MARKER_VARIABLE, markerChain } from "./marker.ts";
import { type Exit, exitOf, spawnFailure } from "./spawn.ts";

export interface ForegroundOptions {
  /** Program and arguments. */
  readonly argv: readonly [string, ...string[]];
  /** Variables set by Lockyard, over everything inherited. */
  readonly ownEnv: Readonly<Record<string, string>>;
  readonly marker: string;
  readonly group: "caller" | "own";
  /** Lower priority for processor and disk than what people look at. */
  readonly isNice: boolean;
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

/** Throws SPAWN_FAILED; its cause says ENOENT or EACCES, for the codes of a shell. */
export async function spawnForeground(options: ForegroundOptions): Promise<ForegroundChild> {
  const { argv, marker, group, isNice } = options;
  const child = start(options);
  const exited = exitOf(child);
  const { pid } = child;
  if (pid === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve));
    throw spawnFailure(argv[0], error);
  }
  child.on("error", () => undefined);
  if (isNice) lower(pid);
  return {
    process: { ...childIdentity(pid), marker },
    exited,
    signal: (signal) => send(group === "own" ? -pid : pid, signal),
  };
}

function start({ argv, ownEnv, marker, group }: ForegroundOptions): ChildProcess {
  const [program, ...rest] = argv;
  try {
    return spawn(program, rest, {
      detached: group === "own",
      shell: false,
      stdio: streams(),
      env: { ...process.env, ...ownEnv, [MARKER_VARIABLE]: markerChain(marker, process.env[MARKER_VARIABLE]) },
    });
  } catch (error) {
    throw spawnFailure(program, error);
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
