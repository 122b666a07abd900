// Three task calls handed over together. Two of them touch the same endpoint, so these two take turns by themselves.
import { setTimeout as sleep } from "node:timers/promises";
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "lockyard";

const agents = defineAgents({
  backend_specialist: functionAgent(async (task, ctx) => {
    ctx.progress(0.5, "half");
    await sleep(40); // where your model call goes
    return `did ${task.description}`;
  }),
});
const layer = new MCPIntegrationLayer({ workflowId: "release", maxConcurrentTasks: 8, agents });
const calls = ["users", "projects", "users"].map((endpoint, index) =>
  createTaskCall({
    agentId: `backend_specialist_${index}`,
    taskType: "api_implementation",
    description: endpoint,
    contextData: { endpoints: [endpoint] },
  }),
);
for (const result of await layer.executeMultipleTaskCalls(calls)) {
  if (result.success) console.log(result.output, result.lockWaitMs > 1 ? "after a wait for the lock" : "at once");
  else console.log(result.taskId, result.error.code, result.errorMessage);
}
await layer.close();

// Prints:
//   did users at once
//   did projects at once
//   did users after a wait for the lock
