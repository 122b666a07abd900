/**
 * P6, first part: what a waiting task weighs. 200,000 tasks stand in line behind ten that never end; heap in use after
 * collection, over the heap before the first was handed over.
 *
 * What is counted is what stands in line: for p-queue its entries, closures of the caller and the promises it gave out; for
 * Lockyard records, rows, the checked calls it keeps and the one promise a list has. The texts of a call (agent id, type,
 * description, names of its locks) exist once and are shared, as they are in a program that makes many alike; task ids are
 * each its own. "with 2 locks": of 1,024 names. After the end nothing but the history of 1,000 may be left.
 */
import PQueue from "p-queue";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer, type TaskCall } from "../src/index.ts";
import { type Bench, heapBytes } from "./harness.ts";
import { deepNames, pairs } from "./random-names.ts";

const TASKS = 200_000;
const AT_ONCE = 10_000;
const SLOTS = 10;

type Figures = Readonly<Record<string, number>>;

const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Line {
  /** Hands everything over; resolves when all stand in line. */
  fill(): Promise<void>;
  /** Lets all of them through; resolves when they have ended. */
  end(): Promise<unknown>;
  /** What the user keeps: alive until the end. */
  readonly kept: unknown;
}

async function measured(line: Line): Promise<Figures> {
  const before = heapBytes();
  await line.fill();
  const waiting = heapBytes();
  await line.end();
  await turnOfTheLoop();
  const after = heapBytes();
  if (line.kept === undefined) throw new Error("nothing was kept");
  return { waiting: (waiting - before) / TASKS, "after the end": (after - before) / TASKS };
}

function gate(): { readonly opened: Promise<number>; readonly open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<number>((resolve) => {
    open = () => resolve(1);
  });
  return { opened, open };
}

function pQueue(hasOptions: boolean): Promise<Figures> {
  const queue = new PQueue({ concurrency: SLOTS });
  const { opened, open } = gate();
  return measured({
    kept: queue,
    fill: async () => {
      for (let at = 0; at < TASKS; at++) {
        const options = hasOptions ? { signal: new AbortController().signal, timeout: 60_000 } : undefined;
        // The user drops the promise, as a user of results by callback does.
        void queue.add(() => opened, options);
      }
      await turnOfTheLoop();
    },
    end: () => {
      open();
      return queue.onIdle();
    },
  });
}

function lockyard(hasLocks: boolean): Promise<Figures> {
  const { opened, open } = gate();
  const agents = defineAgents({ waiter: functionAgent(() => opened) });
  const layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: SLOTS, agents });
  const names = deepNames();
  const wanted = pairs(TASKS);
  const results: Promise<unknown>[] = [];
  const callOf = (at: number): TaskCall<"waiter"> => {
    const call = { agentId: "waiter", taskType: "wait", description: "stands in line" } as const;
    const [one, other] = wanted[at] ?? [0, 1];
    return createTaskCall(
      hasLocks ? { ...call, claims: [{ lock: names[one] ?? "" }, { lock: names[other] ?? "" }] } : call,
    );
  };
  return measured({
    kept: layer,
    fill: async () => {
      for (let at = 0; at < TASKS; at += AT_ONCE) {
        const calls = Array.from({ length: AT_ONCE }, (_, index) => callOf(at + index));
        results.push(layer.executeMultipleTaskCalls(calls).then(({ length }) => length));
      }
      // All are in line when the store has taken the last of them.
      while (layer.getParallelExecutionStatus().waitingCount < TASKS - SLOTS) await turnOfTheLoop();
      await turnOfTheLoop();
    },
    end: async () => {
      open();
      await Promise.all(results);
    },
  });
}

export const bench: Bench = {
  name: "heap",
  title: `${TASKS.toLocaleString("en")} tasks in line`,
  unit: "heap bytes/task",
  measure: "count",
  rounds: 3,
  cases: [
    { name: "p-queue", peer: true, run: () => pQueue(false) },
    { name: "p-queue, signal and timeout", run: () => pQueue(true) },
    { name: "lockyard", run: () => lockyard(false) },
    { name: "lockyard, 2 locks", run: () => lockyard(true) },
  ],
  limits: [
    { figure: "P6 heap with 2 locks", value: "waiting", ratioOf: "lockyard, 2 locks", to: "p-queue", atMost: 0.8 },
  ],
};
