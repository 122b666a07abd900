/** Starts a child: arguments as a list, a group and session of its own, a marker in its environment. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import type { Readable, Writable } from "node:stream";
import { LockyardError } from "../core/errors.ts";
import type { OwnedProcess } from "../core/ports.ts";
import { insideCgroup, makeCgroup, removeCgroup } from "./cgroup.ts";
import { childEnvironment } from "./environment.ts";
import { childIdentity } from "./identity.ts";
import { MARKER_VARIABLE, markerChain } from "./marker.ts";

export interface SpawnOptions {
  /** Program and arguments. With `shell`, a script and what it sees as $1, $2, … */
  readonly argv: readonly string[];
  /** Runs `argv[0]` by `sh -c`. Only ever what a person wrote: values go into arguments or variables, never into it. */
  readonly shell?: boolean;
  readonly cwd?: string | undefined;
  readonly marker: string;
  /** Declared variables; see `childEnvironment`. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Variables of ours that are passed on besides the allow-list. */
  readonly passEnv?: readonly string[] | undefined;
  /** Variables set by Lockyard. */
  readonly ownEnv?: Readonly<Record<string, string>> | undefined;
  readonly stdin: "pipe" | "ignore";
  /** False: no control group, even where one can be made. */
  readonly cgroup?: boolean;
}

/** How a process ended: one of the two is set. */
export type Exit =
  | { readonly code: number; readonly signal: null }
  | { readonly code: null; readonly signal: NodeJS.Signals };

export interface SpawnedChild {
  readonly process: OwnedProcess;
  /** Null when stdin is ignored. What goes wrong in writing is contained: a child need not read. */
  readonly stdin: Writable | null;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Never rejects. Its streams may still be open: whoever inherited them holds them. */
  readonly exited: Promise<Exit>;
}

/** Starts a child, or throws SPAWN_FAILED with a hint. The child leads a process group and session of its own. */
export async function spawnChild(options: SpawnOptions): Promise<SpawnedChild> {
  const [program, ...rest] = checkedArguments(options);
  const cwd = await checkedDirectory(options.cwd);
  const env = environmentFor(options);
  const mayHaveGroup = options.cgroup !== false && isExecutable(program, { cwd, path: env.PATH });
  const group = mayHaveGroup ? makeCgroup(options.marker) : undefined;
  const argv: [string, ...string[]] = [program, ...rest];
  const child = startIn(group, argv, { env, stdin: options.stdin, ...(cwd === undefined ? undefined : { cwd }) });
  // Before anything is awaited: as long as this turn lasts, its number is its own.
  const identity = child.pid === undefined ? undefined : childIdentity(child.pid);
  const exited = exitOf(child);
  // Stays while others are in it.
  if (group !== undefined) void exited.then(() => removeCgroup(group));
  if (identity === undefined) {
    const error = await new Promise<unknown>((resolve) => child.once("error", resolve));
    throw spawnFailure(program, error);
  }
  // A signal that could not be sent is reported here too; the tree is judged by the process table, not by this.
  child.on("error", ignore);
  child.stdin?.on("error", ignore);
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw spawnFailure(program, undefined);
  const contained = group === undefined ? undefined : { cgroup: group };
  return { process: { ...identity, marker: options.marker, ...contained }, stdin: child.stdin, stdout, stderr, exited };
}

/** Never rejects. */
export function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    // Node gives a code or a signal, never neither.
    child.once("exit", (code, signal) =>
      resolve(signal === null ? { code: code ?? 0, signal } : { code: null, signal }),
    );
  });
}

function ignore(): void {}

interface Start {
  readonly env: Record<string, string>;
  readonly stdin: "pipe" | "ignore";
  readonly cwd?: string;
}

function startIn(group: string | undefined, argv: [string, ...string[]], { stdin, ...rest }: Start): ChildProcess {
  const [program, ...args] = group === undefined ? argv : insideCgroup(group, argv);
  try {
    return spawn(program, args, {
      detached: true,
      shell: false,
      stdio: [stdin, "pipe", "pipe"],
      windowsHide: true,
      ...rest,
    });
  } catch (error) {
    if (group !== undefined) removeCgroup(group);
    throw spawnFailure(argv[0], error);
  }
}

function environmentFor({ marker, env, passEnv, ownEnv }: SpawnOptions): Record<string, string> {
  const own = { ...ownEnv, [MARKER_VARIABLE]: markerChain(marker, process.env[MARKER_VARIABLE]) };
  return childEnvironment({ inherited: process.env, passed: passEnv, declared: env, own });
}

/** Whether the system will find and start it. When not, it is started all the same, for the error that says why. */
export function isExecutable(
  program: string,
  { cwd, path: search = "" }: { readonly cwd: string | undefined; readonly path: string | undefined },
): boolean {
  const places = program.includes("/") ? [""] : search.split(path.delimiter);
  return places.some((place) => {
    try {
      const file = path.resolve(cwd ?? "", place, program);
      fs.accessSync(file, fs.constants.X_OK);
      return fs.statSync(file).isFile();
    } catch {
      return false;
    }
  });
}

function checkedArguments({ argv, shell = false }: SpawnOptions): [string, ...string[]] {
  const [program, ...rest] = argv;
  if (program === undefined || program === "") {
    throw new LockyardError("SPAWN_FAILED", "The command is empty.", { hint: 'Name a program: ["npm", "test"].' });
  }
  const broken = argv.findIndex((argument) => typeof argument !== "string" || argument.includes("\0"));
  if (broken !== -1) {
    throw new LockyardError("SPAWN_FAILED", `Argument ${broken} of ${show(program)} is not a string without NUL.`);
  }
  if (shell) return ["sh", "-c", program, "sh", ...rest];
  if (/\.(?:bat|cmd)[ .]*$/i.test(program)) {
    throw new LockyardError(
      "SPAWN_FAILED",
      `${show(program)} is a batch file; its arguments cannot be passed safely.`,
      {
        hint: "Name the program that the batch file starts.",
      },
    );
  }
  return [program, ...rest];
}

/** A missing directory and a missing program look the same in the error of spawn: tell them apart before. */
async function checkedDirectory(cwd: string | undefined): Promise<string | undefined> {
  if (cwd === undefined) return undefined;
  const stat = await fs.promises.stat(cwd).catch(() => undefined);
  if (stat?.isDirectory()) return cwd;
  const what = stat === undefined ? "does not exist" : "is not a directory";
  throw new LockyardError("SPAWN_FAILED", `The working directory ${show(cwd)} ${what}.`, {
    hint: "Create it first, or correct cwd.",
  });
}

const HINTS: Readonly<Record<string, string>> = {
  ENOENT: "Is it installed, and in PATH? For a script, is the interpreter of its first line there?",
  EACCES: "Is it executable (chmod +x)?",
  ENOEXEC: "It is neither a program of this machine nor a script with #! in its first line.",
  E2BIG: "The arguments and variables are too long; hand the data over on stdin or in a file.",
  EAGAIN: "The limit of processes is reached (ulimit -u).",
  EMFILE: "The limit of open files is reached (ulimit -n).",
  ENOMEM: "There is not enough memory to start a process.",
};

export function spawnFailure(program: string, error: unknown): LockyardError {
  const code = String((error as NodeJS.ErrnoException | undefined)?.code ?? "an unknown error"); // spawn gives errno errors
  return new LockyardError("SPAWN_FAILED", `${show(program)} could not be started: ${code}.`, {
    hint: HINTS[code],
    cause: error,
  });
}

function show(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}
