/**
 * Git, started as a program.
 *
 *  G1 nothing of ours that would lead it elsewhere reaches it (GIT_DIR and its like), and it never asks a person
 *  G2 no hook and no signature of the user's: they may ask, wait or start what nobody watches
 *  G3 killed by nobody in the middle of a step that moves the user's tree
 *  G4 another git that has the index for a moment is waited for
 */
import { BOUNDS } from "../core/bounds.ts";
import { LockyardError } from "../core/errors.ts";
import type { Clock } from "../core/ports.ts";
import { killTree } from "../process/kill-tree.ts";
import { newMarker } from "../process/marker.ts";
import { neutralise } from "../process/neutralise.ts";
import { drain } from "../process/output.ts";
import { processTree } from "../process/process-tree.ts";
import { type SpawnedChild, spawnChild } from "../process/spawn.ts";

export interface GitOptions {
  readonly cwd: string;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  /** Exit codes that are answers. Default `[0]`. */
  readonly accept?: readonly number[];
  /** Goes on to its end when this process dies, and is not ended by whoever comes after (G3). */
  readonly outlives?: boolean;
}

export interface GitAnswer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SETTINGS = [
  "core.hooksPath=/dev/null",
  "core.fsmonitor=false",
  "core.quotePath=false",
  "commit.gpgSign=false",
  "gc.auto=0",
  "maintenance.auto=false",
  "submodule.recurse=false",
].flatMap((setting) => ["-c", setting]);

const ENVIRONMENT = { GIT_TERMINAL_PROMPT: "0", GIT_OPTIONAL_LOCKS: "0", GIT_EDITOR: "true", LC_ALL: "C" };

/** Where the user's own settings lie, and who commits. */
const PASSED = [
  "XDG_CONFIG_HOME",
  "GIT_CONFIG_GLOBAL",
  "GIT_CONFIG_SYSTEM",
  "GIT_CONFIG_NOSYSTEM",
  "GIT_AUTHOR_NAME",
  "GIT_AUTHOR_EMAIL",
  "GIT_COMMITTER_NAME",
  "GIT_COMMITTER_EMAIL",
];

/** What git says when another one writes the same file. */
const LOCKED = /Unable to create '.*\.lock': File exists/;
/** How often, and after how many milliseconds, it is tried again then: some ten seconds in all. */
const TRIES = 50;
const AGAIN_MS = 200;

/** Runs git to its end. Throws AGENT_FAILED with what it said, SPAWN_FAILED without git, CANCELLED when stopped. */
export async function git(args: readonly string[], options: GitOptions): Promise<GitAnswer> {
  const { cwd, accept = [0] } = options;
  let answer = await once(args, options);
  for (let tries = 1; tries < TRIES && answer.code !== 0 && LOCKED.test(answer.stderr); tries++) {
    await new Promise<void>((resolve) => options.clock.setTimer(AGAIN_MS, resolve));
    answer = await once(args, options);
  }
  if (accept.includes(answer.code)) return answer;
  throw new LockyardError("AGENT_FAILED", `git ${args[0]} ended with exit code ${answer.code}: ${saidBy(answer)}`, {
    hint: `It ran in ${cwd}.`,
  });
}

async function once(args: readonly string[], options: GitOptions): Promise<GitAnswer> {
  const { cwd, clock, signal, outlives = false } = options;
  signal?.throwIfAborted();
  const child = await spawnChild({
    argv: ["git", ...SETTINGS, ...args],
    cwd,
    ownEnv: ENVIRONMENT,
    passEnv: PASSED,
    // What carries no marker of this process is none of what this process leaves behind.
    marker: outlives ? "" : newMarker(clock),
    stdin: "ignore",
    cgroup: false,
  });
  return follow(child, options);
}

/** What git said, in one line of a few hundred characters. */
export function saidBy({ stderr, stdout }: GitAnswer): string {
  const text = neutralise((stderr.trim() || stdout.trim()).slice(0, 400));
  return text.replaceAll(/\s*\n\s*/g, " ") || "nothing";
}

/** The pieces of what `-z` makes git print. */
export function pieces(stdout: string): readonly string[] {
  return stdout.split("\0").filter((piece) => piece !== "");
}

async function follow(child: SpawnedChild, { clock, signal }: GitOptions): Promise<GitAnswer> {
  const stop = () => {
    stopped ??= killTree(processTree(child.process), { clock, graceMs: 1_000 });
  };
  let stopped: Promise<unknown> | undefined;
  signal?.addEventListener("abort", stop, { once: true });
  if (signal?.aborted === true) stop();
  try {
    const [stdout, stderr, exit] = await Promise.all([collect(child.stdout), collect(child.stderr), child.exited]);
    await stopped;
    signal?.throwIfAborted();
    return { code: exit.code ?? 128, stdout, stderr };
  } catch (error) {
    stop();
    await stopped;
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}

async function collect(stream: SpawnedChild["stdout"]): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  await drain(stream, (chunk) => {
    bytes += chunk.length;
    if (bytes <= BOUNDS.gitOutputBytes) chunks.push(chunk);
  });
  if (bytes <= BOUNDS.gitOutputBytes) return Buffer.concat(chunks).toString("utf8");
  const [printed, limit] = [bytes, BOUNDS.gitOutputBytes].map((number) => number.toLocaleString("en"));
  throw new LockyardError("AGENT_FAILED", `git printed ${printed} bytes and the limit is ${limit}.`, {
    hint: "Put what is generated into .gitignore.",
  });
}
