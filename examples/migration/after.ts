// The same work as before.ts: at most three at once, each file read-locked, what may pass is tried again.
import { functionAgent, MCPIntegrationLayer } from "lockyard";
import { files, review } from "./review.ts";

const layer = new MCPIntegrationLayer({
  maxConcurrentTasks: 3,
  agents: { reviewer: functionAgent((task) => review(task.description)) },
});
const results = await layer.executeMultipleTaskCalls(
  files.map((file) => ({
    agentId: "reviewer" as const,
    taskType: "review",
    description: file,
    claims: [{ read: file }],
    retry: { attempts: 3, baseMs: 10 },
  })),
);
const reviews = results.filter((result) => result.success).map(({ output }) => output);
console.log(`${reviews.length} of ${files.length} reviewed, in the order of the files: ${reviews.join("; ")}`);
await layer.close();

// Prints:
//   5 of 5 reviewed, in the order of the files: a.ts is fine; b.ts is fine; c.ts is fine; d.ts is fine; e.ts is fine
