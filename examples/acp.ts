// Agents that speak the Agent Client Protocol: what they ask permission for is locked before it is allowed, so several of
// them work on one file and lose nothing.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { acpAgent, MCPIntegrationLayer } from "lockyard";

// Stands for `gemini --acp` or `opencode acp`: asks before it edits, reads, thinks for a while, writes.
const program = `
  const fs = require("node:fs");
  const send = (message) => console.log(JSON.stringify({ jsonrpc: "2.0", ...message }));
  const say = (text) => {
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    send({ method: "session/update", params: { sessionId: "s", update } });
  };
  let prompt;
  require("node:readline").createInterface({ input: process.stdin }).on("line", (line) => {
    const { id, method } = JSON.parse(line);
    if (method === "initialize") send({ id, result: { protocolVersion: 1 } });
    if (method === "session/new") send({ id, result: { sessionId: "s" } });
    if (method === "session/prompt") {
      prompt = id;
      const toolCall = { toolCallId: "1", kind: "edit", title: "Add a line", locations: [{ path: "notes.txt" }] };
      const options = [{ optionId: "yes", name: "Allow", kind: "allow_once" }];
      send({ id: "may-i", method: "session/request_permission", params: { sessionId: "s", toolCall, options } });
    }
    if (id !== "may-i") return;
    const before = fs.existsSync("notes.txt") ? fs.readFileSync("notes.txt", "utf8") : "";
    setTimeout(() => {
      fs.writeFileSync("notes.txt", before + "a line\\n");
      say("Added.");
      send({ id: prompt, result: { stopReason: "end_turn", usage: { inputTokens: 10, outputTokens: 2 } } });
    }, 50);
  });
`;
const root = mkdtempSync(join(tmpdir(), "acp-"));
const layer = new MCPIntegrationLayer({
  agents: { writer: acpAgent({ argv: [process.execPath, "-e", program], root }) },
});

const call = { agentId: "writer" as const, taskType: "edit", description: "Add a line to notes.txt." };
const results = await layer.executeMultipleTaskCalls([call, call, call]);
console.log(results.map(({ output }) => output).join(" "), results[0]?.usage?.outputTokens);
console.log(readFileSync(join(root, "notes.txt"), "utf8").trim().split("\n").length, "lines");
await layer.close();
rmSync(root, { recursive: true });

// Prints:
//   Added. Added. Added. 2
//   3 lines
