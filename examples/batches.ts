// Batches one after another, each parallel inside: for work whose results you want to look at before you go on.
// Without such a reason hand everything over at once: a batch waits for its slowest task.
import { setTimeout as sleep } from "node:timers/promises";
import { batchTaskCalls, executeTaskBatches, functionAgent, MCPIntegrationLayer } from "lockyard";

const layer = new MCPIntegrationLayer({
  agents: {
    summarizer: functionAgent(async (task) => {
      await sleep(5);
      return `summary of ${task.description}`;
    }),
  },
});
const calls = Array.from({ length: 10 }, (_, index) => ({
  agentId: "summarizer" as const,
  taskType: "summarize",
  description: `page ${index + 1}`,
}));

const results = await executeTaskBatches(layer, batchTaskCalls(calls, 4), {
  onBatch: (batch, index) => console.log(`batch ${index + 1}: ${batch.length} results`),
});
console.log(`${results.length} results in order, the last: ${results.at(-1)?.output}`);
await layer.close();

// Prints:
//   batch 1: 4 results
//   batch 2: 4 results
//   batch 3: 2 results
//   10 results in order, the last: summary of page 10
