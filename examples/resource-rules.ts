// What a task needs is inferred from agent type, task type and context. Three ways to say more: a claim at the call, a rule
// for the built-in resource manager, a manager of your own.
import { setTimeout as sleep } from "node:timers/promises";
import {
  type AgentTask,
  builtinResourceManager,
  functionAgent,
  MCPIntegrationLayer,
  ParallelTaskManager,
} from "lockyard";

class GpuManager extends ParallelTaskManager {
  protected override identifyRequiredResources(task: AgentTask) {
    const claims = super.identifyRequiredResources(task);
    if (task.contextData?.requires_gpu === true) claims.add("gpu"); // declared below: one unit of it
    return claims;
  }
}

let running = 0;
let most = 0;
const trainer = functionAgent(async () => {
  most = Math.max(most, ++running);
  await sleep(20);
  running--;
});
const parallelTaskManager = new GpuManager({
  agents: { "*": trainer },
  resources: { gpu: { capacity: 2, scope: "workspace" } },
  resourceManager: builtinResourceManager({
    rules: [{ type: "search_index", words: ["indexer"], ownKeys: ["indexes"] }],
  }),
});
const layer = new MCPIntegrationLayer({ parallelTaskManager });
const call = (agentId: string, contextData: { requires_gpu?: boolean; indexes?: string[]; tables?: string[] }) => ({
  agentId,
  taskType: "work",
  description: "work",
  contextData,
});

await layer.executeMultipleTaskCalls(Array.from({ length: 6 }, (_, n) => call(`trainer_${n}`, { requires_gpu: true })));
console.log(`six tasks that need a gpu, two gpus: at most ${most} at once`);

const looking = layer.executeMultipleTaskCalls([
  call("indexer_1", { indexes: ["products"] }), // the new rule
  call("clerk_1", { tables: ["orders"] }), // built in: tables are database_config
]);
await sleep(10);
console.log(Object.keys(layer.getParallelExecutionStatus().resourceLocks).join(", "));
await looking;
await layer.close();

// Prints:
//   six tasks that need a gpu, two gpus: at most 2 at once
//   search_index/products, database_config/orders
