import { expect, test } from "vitest";
import { gate, isAlive, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

/** Appends when it began and ended, on a clock all processes of the machine share. */
const TIMED = `node -e "const fs=require('fs');const t=()=>process.hrtime.bigint();const b=t();setTimeout(()=>fs.appendFileSync('times',b+' '+t()+'\\\\n'),150)"`;

test("two runs on one store never hold a lock at once", async () => {
  const here = directory();
  const plan = (name: string) =>
    `name: ${name}\nconcurrency: 4\ntasks:\n${[1, 2, 3].map((at) => `  t${at}: { run: ${JSON.stringify(TIMED)}, use: build, write: out }\n`).join("")}`;
  here.write("a.yaml", plan("a"));
  here.write("b.yaml", plan("b"));
  const [a, b] = await Promise.all([here.run(["run", "a.yaml"]), here.run(["run", "b.yaml"])]);
  expect([a.code, b.code]).toEqual([0, 0]);
  const times = here
    .read("times")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map(BigInt));
  expect(times).toHaveLength(6);
  times.sort((one, other) => ((one[0] ?? 0n) < (other[0] ?? 0n) ? -1 : 1));
  for (const [at, [began = 0n]] of times.entries()) {
    if (at > 0) expect(began).toBeGreaterThanOrEqual(times[at - 1]?.[1] ?? 0n);
  }
});

test("status and why name who holds and who waits, in another process", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop
tasks:
  one: { run: ${JSON.stringify(gate("one"))}, use: build, write: src/api }
  two: { run: "node -e 1", use: build }
  three: { run: "node -e 1", read: src, dependsOn: [two] }
`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  const workflow = /shop-[0-9a-z]{4}/;
  const status = await here.run(["status"]);
  expect(status.code).toBe(0);
  expect(status.stdout).toMatch(
    /^1 running\n {2}● shop-\w{4}\/one +command +\S+ +(?:file:src\/api, build|build, file:src\/api) +run shop, pid \d+\n1 waiting\n/,
  );
  expect(status.stdout).toMatch(/○ shop-\w{4}\/two waiting for build: in use by one for \S+ \(1 of 1 in use\)/);
  expect(status.stdout).toMatch(/1 task waits for what it depends on/);

  const locks = await here.run(["status", "--locks"]);
  expect(locks.stdout).toMatch(/RESOURCE +MODE +HELD BY +FOR +FENCE +OWNER/);
  expect(locks.stdout).toMatch(/file:src\/api +exclusive +shop-\w{4}\/one +\S+ +\d+ +owned, run shop/);

  const build = await here.run(["why", "build"]);
  expect(build.stdout).toMatch(/^build \(1 of 1 unit in use\) is held by 1 task, and 1 task waits\.\n/);
  expect(build.stdout).toMatch(/held by +shop-\w{4}\/one/);
  expect(build.stdout).toMatch(/1\. +shop-\w{4}\/two/);

  const below = await here.run(["why", "src/api/users.ts"]);
  expect(below.stdout).toMatch(/^file:src\/api\/users\.ts is held by 1 task/);
  const task = await here.run(["why", "two", "--json"]);
  expect(JSON.parse(task.stdout)).toMatchObject({
    type: "why",
    workflowId: expect.stringMatching(workflow),
    taskId: "two",
    status: "waiting",
    resourceId: "build",
    position: 1,
    blockedBy: [{ taskId: "one" }],
  });
  expect((await here.run(["why", "nothing"])).stdout).toBe("nothing is free: nobody holds it, nobody waits for it.\n");

  here.write("one.go", "");
  expect((await run.finished).code).toBe(0);
  expect((await here.run(["status"])).stdout).toBe("Nothing runs, nothing waits. Try: lockyard run PLAN\n");
  expect((await here.run(["why", "two"])).stdout).toMatch(/shop-\w{4}\/two has ended: succeeded\./);
});

test("cancel reaches tasks of another process, running and waiting, and counts what ended", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: shop\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))}, use: build }\n  two: { run: "touch two.ran", use: build }\n  other: { run: ${JSON.stringify(gate("other"))} }\n`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  await here.appeared("other.started");
  expect(await here.run(["cancel", "nothing"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("no task or workflow named nothing"),
  });
  expect((await here.run(["cancel"])).code).toBe(2);
  const cancelled = await here.run(["cancel", "two", "one"]);
  expect(cancelled).toMatchObject({ code: 0, stdout: "2 tasks cancelled, their processes are gone.\n" });
  expect(isAlive(Number(here.read("one.started")))).toBe(false);
  expect(isAlive(Number(here.read("other.started")))).toBe(true);
  here.write("other.go", "");
  const { code, stdout } = await run.finished;
  expect(code).toBe(1);
  expect(stdout).toMatch(/1 of 3 tasks succeeded, 2 cancelled/);
  expect(here.exists("two.ran")).toBe(false);
  expect(await here.run(["cancel", "--all"])).toMatchObject({
    code: 0,
    stdout: "Nothing to cancel: none of these runs or waits.\n",
  });
});

