/**
 * P9: what a hook costs its host, on a store with 100,000 live tasks and 1,000,000 finished ones. A process of its own, from
 * start to end over a bare node, and inside a process that lives; and fifteen sessions that edit one repository together,
 * five times a second in all, each asking by processes of its own.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/clock/system-clock.ts";
import { withoutFiles } from "../src/config/without-files.ts";
import { HookDesk } from "../src/hooks/desk.ts";
import { realDisk } from "../src/hooks/files.ts";
import type { HookCall, HookEvent } from "../src/hooks/hook-call.ts";
import { ownIdentity } from "../src/process/identity.ts";
import { openSqliteStore } from "../src/stores/sqlite/index.ts";
import { bareNodeMs, coldMs } from "./cold-start.ts";
import { fullStore } from "./full-store.ts";
import { type Bench, percentile } from "./harness.ts";

const ENTRY = fileURLToPath(new URL("../bin/lockyard.js", import.meta.url));
const EDITS = 200;
const SESSIONS = 15;
const PERIOD_MS = 200;
const PERIODS = 75;
/** Held for the edit only. */
const SHARED = "package.json";

function inDirectory<T>(use: (directory: string) => T): T {
  const directory = mkdtempSync(join(tmpdir(), "lockyard-bench-hooks-"));
  const end = () => rmSync(directory, { recursive: true, force: true });
  try {
    const value = use(directory);
    if (!(value instanceof Promise)) end();
    else value.then(end, end);
    return value;
  } catch (error) {
    end();
    throw error;
  }
}

function payload(session: string, event: string, cwd: string, tool: string, file: string): string {
  const base = { session_id: session, cwd, hook_event_name: event, tool_use_id: `${session}-${file}` };
  return JSON.stringify({ ...base, tool_name: tool, tool_input: { file_path: file } });
}

/** One kind of hook, started again and again. */
async function process_(event: string, tool: string): Promise<number> {
  const store = await fullStore();
  return inDirectory((directory) => {
    writeFileSync(join(directory, "a.ts"), "export const a = 1;\n".repeat(200));
    const input = payload(`bench-${event}-${tool}`, event, directory, tool, "a.ts");
    return coldMs([ENTRY, "hook", "claude"], { LOCKYARD_STORE: store, TMPDIR: directory }, input);
  });
}

/** Both hooks of one edit, in a process that lives: each alone, in milliseconds. */
async function inProcess(): Promise<Readonly<Record<string, number>>> {
  const clock = systemClock();
  const store = await openSqliteStore({ clock, file: await fullStore() });
  const times = { before: [] as number[], after: [] as number[] };
  await inDirectory(async (cwd) => {
    const desk = new HookDesk({
      store,
      clock,
      disk: realDisk(),
      inside: null,
      hostProcess: ownIdentity,
      configFor: async () => withoutFiles(cwd, { cores: 4, workspace: "bench" }),
      lockyard: () => ["lockyard"],
      home: null,
    });
    const call = (event: HookEvent, path: string): HookCall => ({
      host: "claude",
      event,
      session: "bench-desk",
      subagent: null,
      cwd,
      tool: "edit",
      paths: [path],
      command: null,
      prompt: null,
      asksAfterwards: false,
      toolUseId: path,
      input: {},
      hasFailed: false,
    });
    for (let at = 0; at < EDITS; at++) {
      const path = join(cwd, `${at % 20}.ts`);
      for (const event of ["before", "after"] as const) {
        const startMs = performance.now();
        await desk.decide(call(event, path));
        times[event].push(performance.now() - startMs);
        if (event === "before") writeFileSync(path, `${at}\n`.repeat(200));
      }
    }
  });
  await store.close();
  return {
    beforeP50: percentile(times.before, 50),
    beforeP95: percentile(times.before, 95),
    afterP50: percentile(times.after, 50),
  };
}

