// Two processes share one SQLite store: a lock taken in one keeps the other out. No server, no daemon.
// The default store of the library is memory, whose locks reach one process only.
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { functionAgent, MCPIntegrationLayer, sqliteStore } from "lockyard";

async function work(name: string, file: string): Promise<void> {
  const layer = new MCPIntegrationLayer({
    workflowId: name,
    store: sqliteStore({ file }),
    agents: {
      migrator: functionAgent(async () => {
        console.log(`${name} begins`);
        await sleep(200);
        console.log(`${name} ends`);
      }),
    },
  });
  const claims = [{ write: "db/migrations" }];
  await layer.executeTaskCall({ agentId: "migrator", taskType: "migrate", description: "migrate", claims });
  await layer.close();
}

const [name, file] = process.argv.slice(2);
if (name !== undefined && file !== undefined) {
  await work(name, file);
} else {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-example-"));
  const ended = (child: ReturnType<typeof fork>) => new Promise((resolve) => child.on("exit", resolve));
  const children = ["one", "two"].map((each) => fork(new URL(import.meta.url), [each, join(folder, "store.db")]));
  await Promise.all(children.map(ended));
  rmSync(folder, { recursive: true });
}

// Prints:
//   … begins
//   … ends
//   … begins
//   … ends
