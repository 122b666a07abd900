/**
 * P3: two exclusive locks of 1,024 names for each of 100,000 tasks that are all handed over at once, so that nearly all of
 * them wait. Ours are names four levels deep, each covering what lies below it; the peers' are flat.
 *
 * "lockyard" has as many slots as can ever be used at once (512 pairs), so that only locks decide, as with the peers.
 * "lockyard, 10 slots" is the default of the library. Every task checks that it is alone with both of its names. Inside the
 * measured part: from handing over to the last result; making the calls is outside, as is making the peers' mutexes.
 * async-mutex takes the lower name first, because it knows no sets; async-lock takes both by itself.
 */
import AsyncLock from "async-lock";
import { Mutex } from "async-mutex";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "../src/index.ts";
import { type Bench, cpuMs } from "./harness.ts";
import { deepNames, NAMES, pairs } from "./random-names.ts";

const TASKS = 100_000;
const WARM_UP = 4_000;
const AT_ONCE = 10_000;

type Pair = readonly [number, number];

/** The work: one turn of the microtask queue, alone with two names. Counts every time somebody else was there. */
class Witness {
  readonly #busy = new Uint8Array(NAMES);
  intrusions = 0;

  async visit([one, other]: Pair): Promise<number> {
    if (this.#busy[one] === 1 || this.#busy[other] === 1) this.intrusions++;
    this.#busy[one] = this.#busy[other] = 1;
    await Promise.resolve();
    this.#busy[one] = this.#busy[other] = 0;
    return 1;
  }
}

type Figures = Readonly<Record<string, number>>;

async function measured(run: (all: readonly Pair[], witness: Witness) => Promise<number>): Promise<Figures> {
  await run(pairs(WARM_UP, 1), new Witness());
  const witness = new Witness();
  const cpu = await run(pairs(TASKS), witness);
  return { cpuUs: (cpu * 1_000) / TASKS, intrusions: witness.intrusions };
}

function lockyard(all: readonly Pair[], witness: Witness, slots: number): Promise<number> {
  const names = deepNames();
  const byTaskId = new Map<string, Pair>();
  const agents = defineAgents({ visitor: functionAgent((task) => witness.visit(byTaskId.get(task.taskId) ?? [0, 0])) });
  const calls = all.map((pair, at) => {
    byTaskId.set(`visit-${at}`, pair);
    const claims = [{ lock: names[pair[0]] ?? "" }, { lock: names[pair[1]] ?? "" }];
    return createTaskCall({
      agentId: "visitor",
      taskType: "visit",
      description: "two names",
      taskId: `visit-${at}`,
      claims,
    });
  });
  const layer = new MCPIntegrationLayer({ workflowId: "bench", maxConcurrentTasks: slots, agents });
  return cpuMs(async () => {
    const batches: Promise<unknown>[] = [];
    for (let at = 0; at < calls.length; at += AT_ONCE)
      batches.push(layer.executeMultipleTaskCalls(calls.slice(at, at + AT_ONCE)));
    await Promise.all(batches);
  }).finally(() => layer.close());
}

function asyncLock(all: readonly Pair[], witness: Witness): Promise<number> {
  const names = deepNames();
  const lock = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY, maxExecutionTime: 0 });
  return cpuMs(() =>
    Promise.all(
      all.map((pair) => lock.acquire([names[pair[0]] ?? "", names[pair[1]] ?? ""], () => witness.visit(pair))),
    ),
  );
}

function asyncMutex(all: readonly Pair[], witness: Witness): Promise<number> {
  const mutexes = Array.from({ length: NAMES }, () => new Mutex());
  const visit = async (pair: Pair): Promise<number> => {
    const [one, other] = [mutexes[pair[0]] as Mutex, mutexes[pair[1]] as Mutex];
    return one.runExclusive(() => other.runExclusive(() => witness.visit(pair)));
  };
  return cpuMs(() => Promise.all(all.map(visit)));
}

export const bench: Bench = {
  name: "locks",
  title: `two of ${NAMES.toLocaleString("en")} locks for each of ${TASKS.toLocaleString("en")} waiting tasks`,
  unit: "per task",
  measure: "cpu",
  rounds: 5,
  cases: [
    { name: "async-lock", peer: true, run: () => measured(asyncLock) },
    { name: "async-mutex, sorted", run: () => measured(asyncMutex) },
    { name: "lockyard", run: () => measured((all, witness) => lockyard(all, witness, NAMES / 2)) },
    { name: "lockyard, 10 slots", run: () => measured((all, witness) => lockyard(all, witness, 10)) },
  ],
  limits: [
    { figure: "P3 against async-lock", value: "cpuUs", ratioOf: "lockyard", to: "async-lock", atMost: 1 },
    { figure: "P3 against async-mutex", value: "cpuUs", ratioOf: "lockyard", to: "async-mutex, sorted", atMost: 0.5 },
    { figure: "never two holders", value: "intrusions", valueOf: "lockyard", atMost: 0 },
  ],
};
