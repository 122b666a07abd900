// Plans whose agents speak the Agent Client Protocol.
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const AGENT = fileURLToPath(new URL("../support/scripted-acp-agent.mjs", import.meta.url));

const commandLine = useCommandLine();

interface Told {
  readonly type: string;
  readonly summary?: object;
  readonly results?: readonly { readonly taskId: string; readonly output: unknown; readonly evidence: unknown }[];
}

function planOf(tasks: Readonly<Record<string, object>>): string {
  const agents = { writer: { kind: "acp", run: [process.execPath, AGENT], env: { FROM_AGENT: "1" } } };
  return JSON.stringify({ name: "acp", agents, tasks });
}

function task(steps: readonly object[]): object {
  return { agent: "writer", description: "Do it.", env: { SCRIPT: JSON.stringify(steps) } };
}

function lastOf(stdout: string): Told {
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Told; // our own output
}

test("two agents of a plan that meet at one file take turns, and no edit is lost", async () => {
  const here = commandLine.directory();
  here.write("notes.txt", "0");
  // Each writes what it read before the other asked: without a lock both have read the same then.
  const edit = (mine: string, other: string) => ({
    edit: "notes.txt",
    add: mine,
    asking: `${mine}-asks`,
    after: `${other}-asks`,
  });
  const first = task([edit("1", "2"), { say: "First." }]);
  const second = task([edit("2", "1"), { say: "Second." }]);
  here.write("plan.json", planOf({ first, second }));
  const { code, stdout } = await here.run(["run", "plan.json", "--json"]);
  const { results } = lastOf(stdout);
  expect(code).toBe(0);
  expect(results?.map(({ output }) => output)).toEqual(["First.", "Second."]);
  expect([...here.read("notes.txt")].sort()).toEqual(["0", "1", "2"]);
});

test("an agent that is not installed is refused before anything starts, and told how to get it", async () => {
  const here = commandLine.directory();
  const agents = { gone: { kind: "acp", run: "gemini --acp", env: { PATH: here.path } } };
  const tasks = { first: { run: "touch started" }, second: { agent: "gone", description: "Do it." } };
  here.write("plan.json", JSON.stringify({ name: "acp", agents, tasks }));
  const { code, stderr } = await here.run(["run", "plan.json"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/task second: its agent gone is an ACP agent, gemini --acp, and gemini is not installed/);
  expect(stderr).toContain("npm install -g @google/gemini-cli");
  expect(here.exists("started")).toBe(false);
});

test("an agent does what its permissions allow, and is told apart by its variables", async () => {
  const here = commandLine.directory();
  const steps = [{ call: { kind: "execute", title: "npm test" } }, { edit: "a.txt", add: "x" }];
  const plan = planOf({ one: task(steps) }).replace('"kind":"acp"', '"kind":"acp","permissions":"plan"');
  here.write("plan.json", plan);
  const { code, stdout } = await here.run(["run", "plan.json", "--json"]);
  expect(code).toBe(0);
  expect(lastOf(stdout).results?.[0]?.evidence).toEqual([
    "refused: execute npm test: it may only look",
    "refused: edit Edit a.txt: it may only look",
  ]);
  expect(here.exists("a.txt")).toBe(false);
});
