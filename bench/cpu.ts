/**
 * P5, second part: work that only computes. 100 tasks of some 20 ms (sha256 of sha256 …) on as many threads as there are
 * cores. Wall time of the whole batch with warm threads; "in this thread" is the same work without any. Efficiency is what
 * bare workers take over what we take.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { createTaskCall, defineAgents, MCPIntegrationLayer, threadAgent } from "../src/index.ts";
import { type Bench, wallMs } from "./harness.ts";
import { sha } from "./workers/sha-worker.ts";

const TASKS = 100;
const ROUNDS = 12_000;
const THREADS = availableParallelism();

const module = new URL("./workers/sha-worker.ts", import.meta.url);

async function bareWorkers(): Promise<number> {
  const workers = Array.from({ length: THREADS }, () => new Worker(module, { workerData: { isBare: true } }));
  const once = (worker: Worker, rounds: number): Promise<void> =>
    new Promise((resolve, reject) => {
      worker.once("message", () => resolve());
      worker.once("error", reject);
      worker.postMessage(rounds);
    });
  const runAll = async (count: number): Promise<void> => {
    let left = count;
    await Promise.all(
      workers.map(async (worker) => {
        while (left-- > 0) await once(worker, ROUNDS);
      }),
    );
  };
  await runAll(THREADS * 2);
  return wallMs(() => runAll(TASKS));
}

async function piscina(): Promise<number> {
  const pool = new Piscina<number, number>({
    filename: new URL("./workers/piscina-sha.mjs", import.meta.url).href,
    minThreads: THREADS,
    maxThreads: THREADS,
  });
  const runAll = (count: number): Promise<unknown> =>
    Promise.all(Array.from({ length: count }, () => pool.run(ROUNDS)));
  await runAll(THREADS * 2);
  return wallMs(() => runAll(TASKS));
}

async function lockyard(): Promise<number> {
  const agents = defineAgents({ hasher: threadAgent(module, { concurrency: THREADS }) });
  await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: THREADS * 2, agents });
  const runAll = async (count: number): Promise<void> => {
    const call = {
      agentId: "hasher",
      taskType: "hash",
      description: "20 ms",
      contextData: { rounds: ROUNDS },
    } as const;
    const results = await layer.executeMultipleTaskCalls(Array.from({ length: count }, () => createTaskCall(call)));
    const failed = results.find(({ success }) => !success);
    if (failed !== undefined) throw new Error(failed.errorMessage ?? "a task failed");
  };
  await runAll(THREADS * 2);
  return await wallMs(() => runAll(TASKS));
}

export const bench: Bench = {
  name: "cpu",
  title: `${TASKS} tasks of ${ROUNDS.toLocaleString("en")} sha256 on ${THREADS} threads`,
  unit: "ms",
  measure: "wall",
  rounds: 5,
  cases: [
    { name: "bare worker threads", peer: true, run: bareWorkers },
    { name: "piscina", run: piscina },
    { name: "lockyard", run: lockyard },
    {
      name: "in this thread",
      run: () =>
        wallMs(() => {
          for (let task = 0; task < TASKS; task++) sha(ROUNDS);
        }),
    },
  ],
  limits: [
    { figure: "P5 CPU", ratioOf: "lockyard", to: "bare worker threads", atMost: 1.05 },
    { figure: "P5 efficiency (bare over ours)", ratioOf: "bare worker threads", to: "lockyard", atLeast: 0.95 },
  ],
};
