/** A home and a repository of their own for real hosts, and the proof that nothing of them survives. */
import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";

export const ROOT = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
/** Another build, while this one is being changed. */
const ENTRY = process.env.LOCKYARD_TEST_ENTRY ?? path.join(ROOT, "bin", "lockyard.js");

/** Inherited by everything a host starts, also by shells in sessions of their own. */
const MARKER = "LOCKYARD_LAB";

/** How long what a host left may take to end by itself. */
const SETTLE_MS = 3_000;

export interface Place {
  readonly home: string;
  readonly repository: string;
  /** All that a process of this place may know: nothing of the machine's own settings leaks in. */
  readonly env: Readonly<Record<string, string>>;
  write(name: string, text: string): string;
  read(name: string): string;
  exists(name: string): boolean;
  git(...args: readonly string[]): string;
  /** Runs the built command line in the repository; its standard output. */
  lockyard(...args: readonly string[]): string;
  /** Processes of this place that still live, as `pid command`, once they had time to end. */
  survivors(): Promise<readonly string[]>;
  /** Ends what still lives and removes the files. */
  remove(): void;
}

/** @param files what the first commit of the repository holds */
export function makePlace(files: Readonly<Record<string, string>> = {}): Place {
  const top = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-lab-")));
  const [home, repository] = [path.join(top, "home"), path.join(top, "repository")];
  for (const folder of [home, repository]) fs.mkdirSync(folder);
  const mark = randomUUID();
  const env = {
    PATH: [path.dirname(process.execPath), "/usr/local/bin", "/usr/bin", "/bin"].join(path.delimiter),
    HOME: home,
    LANG: "C.UTF-8",
    TERM: "dumb",
    [MARKER]: mark,
  };
  const inRepository = (program: string, args: readonly string[]) =>
    execFileSync(program, args, { cwd: repository, env, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const place: Place = {
    home,
    repository,
    env,
    write: (name, content) => {
      const file = path.join(repository, name);
      fs.mkdirSync(path.dirname(file), { recursive: true });
      fs.writeFileSync(file, content);
      return file;
    },
    read: (name) => fs.readFileSync(path.join(repository, name), "utf8"),
    exists: (name) => fs.existsSync(path.join(repository, name)),
    git: (...args) => inRepository("git", args),
    lockyard: (...args) => inRepository(process.execPath, [ENTRY, ...args]),
    survivors: async () => {
      for (let waited = 0; waited < SETTLE_MS && marked(mark).length > 0; waited += 100) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      return marked(mark).map(({ pid, command }) => `${pid} ${command}`);
    },
    remove: () => {
      for (const { pid } of marked(mark)) kill(pid);
      fs.rmSync(top, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  fs.writeFileSync(path.join(home, ".gitconfig"), "[user]\n\tname = Lab\n\temail = lab@example.org\n");
  for (const [name, content] of Object.entries(files)) place.write(name, content);
  place.git("init", "-q", "-b", "main");
  place.git("add", "-A");
  place.git("commit", "-q", "--allow-empty", "-m", "start");
  return place;
}

function marked(mark: string): readonly { readonly pid: number; readonly command: string }[] {
  return fs
    .readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => readIfThere(`/proc/${name}/environ`).includes(`${MARKER}=${mark}`))
    .filter((name) => !/^State:\s+[ZX]/m.test(readIfThere(`/proc/${name}/status`)))
    .map((name) => ({
      pid: Number(name),
      command: readIfThere(`/proc/${name}/cmdline`).replaceAll("\0", " ").trim(),
    }));
}

function readIfThere(file: string): string {
  try {
    return fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It ended by itself.
  }
}
