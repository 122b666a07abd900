/**
 * A process is stopped (SIGSTOP) in the middle of a turn, with the file locked; three others want a turn. How soon is each
 * told which process holds the file, and how soon do they go on when it continues, or is killed? Wall time.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../src/clock/system-clock.ts";
import type { Bench } from "./harness.ts";
import type { FromProcess, ToProcess } from "./workers/stopped-process.ts";

const OTHERS = 3;
const LIMIT_MS = 20_000;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Member {
  readonly #child: ChildProcess;
  readonly #heard: FromProcess[] = [];

  constructor(file: string) {
    const script = fileURLToPath(new URL("./workers/stopped-process.ts", import.meta.url));
    this.#child = fork(script, [file], { execArgv: ["--no-warnings"] });
    this.#child.on("message", (message) => this.#heard.push(message as FromProcess));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  tell(message: ToProcess): void {
    this.#child.send(message);
  }

  /** The next message of this type; the bench fails when none comes. */
  async hears<Type extends FromProcess["type"]>(type: Type): Promise<Extract<FromProcess, { type: Type }>> {
    for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 2) {
      const at = this.#heard.findIndex((message) => message.type === type);
      if (at >= 0) return this.#heard.splice(at, 1)[0] as Extract<FromProcess, { type: Type }>;
      await sleep(2);
    }
    throw new Error(`process ${this.pid} did not say "${type}" within ${LIMIT_MS} ms`);
  }

  async isStopped(): Promise<void> {
    for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 2) {
      const stat = readFileSync(`/proc/${this.pid}/stat`, "latin1");
      if (stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")) return;
      await sleep(2);
    }
    throw new Error(`process ${this.pid} was not stopped`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Milliseconds until the last of the others was told, and from the signal until the last of them had its turn. */
async function stopAndGoOn(
  writer: Member,
  others: readonly Member[],
  signal: NodeJS.Signals,
): Promise<{ toldMs: number; tookMs: number }> {
  const { nowMs } = systemClock();
  writer.tell("stop-in-turn");
  await writer.isStopped();
  const askedAtMs = nowMs();
  for (const other of others) other.tell("take-turn");
  const told = await Promise.all(others.map((other) => other.hears("told")));
  for (const { line } of told) {
    if (!line.includes(`pid ${writer.pid}`) || !line.includes("is stopped"))
      throw new Error(`told something else: ${line}`);
  }
  const continuedAtMs = nowMs();
  writer.signal(signal);
  const took = await Promise.all(others.map((other) => other.hears("took")));
  // Clocks of two processes differ by what the scheduler did while they were set: a fraction of a millisecond, or of ten.
  return {
    toldMs: Math.max(...told.map(({ atMs }) => atMs)) - askedAtMs,
    tookMs: Math.max(0, Math.max(...took.map(({ atMs }) => atMs)) - continuedAtMs),
  };
}

async function run(): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-"));
  const members: Member[] = [];
  try {
    const start = (): Member => {
      const member = new Member(join(folder, "store.db"));
      members.push(member);
      return member;
    };
    const writer = start();
    await writer.hears("ready");
    const others = Array.from({ length: OTHERS }, start);
    await Promise.all(others.map((other) => other.hears("ready")));
    const continued = await stopAndGoOn(writer, others, "SIGCONT");
    await writer.hears("took");
    const killed = await stopAndGoOn(writer, others, "SIGKILL");
    return {
      "told after": Math.max(continued.toldMs, killed.toldMs),
      "on after SIGCONT": continued.tookMs,
      "on after SIGKILL": killed.tookMs,
    };
  } finally {
    for (const member of members) member.signal("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  name: "stopped-writer",
  title: `one process is stopped in its turn, ${OTHERS} others want one`,
  unit: "ms",
  measure: "wall",
  rounds: 3,
  cases: [{ name: "lockyard", run }],
  limits: [
    { figure: "named after 2 s", value: "told after", valueOf: "lockyard", atMost: 2_500 },
    { figure: "on after it continues", value: "on after SIGCONT", valueOf: "lockyard", atMost: 250 },
    { figure: "on after it is killed", value: "on after SIGKILL", valueOf: "lockyard", atMost: 250 },
  ],
};
