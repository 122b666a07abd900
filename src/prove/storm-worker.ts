/**
 * One process of the storm: a manager on the shared store that hands itself random tasks until its stdin ends, and writes
 * down what it was promised: `s` a submission was acknowledged, `r` a result was. Started by storm.ts with its settings as
 * JSON; it is killed and stopped at any moment.
 */
import fs from "node:fs";
import { seededRandom } from "../clock/virtual-clock.ts";
import { commandAgent, composeParts, sqliteStore, TaskManager } from "../edges/run.ts";
import { livenessOf } from "../edges/store.ts";
import type { AgentResult, JsonObject, StoreDescriptor } from "../index.ts";
import { claimOf, randomClaims, STORM_CAPACITY, writtenClaims } from "./storm-claims.ts";

export interface StormWorkerSettings {
  readonly workflowId: string;
  readonly seed: number;
  readonly store: string;
  readonly book: string;
  readonly holder: string;
  readonly acknowledged: string;
  /** Whether what a dead process left running is ended before its locks go to the next. Off only in the control. */
  readonly sweeps: boolean;
}

const IN_FLIGHT = 7;
const SLOTS = 5;
/** Never reached, unless time is not what it should be. */
const FAR_MS = 600_000;

/** Only what is needed to see that a promise was kept. */
function promise(fd: number, ...words: readonly (string | number)[]): void {
  fs.writeSync(fd, `${words.join(" ")}\n`);
}

/** The store, with every acknowledged submission written down. */
function witnessed(file: string, onSubmitted: (taskId: string) => void): StoreDescriptor {
  const descriptor = sqliteStore({ file });
  return {
    open: async (context) => {
      const store = await descriptor.open(context);
      const turn = store.turn.bind(store);
      return Object.assign(store, {
        turn: async (commands: Parameters<typeof turn>[0]) => {
          const effects = await turn(commands);
          for (const effect of effects) if (effect.type === "submitted") onSubmitted(effect.row.taskId);
          return effects;
        },
      });
    },
  };
}

class StormManager extends TaskManager {
  constructor(settings: StormWorkerSettings, fd: number) {
    const { workflowId, store, sweeps } = settings;
    const parts = composeParts({
      workflowId,
      maxConcurrentTasks: SLOTS,
      agents: { holder: holderAgent(settings) },
      store: witnessed(store, (taskId) => promise(fd, "s", workflowId, taskId)),
      resources: { [STORM_CAPACITY.name]: { capacity: STORM_CAPACITY.capacity } },
      graceMs: 500,
    });
    super(
      sweeps
        ? parts
        : {
            ...parts,
            findDeadOwners: async (owners) =>
              owners
                .filter((owner) => livenessOf(owner) === "gone")
                .map(({ ownerId }) => ({ ownerId, isProven: true })),
          },
    );
  }
}

function holderAgent({ workflowId, book, holder }: StormWorkerSettings) {
  return commandAgent({
    stdin: "none",
    graceMs: 200,
    commandFor: ({ taskId, contextData }) => {
      const { claims, pauses, seconds, mode } = contextData as JsonObject; // made below
      return { argv: ["sh", holder, book, `${workflowId}/${taskId}`, ...[claims, pauses, seconds, mode].map(String)] };
    },
  });
}

async function main(settings: StormWorkerSettings): Promise<void> {
  const { workflowId } = settings;
  const random = seededRandom(settings.seed);
  const fd = fs.openSync(settings.acknowledged, "a");
  const manager = new StormManager(settings, fd);
  let isOver = false;
  process.stdin.on("end", () => {
    isOver = true;
  });
  process.stdin.resume();
  let number = 0;
  const runOne = (): Promise<AgentResult> => {
    const claims = randomClaims(random);
    const contextData = {
      claims: writtenClaims(claims),
      pauses: 1 + Math.floor(random() * 4),
      seconds: "0.04",
      mode: random() < 0.3 ? "detached" : "plain",
    };
    return manager.submit({
      agentId: "holder",
      taskType: "storm",
      description: "holds what it claims for a moment",
      taskId: `t${number++}`,
      contextData,
      claims: claims.map(claimOf),
      retry: { attempts: 2, baseMs: 20 },
      queueTimeoutMs: FAR_MS,
      timeoutMs: FAR_MS,
    }).result;
  };
  const line = async (): Promise<void> => {
    while (!isOver) {
      const { taskId, status, output, error } = await runOne();
      const fence = (output as { readonly fence?: number } | null)?.fence ?? 0; // what the holder printed
      promise(fd, "r", workflowId, taskId, status, fence, error?.code ?? "-");
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, line));
  await manager.close();
  fs.closeSync(fd);
  process.exit(0);
}

await main(JSON.parse(process.argv[2] ?? "{}"));
