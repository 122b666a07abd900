/**
 * One process that runs no-op tasks through the library on a shared file. Started by sqlite-processes.ts with
 * `file concurrency tier`; says "ready" when it is open and warm, then runs for as many seconds as it is told and answers with
 * its figures.
 */
import { once } from "node:events";
import { pathToFileURL } from "node:url";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import {
  createTaskCall,
  defineAgents,
  functionAgent,
  MCPIntegrationLayer,
  type Store,
  type StoreDescriptor,
} from "../../src/index.ts";
import { openSqliteStore, type Tier } from "../../src/stores/sqlite/index.ts";

const NAMES = 2_000;
const BATCH = 250;
const WARM_UP_BATCHES = 8;

export interface ProcessFigures {
  readonly tasks: number;
  readonly seconds: number;
  /** Milliseconds of CPU, all threads. */
  readonly cpuMs: number;
  /** Milliseconds from asking for a turn to its answer: the wait for the file and the transaction itself. */
  readonly turnsMs: readonly number[];
}

/** The store, with the time of every turn noted. */
function timed(file: string, tier: Tier, turnsMs: number[]): StoreDescriptor {
  return {
    open: async ({ clock }) => {
      const store = await openSqliteStore({ clock, file, tier, keptBytes: Number.MAX_SAFE_INTEGER });
      return new Proxy<Store>(store, {
        get(target, name) {
          const member = Reflect.get(target, name, target) as unknown;
          if (typeof member !== "function") return member;
          if (name !== "turn") return member.bind(target) as unknown;
          return async (...args: Parameters<Store["turn"]>) => {
            const startMs = performance.now();
            try {
              return await target.turn(...args);
            } finally {
              turnsMs.push(performance.now() - startMs);
            }
          };
        },
      });
    },
  };
}

async function main([file = "", concurrency = "25", tier = "process"]: readonly string[]): Promise<void> {
  const turnsMs: number[] = [];
  const random = seededRandom(process.pid);
  const agents = defineAgents({ worker: functionAgent(async () => 1) });
  await using layer = new MCPIntegrationLayer({
    workflowId: `bench-${process.pid}`,
    maxConcurrentTasks: Number(concurrency),
    agents,
    store: timed(file, tier === "power" ? "power" : "process", turnsMs),
  });
  const name = (): string => `lock${Math.floor(random() * NAMES)}`;
  const batch = async (count: number): Promise<void> => {
    const calls = Array.from({ length: count }, () =>
      createTaskCall({
        agentId: "worker",
        taskType: "no-op",
        description: "does nothing",
        claims: [{ lock: name() }, { lock: name() }],
      }),
    );
    const results = await layer.executeMultipleTaskCalls(calls);
    const failed = results.find(({ success }) => !success);
    if (failed !== undefined) throw new Error(failed.errorMessage ?? "a task failed");
  };
  // Opening, migrating and warming up lie before the common start: code that was not run often is several times slower.
  for (let warmUp = 0; warmUp < WARM_UP_BATCHES; warmUp++) await batch(BATCH);
  process.send?.("ready");
  const [seconds] = (await once(process, "message")) as [number]; // what sqlite-processes.ts sends
  turnsMs.length = 0;
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  let tasks = 0;
  while (performance.now() - startMs < seconds * 1_000) {
    await batch(BATCH);
    tasks += BATCH;
  }
  const { user, system } = process.cpuUsage(startCpu);
  const figures: ProcessFigures = {
    tasks,
    seconds: (performance.now() - startMs) / 1_000,
    cpuMs: (user + system) / 1_000,
    turnsMs,
  };
  process.send?.(figures);
  // Not before the others are done: who leaves early lets the rest have the file to itself.
  await once(process, "message");
  process.disconnect();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
