import { expect, test } from "vitest";
import { ENTRY, useCommandLine } from "../cli/harness.ts";
import { agents, script } from "./harness.ts";

const { directory } = useCommandLine();

/** A coding agent, reduced: starts `lockyard mcp` as its own server, and calls one tool. */
const HOST = `const { spawn } = require("node:child_process");
const server = spawn(process.execPath, [${JSON.stringify(ENTRY)}, "mcp"], { stdio: ["pipe", "pipe", "inherit"] });
const send = (message) => server.stdin.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\\n");
let text = "";
server.stdout.on("data", (chunk) => {
  text += chunk;
  if (text.includes('"id":2')) { process.stdout.write(text.includes("1 of 1 task succeeded") ? "ran" : text); server.stdin.end(); }
});
send({ id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "agent", version: "1" } } });
send({ method: "notifications/initialized" });
send({ id: 2, method: "tools/call", params: { name: "run_task", arguments: { agent: "waits", description: "w", write: "src" } } });
`;

test("while it waits for its own tasks, a task gives its slot to others, and what it holds is in nobody's way below it", async () => {
  const here = directory();
  agents(here, { waits: script(here, "waits.cjs", 'await until("other"); say("done");') });
  here.write("host.cjs", HOST);
  const other = `node -e "require('fs').writeFileSync('other','')"`;
  // One slot: the other starts only while the host lends its own, and what the host runs ends only after the other.
  const plan = {
    name: "one",
    concurrency: 1,
    tasks: { host: { run: "node host.cjs", write: "src", priority: 9 }, other: { run: other } },
  };
  here.write("plan.json", JSON.stringify(plan));
  const { code, stdout } = await here.run(["run", "plan.json", "--json"]);
  const last = JSON.parse(stdout.trim().split("\n").at(-1) ?? "{}");
  expect(last.results).toMatchObject([
    { taskId: "host", output: "ran" },
    { taskId: "other", status: "succeeded" },
  ]);
  expect(code).toBe(0);
});
