/**
 * P5, first part: work that only waits. 1,000 tasks of 10 ms, 10 and 100 at a time, beside the pool one writes by hand.
 * Wall time. The pool's own floor is ceil(1,000 / slots) × 10 ms plus what Node's timers are late.
 */
import pLimit from "p-limit";
import PQueue from "p-queue";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "../src/index.ts";
import { type Bench, wallMs } from "./harness.ts";

const TASKS = 1_000;
const TASK_MS = 10;

const work = (): Promise<number> => new Promise((resolve) => setTimeout(resolve, TASK_MS, 1));

async function byHand(slots: number, count: number): Promise<void> {
  let next = 0;
  const results: number[] = [];
  const lane = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      results[at] = await work();
    }
  };
  await Promise.all(Array.from({ length: slots }, lane));
}

async function limited(slots: number, count: number): Promise<void> {
  const limit = pLimit(slots);
  await Promise.all(Array.from({ length: count }, () => limit(work)));
}

async function queued(slots: number, count: number): Promise<void> {
  const queue = new PQueue({ concurrency: slots });
  await Promise.all(Array.from({ length: count }, () => queue.add(work)));
}

async function lockyard(slots: number, count: number): Promise<void> {
  const agents = defineAgents({ waiter: functionAgent(work) });
  await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: slots, agents });
  const call = { agentId: "waiter", taskType: "wait", description: "10 ms" } as const;
  const results = await layer.executeMultipleTaskCalls(Array.from({ length: count }, () => createTaskCall(call)));
  if (!results.every(({ success }) => success)) throw new Error("a task failed");
}

type Run = (slots: number, count: number) => Promise<unknown>;

/** Everything is inside: making the queue or the layer, too. What is warm is the code. */
async function both(run: Run): Promise<Readonly<Record<string, number>>> {
  await run(500, TASKS);
  return { "at 10": await wallMs(() => run(10, TASKS)), "at 100": await wallMs(() => run(100, TASKS)) };
}

export const bench: Bench = {
  name: "io",
  title: `${TASKS.toLocaleString("en")} tasks that wait ${TASK_MS} ms`,
  unit: "ms",
  measure: "wall",
  rounds: 5,
  cases: [
    { name: "by hand", peer: true, run: () => both(byHand) },
    { name: "p-limit", run: () => both(limited) },
    { name: "p-queue", run: () => both(queued) },
    { name: "lockyard", run: () => both(lockyard) },
  ],
  limits: [
    { figure: "P5 I/O at 10", value: "at 10", ratioOf: "lockyard", to: "by hand", atMost: 1.05 },
    { figure: "P5 I/O at 100", value: "at 100", ratioOf: "lockyard", to: "by hand", atMost: 1.05 },
  ],
};
