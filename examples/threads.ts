// Work that needs the processor runs in threads: as fast as the machine has cores. The speed-up is measured, not promised.
import { availableParallelism } from "node:os";
import { MCPIntegrationLayer, threadAgent } from "lockyard";

const primes = threadAgent<{ from: number; to: number }, number>(new URL("./threads-worker.ts", import.meta.url));
const layer = new MCPIntegrationLayer({ agents: { primes } });
const call = (part: number) => ({
  agentId: "primes" as const,
  taskType: "count",
  description: `part ${part}`,
  contextData: { from: part * 250_000, to: (part + 1) * 250_000 },
});

await layer.executeMultipleTaskCalls([0, 1, 2, 3].map(call)); // starts the threads
const startedMs = performance.now();
const results = await layer.executeMultipleTaskCalls([0, 1, 2, 3, 4, 5, 6, 7].map(call));
const tookMs = performance.now() - startedMs;
const runMs = results.reduce((sum, { executionTimeMs }) => sum + executionTimeMs, 0);

console.log(`primes below 2,000,000: ${results.reduce((sum, { output }) => sum + (output ?? 0), 0)}`);
console.log(`cores: ${availableParallelism()}, speed-up: ${(runMs / tookMs).toFixed(1)}`);
await layer.close();

// Prints:
//   primes below 2,000,000: 148933
//   cores: …, speed-up: …
