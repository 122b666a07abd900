/**
 * One process that runs no-op tasks through the library on a shared file, until time is up. Started by sqlite.ts with
 * `file startAtMs endAtMs concurrency`; times are wall times, so that several start together. Prints one line of JSON.
 */
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
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";

const NAMES = 2_000;
const BATCH = 250;

export interface ProcessFigures {
  readonly tasks: number;
  readonly seconds: number;
  /** Milliseconds from asking for a turn to its answer: the wait for the file and the transaction itself. */
  readonly turnsMs: readonly number[];
}

/** The store, with the time of every turn noted. */
function timed(file: string, turnsMs: number[]): StoreDescriptor {
  return {
    open: async ({ clock }) => {
      const store = await openSqliteStore({ clock, file });
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

async function main([file = "", startAt = "0", endAt = "0", concurrency = "25"]: readonly string[]): Promise<void> {
  const turnsMs: number[] = [];
  const random = seededRandom(process.pid);
  const agents = defineAgents({ worker: functionAgent(async () => 1) });
  await using layer = new MCPIntegrationLayer({
    workflowId: `bench-${process.pid}`,
    maxConcurrentTasks: Number(concurrency),
    agents,
    store: timed(file, turnsMs),
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
  // Opening, migrating and warming up lie before the common start.
  await batch(BATCH);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, Number(startAt) - Date.now())));
  turnsMs.length = 0;
  const startMs = performance.now();
  let tasks = 0;
  while (Date.now() < Number(endAt)) {
    await batch(BATCH);
    tasks += BATCH;
  }
  const figures: ProcessFigures = { tasks, seconds: (performance.now() - startMs) / 1_000, turnsMs };
  process.stdout.write(JSON.stringify(figures));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv.slice(2));
