import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { ENTRY, useCommandLine } from "../cli/harness.ts";
import { agents, gone, lives, script, useHosts } from "./harness.ts";

const { directory } = useCommandLine();
const host = useHosts();

const NEST =
  'const { spawn } = require("node:child_process"); const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" }); fs.writeFileSync("pids.new", process.pid + " " + child.pid); fs.renameSync("pids.new", "pids"); await until("never");';

const ends = {
  "closes the pipe": async ({ close }: { close(): Promise<void> }) => close(),
  "sends SIGINT": async ({ pid }: { readonly pid: number }) => process.kill(pid, "SIGINT"),
  "sends SIGTERM": async ({ pid }: { readonly pid: number }) => process.kill(pid, "SIGTERM"),
  "kills the server": async ({ pid }: { readonly pid: number }) => process.kill(pid, "SIGKILL"),
};

test.each(Object.entries(ends))("nothing survives a host that %s", async (_, end) => {
  const here = directory();
  agents(here, { nest: script(here, "nest.cjs", NEST) });
  const running = await host(here);
  await running.call("start_tasks", { tasks: [{ id: "nest", agent: "nest", description: "work", write: "src" }] });
  await here.appeared("pids");
  const pids = here.read("pids").split(" ").map(Number);
  expect(pids.map(lives)).toEqual([true, true]);
  await end(running);
  for (const pid of [...pids, running.pid]) await gone(pid);
  // What it held is free, and it is told how the task ended.
  const next = await here.run(["exec", "--write", "src", "--timeout", "20s", "--", "true"]);
  expect(next.code).toBe(0);
  const { stdout } = await here.run(["status", "--json"]);
  expect(JSON.parse(stdout).running).toEqual([]);
});

test("two hosts of one directory share one line, and other terminals see the tasks of both", async () => {
  const here = directory();
  agents(here, {
    gate: script(here, "gate.cjs", 'fs.writeFileSync(task.taskId, ""); await until("go"); say("done");'),
  });
  const [one, two] = [await host(here), await host(here, { era: "legacy" })];
  const task = { agent: "gate", description: "work", write: "src" };
  const first = one.call("run_task", { ...task, id: "one" });
  await here.appeared("one");
  const messages: string[] = [];
  const onProgress = ({ message = "" }) => messages.push(message);
  const second = two.call("run_task", { ...task, id: "two" }, { onProgress });
  const why = await here.run(["why", "src", "--json"]);
  expect(JSON.parse(why.stdout).holders).toMatchObject([
    { taskId: "one", owner: expect.stringContaining("mcp test-host") },
  ]);
  while (!messages.some((message) => /two .*src/.test(message)))
    await new Promise((resolve) => setTimeout(resolve, 50));
  expect(here.exists("two")).toBe(false);
  here.write("go", "");
  expect((await first).data.tasks).toMatchObject([{ output: "done" }]);
  expect((await second).data.tasks).toMatchObject([{ output: "done" }]);
  const { stdout } = await here.run(["report", "--json"]);
  expect(JSON.parse(stdout).workflows).toHaveLength(2);
  expect((await here.run(["logs", "two"])).stdout).toBe("done");
});

test("what is no message is refused, and the next one is served", async () => {
  const here = directory();
  const child = spawn(process.execPath, [ENTRY, "mcp"], { cwd: here.path, env: { ...here.env } });
  let output = "";
  const line = (pattern: RegExp) =>
    new Promise<void>((resolve) => {
      const look = () => pattern.test(output) && resolve();
      child.stdout.on("data", look);
      look();
    });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const send = (text: string) => child.stdin.write(`${text}\n`);
  send(
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}',
  );
  await line(/"id":1/);
  send("{ this is no JSON");
  send('{"jsonrpc":"1.0","id":2,"method":"tools/list"}');
  send('{"jsonrpc":"2.0","id":3,"method":"no/such"}');
  send('{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"no_such_tool","arguments":{}}}');
  send('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"run_task","arguments":{"agent":7}}}');
  send('{"jsonrpc":"2.0","id":6,"method":"tools/list"}');
  await line(/"id":6/);
  await line(/"id":5/);
  expect(output).toMatch(/"id":3,"error":\{"code":-32601/);
  expect(output).toMatch(/"id":4,"error":\{"code":-32602/);
  expect(output).toMatch(/Invalid arguments for tool run_task/);
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  child.stdin.end();
  expect(await ended).toBe(0);
});
