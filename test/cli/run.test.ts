import { expect, test } from "vitest";
import { gate, isAlive, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

const GOOD = `name: good
tasks:
  first: { run: "node -e 1" }
  second: { run: "echo well done", dependsOn: [first] }
`;

test("a plan that succeeds ends with 0, plain lines and the figures", async () => {
  const here = directory();
  here.write("plan.yaml", GOOD);
  const { code, stdout, stderr } = await here.run(["run", "plan.yaml"]);
  expect(stderr).toBe("");
  expect(code).toBe(0);
  expect(stdout).not.toContain("\u001b");
  expect(stdout).toMatch(/^● first started\n✓ first \d.*\n● second started\n✓ second .*\n {4}well done\n/);
  expect(stdout).toMatch(/✓ good-[0-9a-z]{4}: 2 tasks succeeded\n/);
  expect(stdout).toMatch(/run time +\S+ in all: \d\.\d× as fast as one after another/);
});

test("a task that fails makes 1, skips what needs it and leaves the rest alone", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `tasks:
  bad: { run: "node -e 'process.exit(3)'" }
  needs: { run: "node -e 1", dependsOn: [bad] }
  other: { run: "node -e 1" }
  always: { run: "node -e 1", dependsOn: [bad], if: always }
`,
  );
  const { code, stdout } = await here.run(["run", "plan.yaml"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/✗ bad failed after \S+ \(AGENT_EXITED\): node ended with exit code 3/);
  expect(stdout).toMatch(/- needs skipped: Task needs was skipped because bad ended failed/);
  expect(stdout).toMatch(/2 of 4 tasks succeeded, 1 failed, 1 skipped/);
});

test("every fault of a plan is told at once with its line, and nothing starts", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `tasks:
  one: { run: "touch started", usee: build }
  two: { run: "node -e 1", dependsOn: [onne] }
`,
  );
  const { code, stdout, stderr } = await here.run(["run", "plan.yaml"]);
  expect(code).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toMatch(/plan\.yaml:2:\d+ .*usee/);
  expect(stderr).toMatch(/plan\.yaml:3:\d+ .*onne/);
  expect(stderr).toMatch(/Did you mean|did you mean/i);
  expect(stderr).toMatch(/2 \| {3}one: \{ run/);
  expect(here.exists("started")).toBe(false);
});

test("a coding agent that is not installed is refused before anything starts, with how to get it", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `agents:\n  writer: { kind: claude-code, env: { PATH: /nowhere } }\ntasks:\n  one: { run: "touch started" }\n  two: { agent: writer, description: Rewrite it }\n`,
  );
  const { code, stderr } = await here.run(["run", "plan.yaml"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/task two: its agent writer is Claude Code, and claude is not installed, or not in PATH/);
  expect(stderr).toContain("npm install -g @anthropic-ai/claude-code");
  expect(here.exists("started")).toBe(false);
});

test("a deadline ends what is left, with 3", async () => {
  const here = directory();
  here.write("plan.yaml", `tasks:\n  slow: { run: ${JSON.stringify(gate("slow"))} }\n`);
  const { code, stdout } = await here.run(["run", "plan.yaml", "--deadline", "2s"]);
  expect(code).toBe(3);
  expect(stdout).toMatch(/slow timed out/);
});

test("a store that cannot be used is 4", async () => {
  const here = directory();
  here.write("plan.yaml", GOOD);
  here.write("store.db", "this is no database, but a letter\n".repeat(100));
  const { code, stderr } = await here.run(["run", "plan.yaml"]);
  expect(code).toBe(4);
  expect(stderr).toMatch(/^error: .*store\.db/);
});

