// The protocol's own inspector, as a person would use it from a terminal, calls every tool.
import { execFile } from "node:child_process";
import { expect, test } from "vitest";
import { installProgram } from "../../scripts/hosts.mjs";
import { ENTRY, useCommandLine } from "../cli/harness.ts";
import { agents, script } from "../mcp/harness.ts";

const { directory } = useCommandLine();

const task = { agent: "echo", description: "said" };
const CALLS: Readonly<Record<string, { readonly input: object; readonly answer: RegExp }>> = {
  run_tasks: {
    input: {
      tasks: [
        { ...task, id: "a" },
        { ...task, id: "b", dependsOn: "a" },
      ],
    },
    answer: /2 of 2 tasks succeeded/,
  },
  run_task: { input: task, answer: /1 of 1 task succeeded/ },
  run_readonly_task: { input: task, answer: /1 of 1 task succeeded/ },
  start_tasks: { input: { tasks: [task] }, answer: /Call wait_tasks/ },
  wait_tasks: { input: { seconds: 0 }, answer: /Nothing runs and nothing waits/ },
  status: { input: {}, answer: /"agents":\[\{"name":"echo"/ },
  why: { input: { what: "./src" }, answer: /"resourceId":"file:src"/ },
  cancel_tasks: { input: { ids: ["none"] }, answer: /Nothing named .*none.* was started here/ },
  answer_task: { input: { id: "none", answer: "yes" }, answer: /Nothing named .*none.* was started here/ },
  acquire_locks: { input: { write: "src" }, answer: /release_locks as soon as you are done/ },
  release_locks: { input: { id: "none" }, answer: /No lock .*none.* is held any more/ },
};

test("every tool can be called by hand, and says what it did", async () => {
  const inspector = await installProgram("inspector");
  const here = directory();
  agents(here, { echo: { ...script(here, "echo.cjs", "say(task.description);"), readOnly: true } });
  const inspect = (args: readonly string[]) =>
    new Promise<string>((resolve) => {
      const whole = [inspector, "--cli", process.execPath, ENTRY, "mcp", "--locks", ...args];
      execFile(process.execPath, whole, { cwd: here.path, env: { ...here.env }, timeout: 60_000 }, (_, out, err) =>
        resolve(out + err),
      );
    });
  const listed = await inspect(["--method", "tools/list"]);
  for (const name of Object.keys(CALLS)) expect(listed).toContain(`"${name}"`);
  for (const [name, { input, answer }] of Object.entries(CALLS)) {
    const given = Object.entries(input).flatMap(([key, value]) => [
      "--tool-arg",
      `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
    ]);
    const said = await inspect(["--method", "tools/call", "--tool-name", name, ...given]);
    expect(said.replaceAll('\\"', '"'), name).toMatch(answer);
  }
});
