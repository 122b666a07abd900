// A task that depends on others gets their results. When one fails, its dependents are skipped, unless they say otherwise.
import { functionAgent, MCPIntegrationLayer } from "lockyard";

const layer = new MCPIntegrationLayer({
  agents: {
    counter: functionAgent((task) => String(task.contextData?.text).split(" ").length),
    failing: functionAgent(() => {
      throw new Error("the file is empty");
    }),
    adder: functionAgent((_task, ctx) => {
      const outputs = Object.values(ctx.dependencies).map(({ output }) => Number(output));
      return outputs.reduce((sum, words) => sum + words, 0);
    }),
    reporter: functionAgent((_task, ctx) => {
      const failed = Object.values(ctx.dependencies).filter(({ success }) => !success);
      return failed.map(({ taskId, error }) => `${taskId}: ${error?.message}`);
    }),
  },
});
const base = { taskType: "count", description: "count words" };

const results = await layer.executeMultipleTaskCalls([
  { ...base, agentId: "counter", taskId: "a", contextData: { text: "one two three" } },
  { ...base, agentId: "counter", taskId: "b", contextData: { text: "four five" } },
  { ...base, agentId: "failing", taskId: "c" },
  { ...base, agentId: "adder", taskId: "sum", dependsOn: ["a", "b"] },
  { ...base, agentId: "adder", taskId: "sum-of-all", dependsOn: ["a", "b", "c"] },
  { ...base, agentId: "reporter", taskId: "faults", dependsOn: ["a", "b", "c"], when: "always" },
]);
for (const { taskId, status, output, error } of results.slice(2)) {
  console.log(`${taskId} ${status} ${JSON.stringify(output)} ${error?.code ?? ""}`.trim());
}
await layer.close();

// Prints:
//   c failed null AGENT_FAILED
//   sum succeeded 5
//   sum-of-all skipped null DEPENDENCY_FAILED
//   faults succeeded ["c: the file is empty"]
