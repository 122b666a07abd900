/**
 * One process in a pid namespace of its own. Arguments: file of the store, `hold` or `want`, a file that says that it got
 * the lock. Ends when stdin does.
 */
import fs from "node:fs";
import { defineAgents, functionAgent, MCPIntegrationLayer } from "../../src/index.ts";
import { sqliteStore } from "../../src/stores/sqlite/index.ts";

const [file = "", name = "", witness = ""] = process.argv.slice(2);
const agents = defineAgents({
  keeper: functionAgent(
    (_task, { fence }) =>
      new Promise((resolve) => {
        fs.writeFileSync(witness, String(fence));
        process.stdin.on("end", () => resolve(fence)).resume();
      }),
  ),
});
await using layer = new MCPIntegrationLayer({ workflowId: name, agents, store: sqliteStore({ file }) });
process.stdin.on("end", () => undefined).resume();
await layer.executeTaskCall({
  agentId: "keeper",
  taskType: "hold",
  description: "keeps a lock",
  taskId: "task",
  claims: [{ lock: "machine:shared-by-namespaces" }],
});
