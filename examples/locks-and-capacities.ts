// Paths, names, capacities and pools in one claim list. A task starts when all of it is free at once, never with a part.
import { setTimeout as sleep } from "node:timers/promises";
import { type Claim, functionAgent, MCPIntegrationLayer } from "lockyard";

const running = new Set<string>();
const seen = new Set<string>();
const worker = functionAgent(async (task, ctx) => {
  for (const other of running) seen.add([other, task.taskId].sort().join(" + "));
  running.add(task.taskId);
  await sleep(20);
  running.delete(task.taskId);
  return ctx.env.PORT ?? null;
});

const layer = new MCPIntegrationLayer({
  agents: { worker },
  resources: {
    build: { capacity: 1, scope: "workspace" },
    port: { pool: "4100-4101", env: "PORT", scope: "workspace" },
  },
});
const call = (taskId: string, claims: Claim[]) => ({
  agentId: "worker" as const,
  taskType: "work",
  description: taskId,
  taskId,
  claims,
});

const results = await layer.executeMultipleTaskCalls([
  call("api", [{ write: "src/api" }]),
  call("users", [{ write: "src/api/users.ts" }]), // lies below src/api: takes turns with it
  call("page", [{ write: "src/page" }]), // a sibling: runs beside it
  call("review-1", [{ read: "src/page/index.ts" }]), // a reader waits for the writer,
  call("review-2", [{ read: "src/page" }]), // and two readers share
  call("build-1", [{ use: "build" }, { lock: "dist" }]),
  call("build-2", [{ use: "build" }]),
  call("serve-1", [{ use: "port" }]),
  call("serve-2", [{ use: "port" }]),
]);

const together = (a: string, b: string) =>
  console.log(`${a} and ${b} at once: ${seen.has(`${a} + ${b}`) ? "yes" : "no"}`);
together("api", "users");
together("api", "page");
together("page", "review-1");
together("review-1", "review-2");
together("build-1", "build-2");
const ports = results.filter(({ taskId }) => taskId.startsWith("serve")).map(({ output }) => output);
console.log(`ports: ${ports.join(", ")}`);
await layer.close();

// Prints:
//   api and users at once: no
//   api and page at once: yes
//   page and review-1 at once: no
//   review-1 and review-2 at once: yes
//   build-1 and build-2 at once: no
//   ports: 4100, 4101