function ask(
  store: string,
  directory: string,
  input: string,
): Promise<{ readonly ms: number; readonly answer: string }> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const env = { ...process.env, LOCKYARD_STORE: store, TMPDIR: directory };
    const child = spawn(process.execPath, [ENTRY, "hook", "claude"], { env, stdio: ["pipe", "pipe", "ignore"] });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    child.once("error", reject);
    child.once("close", () => resolve({ ms: performance.now() - startMs, answer }));
    child.stdin.end(input);
  });
}

/** Fifteen sessions, most on files of their own; now and then five of them want the one that all share. */
async function fleet(): Promise<Readonly<Record<string, number>>> {
  const store = await fullStore();
  const decisions: number[] = [];
  let lost = 0;
  let refused = 0;
  let edits = 0;
  await inDirectory(async (directory) => {
    const written = new Map<string, string[]>();
    const seen = new Map<string, string>();
    const contentOf = (file: string) => readFileSync(join(directory, file), "utf8");
    for (let at = 0; at < SESSIONS; at++) writeFileSync(join(directory, `${at}.ts`), "");
    writeFileSync(join(directory, SHARED), "");
    const edit = async (at: number) => {
      const session = `fleet-${at % SESSIONS}`;
      const file = Math.floor(at / SESSIONS) % 3 === 2 && at % 3 === 0 ? SHARED : `${at % SESSIONS}.ts`;
      const tell = (event: string, tool: string) =>
        ask(store, directory, payload(session, event, directory, tool, file));
      const key = `${session} ${file}`;
      if (!seen.has(key)) {
        await tell("PreToolUse", "Read");
        seen.set(key, contentOf(file));
      }
      const { ms, answer } = await tell("PreToolUse", "Write");
      // Waiting for somebody else's edit is what holds are for; here it is told how long an answer takes.
      if (!answer.includes("is being edited")) decisions.push(ms);
      if (answer.includes("deny")) {
        refused++;
        seen.delete(key);
        return;
      }
      const marks = written.get(file) ?? [];
      const before = seen.get(key) ?? "";
      lost += marks.filter((mark) => !before.includes(mark)).length;
      const mark = `[${at}]`;
      writeFileSync(join(directory, file), before + mark);
      seen.set(key, before + mark);
      written.set(file, [...marks, mark]);
      edits++;
      await tell("PostToolUse", "Write");
    };
    const all: Promise<void>[] = [];
    // One session never edits twice at once.
    const last = new Map<number, Promise<void>>();
    for (let at = 0; at < PERIODS; at++) {
      const before = last.get(at % SESSIONS) ?? Promise.resolve();
      const next = before.then(() => edit(at));
      last.set(at % SESSIONS, next);
      all.push(next);
      await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    }
    await Promise.all(all);
  });
  return { p50: percentile(decisions, 50), p95: percentile(decisions, 95), edits, refused, lost };
}

export const bench: Bench = {
  name: "hooks",
  title: "what a hook costs its host, with 100k live and 1M finished tasks",
  unit: "ms",
  measure: "wall",
  rounds: 3,
  needsDist: true,
  cases: [
    { name: "bare node", peer: true, run: async () => bareNodeMs() },
    { name: "process, before an edit", run: () => process_("PreToolUse", "Edit") },
    { name: "process, after an edit", run: () => process_("PostToolUse", "Edit") },
    { name: "process, before a read", run: () => process_("PreToolUse", "Read") },
    { name: "desk", run: inProcess },
    { name: "15 sessions", run: fleet },
  ],
  limits: [
    {
      figure: "P9 process hook over bare node <= 150 ms",
      differenceOf: "process, before an edit",
      to: "bare node",
      atMost: 150,
    },
    { figure: "P9 in a living process <= 15 ms", valueOf: "desk", value: "beforeP50", atMost: 15 },
    { figure: "P9 15 sessions, p95 of a decision <= 400 ms", valueOf: "15 sessions", value: "p95", atMost: 400 },
    { figure: "P9 15 sessions, updates lost", valueOf: "15 sessions", value: "lost", atMost: 0 },
  ],
};
