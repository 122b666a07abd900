// Results as they finish, and what happens meanwhile. Leaving the loop cancels what is left.
import { setTimeout as sleep } from "node:timers/promises";
import { functionAgent, MCPIntegrationLayer } from "lockyard";

const layer = new MCPIntegrationLayer({
  workflowId: "stream",
  agents: {
    writer: functionAgent(async (task, ctx) => {
      for (const word of ["well", "done"]) ctx.emit(word);
      await sleep(Number(task.contextData?.ms), undefined, { signal: ctx.signal });
      return task.description;
    }),
  },
});

const stop = new AbortController();
const chunks: string[] = [];
const listening = (async () => {
  for await (const event of layer.events({ signal: stop.signal })) {
    if (event.type === "task-output") chunks.push(`${event.taskId} ${event.chunk}`);
  }
})();

const calls = [60, 20, 40, 60_000].map((ms) => ({
  agentId: "writer" as const,
  taskType: "write",
  description: `the one of ${ms} ms`,
  taskId: `t${ms}`,
  contextData: { ms },
}));
let seen = 0;
// Nothing starts before the first result is asked for.
for await (const result of layer.results(calls)) {
  console.log(result.success ? result.output : result.errorMessage);
  if (++seen === 3) break; // the last one would take a minute
}
await layer.waitForAllTasksCompletion({ timeoutMs: 10_000 });
console.log(`cancelled: ${layer.getTaskExecutionMetrics().cancelledTasks}`);
stop.abort();
await listening;
console.log(`${chunks.length} chunks, the first: ${chunks[0]}`);
await layer.close();

// Prints:
//   the one of 20 ms
//   the one of 40 ms
//   the one of 60 ms
//   cancelled: 1
//   8 chunks, the first: t60 well
