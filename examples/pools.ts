// Pools: each task has a port and an empty directory to itself. A port that another program uses is passed over.
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { functionAgent, MCPIntegrationLayer } from "lockyard";

const stranger = createServer().listen(4110);
await new Promise((resolve) => stranger.once("listening", resolve));

const server = functionAgent((task, ctx) => {
  const { PORT = "", SCRATCH = "" } = ctx.env;
  writeFileSync(join(SCRATCH, "notes.txt"), task.taskId);
  return { port: PORT, directory: SCRATCH };
});

const layer = new MCPIntegrationLayer({
  agents: { server },
  resources: {
    port: { pool: "4110-4112", env: "PORT", scope: "workspace" },
    scratch: { directories: 2, scope: "workspace" },
  },
});

const call = (taskId: string) => ({
  agentId: "server" as const,
  taskType: "serve",
  description: taskId,
  taskId,
  claims: [{ use: "port" }, { use: "scratch" }],
});
const results = await layer.executeMultipleTaskCalls([call("one"), call("two")]);
const got = results.flatMap((result) => (result.success ? [result.output] : []));

console.log(
  `ports: ${got
    .map(({ port }) => port)
    .sort()
    .join(", ")}`,
);
console.log(`directories: ${new Set(got.map(({ directory }) => directory)).size}`);
console.log(`left behind: ${got.filter(({ directory }) => existsSync(directory)).length}`);
await layer.close();
stranger.close();

// Prints:
//   ports: 4111, 4112
//   directories: 2
//   left behind: 0
