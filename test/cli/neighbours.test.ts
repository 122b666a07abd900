import { expect, test } from "vitest";
import { LIBRARY, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** A program of its own on the shared store: does what `BODY` says with a layer of the workflow `shop`. */
const program = (body: string) => `import fs from "node:fs";
import { functionAgent, MCPIntegrationLayer, sqliteStore } from "${LIBRARY}";
const agents = { worker: functionAgent(async ({ taskId }, { signal }) => {
  fs.appendFileSync("runs", "x");
  while (!fs.existsSync("go") && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, 20));
  return process.argv[2];
}) };
const layer = new MCPIntegrationLayer({ workflowId: "shop", agents, store: sqliteStore({ file: "store.db" }) });
const call = (more) => ({ agentId: "worker", taskType: "work", description: "work", ...more });
${body}
await layer.close();
`;

test("an idempotency key is accepted once over all processes: the others get the result", async () => {
  const here = directory();
  here.write(
    "once.mjs",
    program(
      'console.log("handed over"); const result = await layer.executeTaskCall(call({ idempotencyKey: "monday" })); console.log(JSON.stringify(result.output));',
    ),
  );
  const first = here.program("once.mjs", ["first"]);
  await here.appeared("runs");
  const second = here.program("once.mjs", ["second"]);
  await second.until(/handed over/);
  here.write("go", "");
  expect((await first.finished).stdout).toContain('"first"');
  expect((await second.finished).stdout).toContain('"first"');
  expect((await here.program("once.mjs", ["third"]).finished).stdout).toContain('"first"');
  expect(here.read("runs")).toBe("x");
});

test("cancelTasks with a workflow reaches what another process runs, and counts it", async () => {
  const here = directory();
  here.write(
    "run.mjs",
    program('const result = await layer.executeTaskCall(call({ taskId: "one" })); console.log(result.status);'),
  );
  here.write("cancel.mjs", program('console.log(await layer.cancelTasks({ workflowId: "shop" }));'));
  const run = here.program("run.mjs");
  await here.appeared("runs");
  expect((await here.program("cancel.mjs").finished).stdout).toBe("1\n");
  expect((await run.finished).stdout).toBe("cancelled\n");
});
