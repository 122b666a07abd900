/**
 * A process is killed with -9 while its command, with children that left its group and session, holds a lock others wait
 * for. How long until a waiting process runs with that lock, everything of the dead one ended before? Wall time, from the
 * signal to the first line of the waiting task. "left alive" counts processes of the dead one's command at that moment.
 */
import { type ChildProcess, fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { functionAgent, MCPIntegrationLayer, sqliteStore } from "../src/index.ts";
import { type Bench, percentile } from "./harness.ts";
import { alive } from "./sleepers.ts";

const KILLS = 60;
/** Moments of the waiter's watch at which the kill comes, so that no phase is favoured. */
const PHASE_MS = 300;
const LIMIT_MS = 20_000;

const POLITE = (seconds: string) =>
  `setsid sleep ${seconds}1 & nohup sleep ${seconds}2 >/dev/null 2>&1 & (setsid sh -c 'sleep ${seconds}3 &') & ${up(seconds, 3)}`;
const DEAF = (seconds: string) =>
  `(trap '' TERM; setsid sleep ${seconds}1 & setsid sleep ${seconds}2 & (setsid sh -c 'sleep ${seconds}3 &')) & ${up(seconds, 3)}`;

/** Says so when they all run, then sleeps on. */
function up(seconds: string, count: number): string {
  return `while [ "$(ps -eo args= | grep -c '^sleep ${seconds}')" -lt ${count} ]; do :; done; echo up; sleep ${seconds}0`;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function run(children: (seconds: string) => string): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-"));
  const file = join(folder, "store.db");
  let seconds = "";
  const began: { atMs: number; leftAlive: number }[] = [];
  const waiter = functionAgent(() => {
    began.push({ atMs: performance.now(), leftAlive: alive(seconds) });
    return null;
  });
  const layer = new MCPIntegrationLayer({ workflowId: "waiter", agents: { waiter }, store: sqliteStore({ file }) });
  const tookMs: number[] = [];
  let leftAlive = 0;
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      // A number no other process sleeps for.
      seconds = `8${process.pid}${String(kill).padStart(3, "0")}`;
      const holder = await started(file, children(seconds));
      const result = layer.executeTaskCall({
        agentId: "waiter",
        taskType: "wait",
        description: "waits",
        claims: [{ lock: "machine:contested" }],
      });
      await untilWaiting(layer);
      await sleep(Math.random() * PHASE_MS);
      const killedAtMs = performance.now();
      holder.kill("SIGKILL");
      await result;
      const start = began.pop();
      if (start === undefined) throw new Error("the waiting task ended without having run");
      tookMs.push(start.atMs - killedAtMs);
      leftAlive += start.leftAlive;
    }
    await layer.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { "p50 ms": percentile(tookMs, 50), "p99 ms": percentile(tookMs, 99), "left alive": leftAlive };
}

function started(file: string, command: string): Promise<ChildProcess> {
  const script = fileURLToPath(new URL("./workers/takeover-holder.ts", import.meta.url));
  const holder = fork(script, [file, command], { execArgv: ["--no-warnings"], timeout: LIMIT_MS });
  return new Promise((resolve, reject) => {
    holder.once("message", () => resolve(holder));
    holder.once("exit", (code) => reject(new Error(`the holder ended with ${code}`)));
  });
}

async function untilWaiting(layer: MCPIntegrationLayer): Promise<void> {
  for (let waitedMs = 0; waitedMs < LIMIT_MS; waitedMs += 2) {
    const [waiting] = layer.getParallelExecutionStatus().waiting;
    if (waiting !== undefined && waiting.blockedBy.length > 0) return;
    await sleep(2);
  }
  throw new Error(`the task did not wait: ${JSON.stringify(layer.getParallelExecutionStatus().waiting)}`);
}

export const bench: Bench = {
  name: "takeover",
  title: `a holder is killed with -9, ${KILLS} times a round`,
  unit: "figure",
  measure: "wall",
  rounds: 2,
  cases: [
    { name: "children that left", run: () => run(POLITE) },
    { name: "children deaf to TERM", run: () => run(DEAF) },
  ],
  limits: [
    { figure: "P7 take-over", value: "p99 ms", valueOf: "children that left", atMost: 250 },
    { figure: "P7 take-over, deaf children", value: "p99 ms", valueOf: "children deaf to TERM", atMost: 250 },
    { figure: "L7 nobody lives", value: "left alive", valueOf: "children that left", atMost: 0 },
    { figure: "L7 nobody lives, deaf children", value: "left alive", valueOf: "children deaf to TERM", atMost: 0 },
  ],
};
