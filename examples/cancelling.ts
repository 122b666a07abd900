// An AbortSignal cancels what has not ended, a deadline times it out, and the count says how many really ended.
import { setTimeout as sleep } from "node:timers/promises";
import { functionAgent, MCPIntegrationLayer } from "lockyard";

const layer = new MCPIntegrationLayer({
  workflowId: "cancelling",
  maxConcurrentTasks: 2,
  agents: {
    // `ctx.signal` is an ordinary AbortSignal: hand it to fetch, to child processes, to a model's SDK.
    sleeper: functionAgent((_task, ctx) => sleep(60_000, null, { signal: ctx.signal })),
  },
});
const calls = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    agentId: `sleeper_${index}` as const,
    taskType: "sleep",
    description: "sleep a minute",
  }));
const statuses = (results: readonly { readonly status: string }[]) => results.map(({ status }) => status).join(", ");

const abort = new AbortController();
setTimeout(() => abort.abort(), 20);
console.log(`signal: ${statuses(await layer.executeMultipleTaskCalls(calls(3), { signal: abort.signal }))}`);

console.log(`deadline: ${statuses(await layer.executeMultipleTaskCalls(calls(2), { deadlineMs: 20 }))}`);

const running = layer.executeMultipleTaskCalls(calls(3));
setTimeout(
  async () => console.log(`ended as cancelled: ${await layer.cancelRunningTasks(["sleeper_0", "sleeper_2"])}`),
  20,
);
setTimeout(async () => console.log(`and then: ${await layer.cancelRunningTasks()}`), 60);
console.log(`count: ${statuses(await running)}`);
await layer.close();

// Prints:
//   signal: cancelled, cancelled, cancelled
//   deadline: timed_out, timed_out
//   ended as cancelled: 2
//   and then: 1
//   count: cancelled, cancelled, cancelled
