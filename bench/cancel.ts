/**
 * Sixty commands are cancelled, each with children that left its group and session; every third deaf to TERM. How long from
 * the cancel to the proof that all of it is dead, beyond the grace where that is needed? Wall time. "alive" counts processes
 * of cancelled commands when their cancel had resolved, over the whole run.
 */
import { commandAgent, MCPIntegrationLayer } from "../src/index.ts";
import { type Bench, percentile } from "./harness.ts";
import { alive } from "./sleepers.ts";

const CANCELS = 60;
const AT_ONCE = 4;
const GRACE_MS = 500;

function script(seconds: string, isDeaf: boolean): string {
  const children = `setsid sleep ${seconds} & nohup sleep ${seconds} >/dev/null 2>&1 & (setsid sh -c 'sleep ${seconds} &') &`;
  const seen = `until [ "$(ps -eo args= | grep -c '^sleep ${seconds}')" -ge 3 ]; do :; done; echo up; wait`;
  return isDeaf ? `trap '' TERM; ${children} ${seen}` : `${children} ${seen}`;
}

async function run(): Promise<Readonly<Record<string, number>>> {
  const agent = commandAgent({
    commandFor: ({ contextData }) => ({ shell: String(contextData?.script) }),
    argv: ["false"],
    stdin: "none",
    graceMs: GRACE_MS,
  });
  const layer = new MCPIntegrationLayer({
    workflowId: "cancel",
    agents: { agent },
    maxConcurrentTasks: AT_ONCE,
    graceMs: GRACE_MS,
  });
  const up = new Map<string, () => void>();
  const events = layer.events();
  void (async () => {
    for await (const event of events) if (event.type === "task-output") up.get(event.taskId)?.();
  })();
  const politeMs: number[] = [];
  const deafMs: number[] = [];
  let left = 0;
  const one = async (index: number): Promise<void> => {
    const taskId = `t${index}`;
    const isDeaf = index % 3 === 0;
    const seconds = `7${process.pid}${String(index).padStart(3, "0")}`;
    const isUp = new Promise<void>((resolve) => up.set(taskId, resolve));
    const result = layer.executeTaskCall({
      agentId: "agent",
      taskType: "x",
      description: "x",
      taskId,
      contextData: { script: script(seconds, isDeaf) },
    });
    await isUp;
    const askedAtMs = performance.now();
    const count = await layer.cancelTasks({ taskIds: [taskId] });
    (isDeaf ? deafMs : politeMs).push(performance.now() - askedAtMs);
    left += alive(seconds);
    if (count !== 1 || (await result).status !== "cancelled") throw new Error(`${taskId} was not cancelled`);
  };
  for (let index = 0; index < CANCELS; index += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, at) => one(index + at)));
  await layer.close();
  return {
    "polite p50 ms": percentile(politeMs, 50),
    "polite p99 ms": percentile(politeMs, 99),
    "deaf p50 ms": percentile(deafMs, 50),
    "deaf p99 ms": percentile(deafMs, 99),
    alive: left,
  };
}

export const bench: Bench = {
  name: "cancel",
  title: `${CANCELS} commands are cancelled, ${AT_ONCE} at once, grace ${GRACE_MS} ms`,
  unit: "figure",
  measure: "wall",
  rounds: 3,
  cases: [{ name: "lockyard", run }],
  limits: [
    { figure: "G5 dead within grace + 1 s", value: "deaf p99 ms", valueOf: "lockyard", atMost: GRACE_MS + 1_000 },
    { figure: "G5 dead within 1 s when polite", value: "polite p99 ms", valueOf: "lockyard", atMost: 1_000 },
    { figure: "L7 nobody lives", value: "alive", valueOf: "lockyard", atMost: 0 },
  ],
};
