/**
 * P5, third part: the way to a thread and back, for a task that does nothing, in wall time a task. One thread, one task at a
 * time in it, 1 or 100 calls in flight; warm. What is measured here is the agent itself: its `run` is called as the engine
 * calls it, with a context that does nothing, so that the price of the engine (P1) is not counted twice. "through the
 * layer" counts it.
 */
import { Worker } from "node:worker_threads";
import { Piscina } from "piscina";
import { systemClock } from "../src/clock/system-clock.ts";
import {
  type AgentContext,
  type AgentTask,
  type Clock,
  createTaskCall,
  defineAgents,
  MCPIntegrationLayer,
  threadAgent,
} from "../src/index.ts";
import { type Bench, wallMs } from "./harness.ts";

const TASKS = 20_000;
const WARM_UP = 4_000;

const module = new URL("./workers/no-op-worker.ts", import.meta.url);

type Figures = Readonly<Record<string, number>>;

/** Keeps `inFlight` calls on their way until `count` have come back. */
async function flood(count: number, inFlight: number, call: (id: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await call(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

async function measured(call: (id: number) => Promise<unknown>): Promise<Figures> {
  await flood(WARM_UP, 100, call);
  const one = await wallMs(() => flood(TASKS / 4, 1, call));
  const many = await wallMs(() => flood(TASKS, 100, call));
  return { "1 in flight": (one * 1_000) / (TASKS / 4), "100 in flight": (many * 1_000) / TASKS };
}

function bareWorker(): Promise<Figures> {
  const worker = new Worker(module, { workerData: { isBare: true } });
  const waiting = new Map<number, () => void>();
  worker.on("message", (id: number) => {
    waiting.get(id)?.();
    waiting.delete(id);
  });
  return measured(
    (id) =>
      new Promise<void>((resolve) => {
        waiting.set(id, resolve);
        worker.postMessage(id);
      }),
  );
}

function piscina(): Promise<Figures> {
  const filename = new URL("./workers/piscina-no-op.mjs", import.meta.url).href;
  const pool = new Piscina<number, number>({ filename, minThreads: 1, maxThreads: 1 });
  return measured((id) => pool.run(id));
}

/** What the engine gives an agent, for agents that use none of it: a class, as the engine's own is, with a signal of its own. */
class IdleContext implements AgentContext {
  readonly signal = new AbortController().signal;
  readonly taskId = "bench";
  readonly instanceId = "bench";
  readonly workflowId = "bench";
  readonly attempt = 1;
  readonly fence = 1;
  readonly env = {};
  readonly dependencies = {};
  readonly clock: Clock;
  readonly log = SILENCE;

  constructor(clock: Clock) {
    this.clock = clock;
  }
  progress(): void {}
  heartbeat(): void {}
  emit(): void {}
  run(): never {
    throw new Error("the no-op asks for nothing");
  }
  readonly lock = this.run;
  readonly ask = this.run;
  readonly rate = this.run;
}

const SILENCE = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

async function agentAlone(): Promise<Figures> {
  const agent = threadAgent(module, { concurrency: 1 });
  const task: AgentTask = {
    taskId: "bench",
    workflowId: "bench",
    agentId: "no-op",
    taskType: "no-op",
    description: "",
    group: "general",
  };
  const clock = systemClock();
  // A context, and so a signal, for each call, as the engine makes them.
  const figures = await measured(async () =>
    agent.run(task as Parameters<typeof agent.run>[0], new IdleContext(clock)),
  );
  await agent.close();
  return figures;
}

async function throughTheLayer(): Promise<Figures> {
  const agents = defineAgents({ idler: threadAgent(module, { concurrency: 1, tasksPerThread: 100 }) });
  await using layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: 100, agents });
  const manager = layer.parallelTaskManager;
  return await measured(async () => {
    const result = await manager.submit(createTaskCall({ agentId: "idler", taskType: "no-op", description: "no-op" }))
      .result;
    if (!result.success) throw new Error(result.errorMessage);
  });
}

export const bench: Bench = {
  name: "threads",
  title: "a no-op in a thread, there and back",
  unit: "µs/task",
  measure: "wall",
  rounds: 5,
  cases: [
    { name: "piscina", peer: true, run: piscina },
    { name: "bare worker", run: bareWorker },
    { name: "lockyard", run: agentAlone },
    { name: "lockyard, through the layer", run: throughTheLayer },
  ],
  limits: [{ figure: "P5 thread round trip", value: "100 in flight", ratioOf: "lockyard", to: "piscina", atMost: 0.2 }],
};
