/**
 * P1: what it costs to hand over a task that does nothing and to get its result, beside p-queue.
 *
 * Inside the measured part: everything from handing over to the last result (records, claims resolved to nodes, turns of
 * the kernel, grants, instances, results, metrics). Outside, on both sides: making what is handed over, which is a task call
 * by `createTaskCall` here and a closure with its AbortController there. One warm-up of the same kind runs before.
 *
 * "full": priority, timeoutMs, an abort signal, metrics, two exclusive locks of 1,024 names. "bare": none of these (the
 * metrics are always on). Calls are handed over 10,000 at a time, all at once. "handles" hands over one task at a time and
 * awaits one promise a task, as p-queue's users do.
 */
import PQueue from "p-queue";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer, type TaskCall } from "../src/index.ts";
import { type Bench, cpuMs } from "./harness.ts";
import { deepNames, pairs } from "./random-names.ts";

const TASKS = 100_000;
const WARM_UP = 20_000;
const AT_ONCE = 10_000;
const SLOTS = 10;

const agents = defineAgents({ worker: functionAgent(async () => 1) });

function calls(count: number, isFull: boolean): TaskCall<"worker">[] {
  const names = deepNames().map((name) => name.slice(name.lastIndexOf("/") + 1));
  return pairs(count).map(([one, other], at) => {
    const call = { agentId: "worker", taskType: "no-op", description: "does nothing" } as const;
    if (!isFull) return createTaskCall(call);
    const claims = [{ lock: names[one] ?? "" }, { lock: names[other] ?? "" }];
    return createTaskCall({ ...call, priority: (at * 7_919) % 5, timeoutMs: 60_000, claims });
  });
}

/** CPU microseconds a task. */
async function lockyard(isFull: boolean): Promise<number> {
  const run = async (count: number): Promise<number> => {
    const all = calls(count, isFull);
    await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: SLOTS, agents });
    const { signal } = new AbortController();
    const cpu = await cpuMs(async () => {
      const batches: Promise<readonly { readonly success: boolean }[]>[] = [];
      for (let at = 0; at < count; at += AT_ONCE) {
        batches.push(layer.executeMultipleTaskCalls(all.slice(at, at + AT_ONCE), isFull ? { signal } : {}));
      }
      const results = (await Promise.all(batches)).flat();
      if (results.length !== count || !results.every(({ success }) => success)) throw new Error("a task was lost");
    });
    return (cpu * 1_000) / count;
  };
  await run(WARM_UP);
  return run(TASKS);
}

async function lockyardHandles(): Promise<number> {
  const run = async (count: number): Promise<number> => {
    const all = calls(count, false);
    await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: SLOTS, agents });
    const manager = layer.parallelTaskManager;
    return ((await cpuMs(() => Promise.all(all.map((call) => manager.submit(call).result)))) * 1_000) / count;
  };
  await run(WARM_UP);
  return run(TASKS);
}

async function pQueue(hasOptions: boolean): Promise<number> {
  const run = async (count: number): Promise<number> => {
    const queue = new PQueue({ concurrency: SLOTS });
    const all = Array.from({ length: count }, (_, at) => ({
      task: async () => 1,
      // A signal of its own for each: one for all costs p-queue far more, because a signal lists its listeners.
      options: hasOptions ? { priority: (at * 7_919) % 5, timeout: 60_000, signal: new AbortController().signal } : {},
    }));
    return ((await cpuMs(() => Promise.all(all.map(({ task, options }) => queue.add(task, options))))) * 1_000) / count;
  };
  await run(WARM_UP);
  return run(TASKS);
}

export const bench: Bench = {
  name: "dispatch",
  title: `${TASKS.toLocaleString("en")} tasks that do nothing, ${SLOTS} at a time`,
  unit: "CPU µs/task",
  measure: "cpu",
  rounds: 7,
  cases: [
    { name: "p-queue", peer: true, run: () => pQueue(false) },
    { name: "p-queue, same options", run: () => pQueue(true) },
    { name: "lockyard bare", run: () => lockyard(false) },
    { name: "lockyard bare, handles", run: () => lockyardHandles() },
    { name: "lockyard full", run: () => lockyard(true) },
  ],
  limits: [
    { figure: "P1 full against plain p-queue", ratioOf: "lockyard full", to: "p-queue", atMost: 1.25 },
    { figure: "P1 full against the same options", ratioOf: "lockyard full", to: "p-queue, same options", atMost: 0.2 },
    { figure: "P1 bare", ratioOf: "lockyard bare", to: "p-queue", atMost: 0.8 },
  ],
};