test("what a killed run held goes to the next, after all it started is dead", async () => {
  const here = directory();
  here.write("a.yaml", `name: a\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))}, use: build }\n`);
  here.write("b.yaml", `name: b\ntasks:\n  two: { run: "node -e 1", use: build }\n`);
  const first = here.start(["run", "a.yaml"]);
  await here.appeared("one.started");
  const second = here.start(["run", "b.yaml", "--verbose"]);
  await second.until(/two/);
  first.child.kill("SIGKILL");
  const { code } = await second.finished;
  expect(code).toBe(0);
  expect(isAlive(Number(here.read("one.started")))).toBe(false);
});

test("status --watch prints again when something changed, and ends with its reader", async () => {
  const here = directory();
  here.write("plan.yaml", `name: shop\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))} }\n`);
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  const watch = here.start(["status", "--watch", "--json"]);
  await watch.until(/"taskId":"one"/);
  here.write("one.go", "");
  await run.finished;
  await watch.until(/\n.*"running":\[\]/);
  watch.child.kill("SIGINT");
  const { code, stdout } = await watch.finished;
  expect(code).toBe(0);
  for (const line of stdout.trimEnd().split("\n")) expect(JSON.parse(line)).toMatchObject({ type: "status" });
});

test("the numbers of the user's own file, of a repository and of the start keep their order, and are shown", async () => {
  const here = directory();
  here.write("plan.yaml", `name: shop\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))}, use: build }\n`);
  here.write(".git/HEAD", "ref: refs/heads/main\n");
  here.write("lockyard.yaml", "resources: { build: { capacity: 3 } }\n");
  const first = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  const found = await here.run(["why", "build", "--json"]);
  expect(JSON.parse(found.stdout)).toMatchObject({
    capacity: 3,
    used: 1,
    declaredBy: [{ source: `${here.path}/lockyard.yaml`, capacity: 3, authority: false, counts: true }],
  });

  here.write(".config/lockyard/config.yaml", "resources: { build: { capacity: 5 } }\n");
  here.write("second.yaml", `name: late\ntasks:\n  two: { run: ${JSON.stringify(gate("two"))}, use: build }\n`);
  const second = here.start(["run", "second.yaml"]);
  await here.appeared("two.started");
  const why = await here.run(["why", "build"]);
  expect(why.stdout).toMatch(/^build \(2 of 5 units in use\) is held by 2 tasks/);
  expect(why.stdout).toMatch(
    /declared +5 by \S+config\.yaml \(your own file\); 3 by \S+lockyard\.yaml, which does not/,
  );
  const locks = await here.run(["status", "--locks"]);
  expect(locks.stdout).toMatch(/DECLARED +KIND +IN USE +HOW MANY, BY WHOM/);
  expect(locks.stdout).toMatch(/build +capacity +2 of 5 +5 by/);

  here.write("one.go", "");
  here.write("two.go", "");
  expect([(await first.finished).code, (await second.finished).code]).toEqual([0, 0]);
  expect(JSON.parse((await here.run(["why", "build", "--json"])).stdout).declaredBy).toEqual([]);
});

test("why says from what a claim was inferred that nobody wrote", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `name: api\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))}, context: { endpoints: [users] }, write: src }\n`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  const why = await here.run(["why", "one"]);
  expect(why.stdout).toMatch(/inferred +backend_services\/users from contextData\.endpoints\[0\]\n/);
  expect(JSON.parse((await here.run(["why", "one", "--json"])).stdout)).toMatchObject({
    inferred: { "backend_services/users": "contextData.endpoints[0]" },
  });
  here.write("one.go", "");
  expect((await run.finished).code).toBe(0);
});
