/**
 * P6, second part: what signs of life cost. 10,000 tasks run at once and each calls `ctx.heartbeat()` once a second;
 * CPU of the process over that of the same process idle, as a share of one core, over five seconds.
 *
 * The beats are driven by one timer, because what is measured is what we do with a beat; "a timer each" is what a program
 * pays that gives each task a timer of its own, beside the same function that notes a time.
 */
import { type AgentContext, createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "../src/index.ts";
import { type Bench, cpuMs } from "./harness.ts";

const TASKS = 10_000;
const BEAT_MS = 1_000;
const SECONDS = 5;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Percent of one core. */
async function share(work: () => Promise<void>): Promise<number> {
  await work();
  const cpu = await cpuMs(() => sleep(SECONDS * 1_000));
  return (cpu / (SECONDS * 1_000)) * 100;
}

function timerEach(): Promise<number> {
  return share(async () => {
    const seenAtMs = new Float64Array(TASKS);
    for (let at = 0; at < TASKS; at++) setInterval(() => (seenAtMs[at] = performance.now()), BEAT_MS);
  });
}

function lockyard(isBeating: boolean): Promise<number> {
  const contexts: AgentContext[] = [];
  const forever = new Promise<number>(() => undefined);
  const agents = defineAgents({
    beater: functionAgent((_task, ctx) => {
      contexts.push(ctx);
      return forever;
    }),
  });
  const layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: TASKS, agents });
  return share(async () => {
    const call = { agentId: "beater", taskType: "beat", description: "lives", idleTimeoutMs: 60_000 } as const;
    // It ends with the process.
    layer.executeMultipleTaskCalls(Array.from({ length: TASKS }, () => createTaskCall(call))).catch(() => undefined);
    while (contexts.length < TASKS) await sleep(10);
    if (isBeating) {
      setInterval(() => {
        for (const ctx of contexts) ctx.heartbeat();
      }, BEAT_MS);
    }
    await sleep(1_000);
  });
}

export const bench: Bench = {
  name: "beats",
  title: `${TASKS.toLocaleString("en")} running tasks, one sign of life a second each`,
  unit: "% of a core",
  measure: "cpu",
  rounds: 3,
  cases: [
    { name: "lockyard, no beats", run: () => lockyard(false) },
    { name: "a timer each", peer: true, run: timerEach },
    { name: "lockyard", run: () => lockyard(true) },
  ],
  limits: [{ figure: "P6 beats over idle", differenceOf: "lockyard", to: "lockyard, no beats", atMost: 1 }],
};
