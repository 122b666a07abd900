/** Starts real hosts against scripted models, and collects what they say. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import os from "node:os";
import path from "node:path";
import { beforeAll } from "vitest";
import { installProgram, wantedPrograms } from "../../scripts/hosts.mjs";
import { type Model, type Script, startModel } from "./model/server.ts";
import { makePlace, type Place, ROOT } from "./place.ts";
import { COMMANDS, type HostName, PROGRAM_OF, type Setup } from "./programs.ts";

/** Longest a session of these tests may take on a busy machine. */
const LIMIT_MS = 90_000;
const INSTALL_MS = 600_000;

export interface Session {
  readonly model: Model;
  readonly child: ChildProcess;
  /** What it printed, line by line; lines that are no JSON as they are. */
  readonly lines: readonly unknown[];
  readonly ended: Promise<Ended>;
}

export interface Ended {
  /** As a shell tells it. */
  readonly code: number | null;
  readonly lines: readonly unknown[];
  readonly stderr: string;
}

export type SessionOptions = Omit<Setup, "place" | "model" | "prompt"> & {
  readonly prompt?: string;
  readonly cwd?: string;
};

/** Runs with a place, and removes both it and everything started in it, whatever happens. */
export async function inPlace<Result>(
  files: Readonly<Record<string, string>>,
  work: (lab: Lab) => Promise<Result>,
): Promise<Result> {
  const place = makePlace(files);
  const models: Model[] = [];
  const start = async (host: HostName, script: Script, options: SessionOptions = {}) => {
    const model = await startModel(script);
    models.push(model);
    return startSession(host, { prompt: "go", ...options, place, model }, options.cwd ?? place.repository);
  };
  try {
    return await work({ place, start });
  } finally {
    place.remove();
    for (const model of models) await model.close();
  }
}

export interface Lab {
  readonly place: Place;
  /** Starts a host with a model of its own. */
  start(host: HostName, script: Script, options?: SessionOptions): Promise<Session>;
}

function startSession(host: HostName, setup: Setup, cwd: string): Session {
  const { binary, args, env } = COMMANDS[host](setup);
  // A group of its own: as a terminal or a supervisor starts it.
  const child = spawn(binary, args, {
    cwd,
    env: { ...setup.place.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const lines: unknown[] = [];
  const output = { rest: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const parts = `${output.rest}${chunk}`.split("\n");
    output.rest = parts.pop() ?? "";
    lines.push(...parts.filter((line) => line !== "").map(parseLine));
  });
  child.stderr.setEncoding("utf8").on("data", (chunk: string) => {
    output.stderr += chunk;
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    const limit = setTimeout(() => {
      reject(new Error(`${host} is not over after ${LIMIT_MS} ms:\n${JSON.stringify(lines)}\n${output.stderr}`));
      child.kill("SIGKILL");
    }, LIMIT_MS);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      if (output.rest !== "") lines.push(parseLine(output.rest));
      const status = signal === null ? code : 128 + os.constants.signals[signal];
      resolve({ code: status, lines, stderr: output.stderr });
    });
  });
  // A test that fails earlier never asks for it.
  ended.catch(() => undefined);
  return { model: setup.model, child, lines, ended };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** The hosts of this run; `LOCKYARD_HOSTS=all` adds Gemini and opencode. */
export const HOSTS: readonly HostName[] = (["claude", "codex", "gemini", "opencode"] as const).filter((host) =>
  wantedPrograms().includes(PROGRAM_OF[host]),
);

/** Installs once a file what its tests start. A registry that cannot be reached fails them, with what to do. */
export function useHosts(hosts: readonly HostName[] = HOSTS): void {
  beforeAll(async () => {
    for (const host of hosts) await installProgram(PROGRAM_OF[host]);
  }, INSTALL_MS);
}

/** The command line as users have it, built once when anything changed. */
export function buildCommandLine(): void {
  if (process.env.LOCKYARD_TEST_ENTRY !== undefined) return;
  const build = path.join(ROOT, "scripts", "build.mjs");
  execFileSync(process.execPath, [build, "--if-stale"], { stdio: ["ignore", "ignore", "inherit"] });
}
