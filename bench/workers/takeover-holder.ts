/** A process with one running command that holds a lock, for takeover.ts: it tells when the command is up, and is killed. */
import { commandAgent, MCPIntegrationLayer, sqliteStore } from "../../src/index.ts";

const [file = "", script = ""] = process.argv.slice(2);
const layer = new MCPIntegrationLayer({
  workflowId: "holder",
  agents: { holder: commandAgent({ shell: script, stdin: "none" }) },
  store: sqliteStore({ file }),
});
const events = layer.events();
void layer.executeTaskCall({
  agentId: "holder",
  taskType: "hold",
  description: "holds",
  claims: [{ lock: "machine:contested" }],
});
for await (const event of events) {
  if (event.type === "task-output") process.send?.("up");
}
