/** Runs the built command line as people do: real processes, a home and a store of their own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";

const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
/** Another build, while this one is being changed. */
export const ENTRY = process.env.LOCKYARD_TEST_ENTRY ?? path.join(ROOT, "bin", "lockyard.js");

/** The built library, for programs that tests write. */
export const LIBRARY = new URL(`file://${path.join(ROOT, "dist", "js", "index.js")}`).href;

/** Longest a command of these tests may take on a busy machine. */
const LIMIT_MS = 60_000;

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly output: { readonly stdout: string; readonly stderr: string };
  /** Resolves when the pattern has been printed; rejects when the process ends without it. */
  until(pattern: RegExp): Promise<void>;
  readonly finished: Promise<Finished>;
}

export interface Directory {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  write(name: string, text: string): string;
  read(name: string): string;
  exists(name: string): boolean;
  /** Starts a command; it is killed when the tests of the file are over. */
  start(args: readonly string[], env?: Readonly<Record<string, string>>): Running;
  /** Starts a program of the directory with Node. */
  program(name: string, args?: readonly string[]): Running;
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Finished>;
  shell(script: string): Promise<Finished>;
  /** Resolves when the file is there: how a task of a plan says that it got somewhere. */
  appeared(name: string): Promise<void>;
}

/** Builds once a file, if anything changed, and cleans up after it. `directory()` is a fresh place for each test. */
export function useCommandLine(): { directory(): Directory } {
  const made: string[] = [];
  const children = new Set<ChildProcess>();
  beforeAll(() => {
    if (process.env.LOCKYARD_TEST_ENTRY !== undefined) return;
    execFileSync(process.execPath, [path.join(ROOT, "scripts", "build.mjs"), "--if-stale"], {
      stdio: ["ignore", "ignore", "inherit"],
    });
  });
  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
    for (const place of made) fs.rmSync(place, { recursive: true, force: true });
  });
  return {
    directory: () => {
      const place = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-cli-")));
      made.push(place);
      return directoryAt(place, children);
    },
  };
}

function directoryAt(place: string, children: Set<ChildProcess>): Directory {
  const { PATH = "", LANG = "C.UTF-8" } = process.env;
  const env = { PATH, LANG, HOME: place, TMPDIR: os.tmpdir(), LOCKYARD_STORE: path.join(place, "store.db") };
  const start = (command: readonly [string, ...string[]], more: Readonly<Record<string, string>>): Running => {
    const [program, ...args] = command;
    const child = spawn(program, args, { cwd: place, env: { ...env, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    children.add(child);
    return watch(child, () => children.delete(child));
  };
  const cli = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
    start([process.execPath, ENTRY, ...args], more);
  return {
    path: place,
    env,
    write: (name, text) => {
      const file = path.join(place, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, text);
      return file;
    },
    read: (name) => fs.readFileSync(path.join(place, name), "utf8"),
    exists: (name) => fs.existsSync(path.join(place, name)),
    start: cli,
    program: (name, args = []) => start([process.execPath, name, ...args], {}),
    run: (args, more) => cli(args, more).finished,
    shell: (script) => start(["bash", "-c", script], { LOCKYARD: "", CLI: `${process.execPath} ${ENTRY}` }).finished,
    appeared: (name) => appeared(path.join(place, name)),
  };
}

function watch(child: ChildProcess, onEnd: () => void): Running {
  const output = { stdout: "", stderr: "" };
  const waiting = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      for (const look of waiting) look();
    });
  }
  let hasEnded = false;
  const finished = new Promise<Finished>((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`not over after ${LIMIT_MS} ms:\n${output.stdout}\n${output.stderr}`));
    }, LIMIT_MS);
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      hasEnded = true;
      onEnd();
      // As a shell tells it.
      resolve({ code: signal === null ? code : 128 + os.constants.signals[signal], ...output });
      for (const look of waiting) look();
    });
  });
  // A test that fails earlier never asks for it.
  finished.catch(() => undefined);
  const until = (pattern: RegExp) =>
    new Promise<void>((resolve, reject) => {
      const look = () => {
        if (pattern.test(output.stdout + output.stderr)) resolve();
        else if (hasEnded) reject(new Error(`ended without ${pattern}:\n${output.stdout}\n${output.stderr}`));
        else return;
        waiting.delete(look);
      };
      waiting.add(look);
      look();
    });
  return { child, output, until, finished };
}

function appeared(file: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const started = Date.now();
    const look = () => {
      if (fs.existsSync(file)) resolve();
      else if (Date.now() - started > LIMIT_MS) reject(new Error(`${file} did not appear`));
      else setTimeout(look, 20);
    };
    look();
  });
}

/** A task's command: writes `NAME.started`, waits for `NAME.go`, then ends. */
export function gate(name: string): string {
  return `node -e "const fs=require('fs');fs.writeFileSync('${name}.started',String(process.pid));setInterval(()=>fs.existsSync('${name}.go')&&process.exit(),20)"`;
}

/** Whether that process lives. One that is dead and was not collected yet (its parent died first) does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+[ZX]/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return process.platform !== "linux";
  }
}
