import { expect, test } from "vitest";
import { gate, isAlive, LIBRARY, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** A program of its own with a task that asks, and hands on the answer. */
const ASKING = `import { functionAgent, MCPIntegrationLayer, sqliteStore } from "LIBRARY";
const agents = { asker: functionAgent(async (task, ctx) => ({ said: await ctx.ask("Which name?") })) };
const layer = new MCPIntegrationLayer({ workflowId: "shop", agents, store: sqliteStore({ file: "store.db" }) });
const watching = (async () => { for await (const { type } of layer.events()) console.log(type); })();
const call = { agentId: "asker", taskType: "work", description: "work", taskId: "name" };
const [result] = await layer.executeMultipleTaskCalls([call]);
await layer.close();
await watching;
console.log(JSON.stringify(result.output));
`;

test("pause holds back what waits, what runs goes on, resume brings it back", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
concurrency: 1
tasks:
  one: { run: ${JSON.stringify(gate("one"))} }
  two: { run: "touch two.ran" }
  three: { run: "touch three.ran", dependsOn: [one] }
`,
  );
  const run = here.start(["run", "plan.yaml", "--verbose"]);
  await here.appeared("one.started");
  const paused = await here.run(["pause", "shop"]);
  expect(paused).toMatchObject({ code: 0 });
  expect(paused.stdout).toMatch(
    /^Paused shop-\w{4}: 1 running task goes on, 2 tasks wait\. Continue: lockyard resume shop-\w{4}\n$/,
  );
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(
    /shop-\w{4} is paused: by `lockyard pause`; 1 task suspended\. Continue: lockyard resume shop-\w{4}/,
  );
  expect((await here.run(["why", "two"])).stdout).toMatch(/two is suspended: shop-\w{4} is paused/);
  here.write("one.go", "");
  await run.until(/one/);
  // Done, and what depends on it is held back, too.
  for (;;) {
    const { counts, running } = JSON.parse((await here.run(["status", "--json"])).stdout);
    if (running.length === 0 && counts.suspended === 2) break;
  }
  expect(here.exists("two.ran")).toBe(false);
  const resumed = await here.run(["resume", "shop"]);
  expect(resumed).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^shop-\w{4} goes on: 2 tasks back in line\.\n$/),
  });
  expect((await run.finished).code).toBe(0);
  expect([here.exists("two.ran"), here.exists("three.ran")]).toEqual([true, true]);
  expect(await here.run(["pause", "shop"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/has ended/) });
  expect(await here.run(["pause", "nothing"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/There is no workflow named nothing\./),
  });
});

test("a question is shown in another terminal, and answered from there", async () => {
  const here = directory();
  here.write("ask.mjs", ASKING.replace("LIBRARY", LIBRARY));
  const asking = here.program("ask.mjs");
  await asking.until(/task-needs-input/);
  for (;;) {
    const { running } = JSON.parse((await here.run(["status", "--json"])).stdout);
    if (running[0]?.question === "Which name?") break;
  }
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(/shop\/name asks: Which name\? Answer: lockyard answer shop\/name "…"/);
  const why = await here.run(["why", "name"]);
  expect(why.stdout).toMatch(/name waits for an answer: "Which name\?"/);
  expect(await here.run(["answer", "other", "x"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/There is no task named other\./),
  });
  const answered = await here.run(["answer", "name", "the old one"]);
  expect(answered).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Answered shop\/name; it goes on\.\n$/),
  });
  expect((await asking.finished).stdout).toContain('{"said":"the old one"}');
  expect(await here.run(["answer", "name", "again"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/is succeeded and asks nothing/),
  });
});

test("set changes a capacity and a workflow's concurrency while they run, until it is cleared", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
concurrency: 3
resources: { db: { capacity: 1 } }
tasks:
  one: { run: ${JSON.stringify(gate("one"))}, use: db }
  two: { run: ${JSON.stringify(gate("two"))}, use: db }
  three: { run: ${JSON.stringify(gate("three"))} }
  four: { run: ${JSON.stringify(gate("four"))} }
`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  expect(here.exists("two.started")).toBe(false);
  expect(await here.run(["set", "bd=2"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('no capacity named "bd".'),
  });
  expect(await here.run(["set", "db=0"])).toMatchObject({ code: 2 });
  const set = await here.run(["set", "db=2"]);
  expect(set).toMatchObject({
    code: 0,
    stdout: "db is 2 now (1 before), until `lockyard set db=` clears it.\n",
  });
  // Three run at once: one, three, and of two and four the one that was let in first.
  await here.run(["set", "shop.concurrency=4"]);
  await here.appeared("two.started");
  await here.appeared("four.started");
  const lowered = await here.run(["set", "db=1"]);
  expect(lowered.stdout).toMatch(/^db is 1 now .* 2 are in use: nothing is taken back, fewer start until it fits\.\n$/);
  expect(await here.run(["set", "db="])).toMatchObject({
    stdout: expect.stringMatching(/^db is no longer set by hand: 1 now\./),
  });
  for (const name of ["one", "two", "three", "four"]) here.write(`${name}.go`, "");
  expect((await run.finished).code).toBe(0);
});

test("unlock takes from a living holder only by force", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
tasks:
  one: { run: ${JSON.stringify(gate("one"))}, write: src/api }
  two: { run: "touch two.ran", write: src/api }
`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  const refused = await here.run(["unlock", "src/api"]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(
    /src\/api is held by shop-\w{4}\/one \(run shop, pid \d+\), which is not quarantined\. Nothing was unlocked\./,
  );
  expect(await here.run(["unlock", "docs"])).toMatchObject({ code: 0, stdout: "docs is free: nobody holds it.\n" });
  const forced = await here.run(["unlock", "src/api", "--force"]);
  expect(forced).toMatchObject({ code: 0 });
  expect(forced.stdout).toMatch(
    /^Took file:src\/api from shop-\w{4}\/one, which may still write; it counts as failed \(QUARANTINED\)\./,
  );
  await here.appeared("two.ran");
  const { code } = await run.finished;
  expect(code).toBe(1);
  expect(isAlive(Number(here.read("one.started")))).toBe(false);
});

/** A program of its own: a function that heeds no signal, and one that waits for what it holds. */
const STUBBORN = `import fs from "node:fs";
import { functionAgent, MCPIntegrationLayer, sqliteStore } from "LIBRARY";
const agents = {
  deaf: functionAgent(async () => {
    fs.writeFileSync("deaf.started", "");
    while (!fs.existsSync("deaf.go")) await new Promise((resolve) => setTimeout(resolve, 20));
  }),
};
const layer = new MCPIntegrationLayer({ workflowId: "deaf", agents, store: sqliteStore({ file: "store.db" }), graceMs: 50 });
const call = { agentId: "deaf", taskType: "work", description: "work", taskId: "one", claims: [{ write: "src/api" }], timeoutMs: 50 };
const [result] = await layer.executeMultipleTaskCalls([call]);
console.log(result.status);
await layer.close();
console.log("closed");
`;

test("unlock frees what a quarantined holder held", async () => {
  const here = directory();
  here.write("deaf.mjs", STUBBORN.replace("LIBRARY", LIBRARY));
  here.write("plan.yaml", `name: shop\ntasks:\n  two: { run: "touch two.ran", write: src/api }\n`);
  const deaf = here.program("deaf.mjs");
  await deaf.until(/timed_out/);
  const run = here.start(["run", "plan.yaml"]);
  for (;;) {
    const { waiting } = JSON.parse((await here.run(["status", "--json"])).stdout);
    if (waiting.length > 0) break;
  }
  expect((await here.run(["why", "two"])).stdout.replace(/\s+/g, " ")).toMatch(
    /file:src\/api is quarantined: its last holder \(one\) could not be stopped\. .*1 task waits\. Check: ps \d+\. Then: lockyard unlock file:src\/api/,
  );
  const freed = await here.run(["unlock", "src/api"]);
  expect(freed).toMatchObject({
    code: 0,
    stdout:
      "Freed file:src/api: deaf/one, which could not be stopped, counts as failed (QUARANTINED).\n1 task that waited was let in.\n",
  });
  expect((await run.finished).code).toBe(0);
  expect(here.exists("two.ran")).toBe(true);
  here.write("deaf.go", "");
  await deaf.until(/closed/);
});
