/**
 * P4: one hot lock beside tasks that want no lock at all, in virtual time, so that it repeats exactly. 300 tasks want the hot
 * lock, 300 want nothing, in turns; each takes 5 ms; there are 10 slots.
 *
 * The hot chain alone takes 300 × 5 ms = 1,500 ms, whatever anybody does: that is the ideal makespan. It occupies one slot,
 * so the lock-free tasks have nine: ceil(300 / 9) × 5 ms = 170 ms is the ideal for the last of them. A limiter with a mutex
 * inside gets neither: tasks that wait for the lock sit in the slots.
 */
import AsyncLock from "async-lock";
import { Mutex } from "async-mutex";
import pLimit from "p-limit";
import PQueue from "p-queue";
import { type VirtualClock, virtualClock } from "../src/clock/virtual-clock.ts";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "../src/index.ts";
import type { Bench } from "./harness.ts";

const HOT = 300;
const FREE = 300;
const TASK_MS = 5;
const SLOTS = 10;

const HOT_CHAIN_MS = HOT * TASK_MS;
const IDEAL_FREE_MS = Math.ceil(FREE / (SLOTS - 1)) * TASK_MS;

type Work = (isHot: boolean) => Promise<void>;

const sleep = (clock: VirtualClock): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimer(TASK_MS, resolve);
  });

/** Runs all tasks in virtual time; `start` hands them over and resolves when all have ended. */
async function measured(
  start: (work: Work, isHot: readonly boolean[], clock: VirtualClock) => Promise<unknown>,
): Promise<Readonly<Record<string, number>>> {
  const clock = virtualClock();
  const startMs = clock.nowMs();
  let freeDoneMs = 0;
  let makespanMs = 0;
  let hotInside = 0;
  const work: Work = async (isHot) => {
    if (isHot && ++hotInside > 1) throw new Error("two holders of the hot lock");
    await sleep(clock);
    if (isHot) hotInside--;
    else freeDoneMs = clock.nowMs() - startMs;
    makespanMs = clock.nowMs() - startMs;
  };
  const isHot = Array.from({ length: HOT + FREE }, (_, at) => at % 2 === 0);
  await clock.run(start(work, isHot, clock));
  return { freeDone: freeDoneMs / IDEAL_FREE_MS, makespan: makespanMs / HOT_CHAIN_MS };
}

async function lockyard(work: Work, isHot: readonly boolean[], clock: VirtualClock): Promise<void> {
  const agents = defineAgents({ worker: functionAgent((task) => work(task.taskType === "hot").then(() => null)) });
  await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: SLOTS, agents, clock });
  const call = { agentId: "worker", description: "5 ms" } as const;
  const results = await layer.executeMultipleTaskCalls(
    isHot.map((hot) =>
      createTaskCall(hot ? { ...call, taskType: "hot", claims: [{ lock: "hot" }] } : { ...call, taskType: "free" }),
    ),
  );
  const failed = results.find(({ success }) => !success);
  if (failed !== undefined) throw new Error(failed.errorMessage ?? "a task failed");
}

async function limiterThenMutex(work: Work, isHot: readonly boolean[]): Promise<void> {
  const limit = pLimit(SLOTS);
  const mutex = new Mutex();
  await Promise.all(isHot.map((hot) => limit(() => (hot ? mutex.runExclusive(() => work(true)) : work(false)))));
}

async function queueThenLock(work: Work, isHot: readonly boolean[]): Promise<void> {
  const queue = new PQueue({ concurrency: SLOTS });
  const lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY });
  await Promise.all(isHot.map((hot) => queue.add(() => (hot ? lock.acquire("hot", () => work(true)) : work(false)))));
}

/** The best one can do with these parts: lock first, then the slot. Whoever gets the lock then queues behind everybody. */
async function mutexThenLimiter(work: Work, isHot: readonly boolean[]): Promise<void> {
  const limit = pLimit(SLOTS);
  const mutex = new Mutex();
  await Promise.all(
    isHot.map((hot) => (hot ? mutex.runExclusive(() => limit(() => work(true))) : limit(() => work(false)))),
  );
}

export const bench: Bench = {
  name: "hot-lock",
  title: `${HOT} tasks of one hot lock beside ${FREE} of none, ${TASK_MS} ms each, ${SLOTS} slots`,
  unit: "× ideal",
  measure: "count",
  rounds: 1,
  cases: [
    { name: "p-limit, then async-mutex", peer: true, run: () => measured(limiterThenMutex) },
    { name: "p-queue, then async-lock", run: () => measured(queueThenLock) },
    { name: "async-mutex, then p-limit", run: () => measured(mutexThenLimiter) },
    { name: "lockyard", run: () => measured(lockyard) },
  ],
  limits: [
    { figure: "P4 lock-free tasks done", value: "freeDone", valueOf: "lockyard", atMost: 1.15 },
    { figure: "P4 makespan", value: "makespan", valueOf: "lockyard", atMost: 1.05 },
  ],
};
