import http from "node:http";
import { expect, test } from "vitest";
import { gate, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

test("logs shows what a task prints while it runs, and afterwards", async () => {
  const here = directory();
  here.write(
    "talk.mjs",
    "import fs from 'node:fs'; console.log('first'); console.error('aside'); fs.writeFileSync('said', ''); setInterval(() => { if (fs.existsSync('go')) { console.log('last'); process.exit(); } }, 20);",
  );
  here.write("plan.yaml", "name: shop\ntasks:\n  talk: { run: node talk.mjs }\n  quiet: { run: node -e 1 }\n");
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("said");
  const follow = here.start(["logs", "talk", "-f"]);
  await follow.until(/first[\s\S]*aside|aside[\s\S]*first/);
  here.write("go", "");
  expect((await run.finished).code).toBe(0);
  const followed = await follow.finished;
  expect(followed.code).toBe(0);
  expect(followed.stdout).toMatch(/last\n$/);
  expect((await here.run(["logs", "talk"])).stdout).toBe(followed.stdout);
  expect((await here.run(["logs", "quiet"])).stdout).toMatch(/quiet is succeeded and has printed nothing\.\n$/);
  expect(await here.run(["logs", "nobody"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/There is no task named nobody\./),
  });
});

test("report tells of runs that are over: history, one run, numbers for Prometheus", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    "name: shop\ntasks:\n  one: { run: node -e 1, use: build }\n  two: { run: node -e 1, use: build }\n  bad: { run: [node, -e, process.exit(3)] }\n",
  );
  expect((await here.run(["run", "plan.yaml"])).code).toBe(1);
  const history = await here.run(["report"]);
  expect(history.stdout).toMatch(
    /WORKFLOW +SUCCEEDED +NOT +STATE +TOOK +SPEED-UP\nshop-\w{4} +2 of 3 +1 +finished +\S+ +\S+/,
  );
  const one = JSON.parse((await here.run(["report", "shop", "--json"])).stdout);
  expect(one).toMatchObject({
    type: "report",
    state: "finished",
    live: 0,
    summary: { total: 3, succeeded: 2, failed: 1 },
    queue: { p50Ms: expect.any(Number), p95Ms: expect.any(Number) },
    attempts: 3,
  });
  expect((await here.run(["report", "shop"])).stdout).toMatch(/2 of 3 tasks succeeded, 1 failed/);
  const numbers = await here.run(["report", "--prometheus"]);
  expect(numbers.stdout).toMatch(/^lockyard_tasks\{status="succeeded"\} 2$/m);
  expect(numbers.stdout).toMatch(/^lockyard_resource_capacity\{resource="build"\} \d+$/m);
});

test("notify runs a command and posts to a webhook, and holds nothing up when they fail", async () => {
  const here = directory();
  const posted: unknown[] = [];
  const server = http.createServer((request, response) => {
    let text = "";
    request.on("data", (chunk) => {
      text += chunk;
    });
    request.on("end", () => {
      posted.push(JSON.parse(text));
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  try {
    here.write(
      "plan.yaml",
      `name: shop
notify:
  - { webhook: "http://127.0.0.1:${port}/hook" }
  - { run: [bash, -c, "cat >> notices"], on: [paused, finished] }
  - { run: [no-such-program-anywhere], on: [finished] }
tasks:
  one: { run: ${JSON.stringify(gate("one"))} }
`,
    );
    const run = here.start(["run", "plan.yaml"]);
    await here.appeared("one.started");
    await here.run(["pause", "shop"]);
    await here.appeared("notices");
    await here.run(["resume", "shop"]);
    here.write("one.go", "");
    const { code, stdout } = await run.finished;
    expect(code).toBe(0);
    expect(stdout).toMatch(/warning: notify failed: .*no-such-program-anywhere/);
    expect(posted).toMatchObject([{ occasion: "paused" }, { occasion: "finished", summary: { succeeded: 1 } }]);
    const told = here
      .read("notices")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(told).toMatchObject([
      {
        type: "lockyard-notice",
        occasion: "paused",
        text: expect.stringMatching(/shop-\w{4} is paused\. Continue: lockyard resume shop-\w{4}/),
      },
      { occasion: "finished" },
    ]);
  } finally {
    server.close();
  }
});