test("bad usage is 2, and says what was meant", async () => {
  const here = directory();
  here.write("lockyard.plan.yaml", GOOD);
  expect(await here.run(["rnu"])).toMatchObject({ code: 2, stderr: expect.stringContaining("Did you mean run?") });
  expect(await here.run(["run", "nothere.yaml"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("There is lockyard.plan.yaml."),
  });
  expect((await here.run(["run", "lockyard.plan.yaml", "--concurrency", "0"])).code).toBe(2);
  expect(await here.run(["run", "lockyard.plan.yaml", "--only", "secnod"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("Did you mean second?"),
  });
});

test("--json is a line an event, and the last one has it all", async () => {
  const here = directory();
  here.write("plan.yaml", GOOD);
  const { code, stdout } = await here.run(["run", "plan.yaml", "--json"]);
  expect(code).toBe(0);
  const lines = stdout
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const types = lines.map(({ type }) => type);
  expect(types).toContain("task-submitted");
  expect(types).toContain("task-started");
  expect(types.filter((type) => type === "workflow-finished")).toHaveLength(1);
  const last = lines.at(-1) ?? {};
  expect(last).toMatchObject({
    type: "workflow-finished",
    workflowId: expect.stringMatching(/^good-[0-9a-z]{4}$/),
    summary: { total: 2, succeeded: 2, failed: 0, timedOut: 0, cancelled: 0, skipped: 0 },
  });
  expect(last.results).toMatchObject([
    { taskId: "first", success: true },
    { taskId: "second", output: "well done" },
  ]);
});

test("a fault under --json is JSON too", async () => {
  const here = directory();
  here.write("plan.yaml", "tasks: {}\n");
  const { code, stdout } = await here.run(["run", "plan.yaml", "--json"]);
  expect(code).toBe(2);
  expect(JSON.parse(stdout)).toMatchObject({ type: "error", code: "INVALID_PLAN", faults: [expect.anything()] });
});

test("results of one task reach the next, and a list unfolds when it is known", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `tasks:
  list: { run: "echo '::lockyard {\\"result\\": {\\"files\\": [\\"a\\", \\"b\\"]}}'" }
  each: { run: "echo got {{file}}", forEach: { from: list.output.files, as: file }, dependsOn: [list] }
  join: { run: "echo {{results.list.output.files}}", dependsOn: [each, list] }
`,
  );
  const { code, stdout } = await here.run(["run", "plan.yaml", "--json"]);
  const last = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  expect(last.results.map(({ taskId, output }: { taskId: string; output: unknown }) => [taskId, output])).toEqual([
    ["list", { files: ["a", "b"] }],
    ["each[a]", "got a"],
    ["each[b]", "got b"],
    ["join", '["a","b"]'],
  ]);
  expect(code).toBe(0);
});

test("Ctrl-C once lets running tasks finish and starts no more", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `concurrency: 1\ntasks:\n  one: { run: ${JSON.stringify(gate("one"))} }\n  two: { run: "touch two.ran" }\n`,
  );
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  run.child.kill("SIGINT");
  await run.until(/1 task had not started and will not/);
  here.write("one.go", "");
  const { code, stdout } = await run.finished;
  expect(code).toBe(130);
  expect(stdout).toMatch(/✓ one/);
  expect(stdout).toMatch(/1 of 2 tasks succeeded, 1 cancelled/);
  expect(here.exists("two.ran")).toBe(false);
});

test("Ctrl-C twice stops what runs, and nothing of it is left", async () => {
  const here = directory();
  here.write("plan.yaml", `tasks:\n  one: { run: ${JSON.stringify(gate("one"))} }\n`);
  const run = here.start(["run", "plan.yaml"]);
  await here.appeared("one.started");
  run.child.kill("SIGINT");
  await run.until(/Interrupted:/);
  run.child.kill("SIGINT");
  const { code, stdout } = await run.finished;
  expect(code).toBe(130);
  expect(stdout).toMatch(/one cancelled/);
  expect(isAlive(Number(here.read("one.started")))).toBe(false);
});

test("--no-keep-going starts nothing more after the first failure", async () => {
  const here = directory();
  here.write(
    "plan.yaml",
    `concurrency: 1\ntasks:\n  bad: { run: "node -e 'process.exit(1)'" }\n  next: { run: ${JSON.stringify(gate("next"))} }\n`,
  );
  const { code, stdout } = await here.run(["run", "plan.yaml", "--no-keep-going"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/0 of 2 tasks succeeded, 1 failed, 1 cancelled/);
});

test("--only runs a task and what it depends on", async () => {
  const here = directory();
  here.write("plan.yaml", `${GOOD}  third: { run: "touch third.ran" }\n`);
  const { code, stdout } = await here.run(["run", "plan.yaml", "--only", "second"]);
  expect(code).toBe(0);
  expect(stdout).toMatch(/2 tasks succeeded/);
  expect(here.exists("third.ran")).toBe(false);
});

test("LOCKYARD=off shares nothing and says so once", async () => {
  const here = directory();
  here.write("plan.yaml", GOOD);
  const { code, stderr } = await here.run(["run", "plan.yaml"], { LOCKYARD: "off" });
  expect(code).toBe(0);
  expect(stderr).toBe("lockyard: LOCKYARD=off: the locks of this run reach no other process.\n");
  expect(here.exists("store.db")).toBe(false);
});

test("a reader that leaves early breaks nothing", async () => {
  const here = directory();
  here.write("plan.yaml", GOOD);
  const { code, stderr, stdout } = await here.shell(
    "$CLI run plan.yaml | head -1; echo $PIPESTATUS; $CLI --help | head -1; $CLI status --json | true",
  );
  expect(stderr).toBe("");
  expect(stdout).toMatch(/^● first started\n0\nUsage:/);
  expect(code).toBe(0);
});
