import { expect, test } from "vitest";
import { gate, isAlive, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** Counts how often it was run. */
const counted = (name: string) => `node -e "require('fs').appendFileSync('${name}.runs','x')"`;

test("resume goes on after kill -9 of a run: nothing that ended runs again, results are handed on", async () => {
  const here = directory();
  here.write(
    "nightly.yaml",
    `name: nightly
tasks:
  list: { run: ${JSON.stringify(`node -e "require('fs').appendFileSync('list.runs','x');console.log('::lockyard '+JSON.stringify({result:{files:['a','b']}}))"`)} }
  each: { run: ${JSON.stringify(`node -e "require('fs').appendFileSync('each.runs','{{file}}')"`)}, forEach: { from: list.output.files, as: file } }
  slow: { run: ${JSON.stringify(gate("slow"))}, dependsOn: [list] }
  report: { run: ${JSON.stringify(`node -e "let s='';process.stdin.on('data',d=>s+=d).on('end',()=>require('fs').writeFileSync('report.in',s))"`)}, dependsOn: [list, slow] }
`,
  );
  const run = here.start(["run", "nightly.yaml"]);
  await here.appeared("slow.started");
  for (;;) {
    const { running } = JSON.parse((await here.run(["status", "--json"])).stdout);
    if (running.length === 1) break;
  }
  run.child.kill("SIGKILL");
  await run.finished;
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(
    /nightly-\w{4} lost the process that ran it; 2 tasks suspended\. Continue: lockyard resume nightly-\w{4}/,
  );
  expect(isAlive(Number(here.read("slow.started")))).toBe(false);
  here.write("slow.go", "");
  const resumed = await here.run(["resume", "nightly", "--json"]);
  expect(resumed.code).toBe(0);
  const last = JSON.parse(resumed.stdout.trimEnd().split("\n").at(-1) ?? "");
  expect(last.summary).toMatchObject({ total: 5, succeeded: 5 });
  expect([here.read("list.runs"), here.read("each.runs").split("").sort().join("")]).toEqual(["x", "ab"]);
  expect(JSON.parse(here.read("report.in")).dependencies.list.output).toEqual({ files: ["a", "b"] });
  expect(await here.run(["resume", "nightly"])).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/nightly-\w{4} has ended; there is nothing to go on with\./),
  });
});

test("a budget that is used up leaves the rest to resume, which takes another budget", async () => {
  const here = directory();
  here.write(
    "nightly.yaml",
    `name: nightly
concurrency: 1
budget: { tasks: 2 }
tasks:
${[1, 2, 3, 4].map((at) => `  t${at}: { run: ${JSON.stringify(`node -e "require('fs').appendFileSync('t${at}.runs','x')"`)} }\n`).join("")}`,
  );
  const first = await here.run(["run", "nightly.yaml"]);
  expect(first.code).toBe(3);
  expect(first.stdout).toMatch(
    /Paused: 2 of 2 tasks started, 2 of 4 tasks done, nothing killed\. Continue: lockyard resume nightly-\w{4} --tasks 4\. Stop: lockyard cancel nightly-\w{4}/,
  );
  expect((await here.run(["status"])).stdout).toMatch(/2 tasks suspended/);
  const second = await here.run(["resume", "nightly", "--tasks", "3"]);
  expect(second.code).toBe(3);
  expect(second.stdout).toMatch(/Going on with nightly-\w{4}: 2 of 4 tasks ended before and are not run again\./);
  expect(second.stdout).toMatch(/Paused: 3 of 3 tasks started, 3 of 4 tasks done/);
  const third = await here.run(["resume", "nightly", "--tasks", "40"]);
  expect(third.code).toBe(0);
  expect([1, 2, 3, 4].map((at) => here.read(`t${at}.runs`))).toEqual(["x", "x", "x", "x"]);
});

test("retry runs what failed and what was skipped because of it, after the run is over", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
tasks:
  fine: { run: ${JSON.stringify(counted("fine"))} }
  flaky: { run: ${JSON.stringify(`node -e "const fs=require('fs');fs.appendFileSync('flaky.runs','x');process.exit(fs.existsSync('mended')?0:1)"`)} }
  after: { run: ${JSON.stringify(counted("after"))}, dependsOn: [fine, flaky] }
`,
  );
  expect((await here.run(["run", "plan.yaml"])).code).toBe(1);
  here.write("mended", "");
  const again = await here.run(["retry", "flaky"]);
  expect(again.code).toBe(0);
  expect(["fine", "flaky", "after"].map((name) => here.read(`${name}.runs`))).toEqual(["x", "xx", "x"]);
  expect(await here.run(["retry", "shop"])).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^Nothing to run again: no task of shop-\w{4} failed, timed out or was skipped\.\n$/),
  });
  expect(await here.run(["retry", "fine"])).toMatchObject({ code: 2, stderr: expect.stringMatching(/is succeeded/) });
});

test("retry reaches into a run that goes on", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
tasks:
  long: { run: ${JSON.stringify(gate("long"))} }
  flaky: { run: ${JSON.stringify(`node -e "const fs=require('fs');fs.appendFileSync('flaky.runs','x');process.exit(fs.existsSync('mended')?0:1)"`)} }
  after: { run: ${JSON.stringify(counted("after"))}, dependsOn: [flaky] }
`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("long.started");
  await run.until(/after skipped/);
  here.write("mended", "");
  const again = await here.run(["retry", "shop"]);
  expect(again).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^2 tasks of shop-\w{4} run again, in the process that runs it\.\n$/),
  });
  await here.appeared("after.runs");
  here.write("long.go", "");
  const { code, stdout } = await run.finished;
  expect(stdout).toMatch(/3 tasks succeeded/);
  expect(code).toBe(0);
});
