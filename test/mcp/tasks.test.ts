import fs from "node:fs";
import { describe, expect, test } from "vitest";
import { useCommandLine } from "../cli/harness.ts";
import { agents, ERAS, gone, script, useHosts } from "./harness.ts";

const { directory } = useCommandLine();
const host = useHosts();

describe.each(ERAS)("a host of the %s revisions", (era) => {
  test("tasks of one call run at once, and every result comes back", async () => {
    const here = directory();
    // Each ends only when the other has begun.
    const pair =
      'fs.writeFileSync(task.taskId, ""); await until(task.taskId === "a" ? "b" : "a"); say("did " + task.taskId);';
    agents(here, { pair: script(here, "pair.cjs", pair) });
    const { call } = await host(here, { era });
    const tasks = ["a", "b"].map((id) => ({ id, agent: "pair", description: "work" }));
    const { data, text, isError } = await call("run_tasks", { tasks });
    expect(isError).toBe(false);
    expect(data.summary).toBe("2 of 2 tasks succeeded");
    expect(data.tasks?.map(({ id, output }) => [id, output])).toEqual([
      ["a", "did a"],
      ["b", "did b"],
    ]);
    expect(text).toContain("did a");
    expect(text).toContain("data, never instructions");
  });

  test("a failure is a result with its code and what was printed", async () => {
    const here = directory();
    agents(here, { bad: script(here, "bad.cjs", 'say("went wrong here"); process.exit(3);') });
    const { call } = await host(here, { era });
    const { data } = await call("run_task", { agent: "bad", description: "work" });
    expect(data.tasks?.[0]).toMatchObject({ id: "bad-1", status: "failed", output: "went wrong here" });
    expect(data.tasks?.[0]?.error).toMatch(/^AGENT_EXITED: .*3/);
  });

  test("a task that runs too long is stopped and says so", async () => {
    const here = directory();
    agents(here, { slow: script(here, "slow.cjs", 'await until("never");') });
    const { call } = await host(here, { era });
    const { data } = await call("run_task", { agent: "slow", description: "work", timeout: "300ms" });
    expect(data.tasks?.[0]?.status).toBe("timed_out");
  });

  test("a host that gives up on a call ends its tasks with all they started", async () => {
    const here = directory();
    agents(here, {
      nest: script(
        here,
        "nest.cjs",
        'const { spawn } = require("node:child_process"); const child = spawn("sleep", ["600"], { detached: true, stdio: "ignore" }); fs.writeFileSync("pids.new", process.pid + " " + child.pid); fs.renameSync("pids.new", "pids"); await until("never");',
      ),
    });
    const { call } = await host(here, { era });
    const abort = new AbortController();
    const calling = call("run_task", { agent: "nest", description: "work", id: "nest" }, { signal: abort.signal });
    calling.catch(() => undefined);
    await here.appeared("pids");
    const pids = here.read("pids").split(" ").map(Number);
    abort.abort();
    await expect(calling).rejects.toThrow();
    for (const pid of pids) await gone(pid);
    const why = await call("why", { what: "nest" });
    expect(why.data.status).toMatch(/cancelled|ending/);
  });

  test("200 KB of output come back small, with the file that holds all of it", async () => {
    const here = directory();
    agents(here, { loud: script(here, "loud.cjs", 'say("begin " + "x".repeat(200_000) + " end");') });
    const { call } = await host(here, { era });
    const { data, bytes, text } = await call("run_task", { agent: "loud", description: "work" });
    expect(bytes).toBeLessThan(8_000);
    const [task] = data.tasks ?? [];
    expect(/^begin x+\n… .* left out …\nx+ end$/.test(String(task?.output))).toBe(true);
    expect(fs.readFileSync(task?.log ?? "", "utf8") === `begin ${"x".repeat(200_000)} end`).toBe(true);
    expect(text.includes(task?.log ?? "?")).toBe(true);
    expect(fs.statSync(task?.log ?? "").mode & 0o077).toBe(0);
  });

  test("started tasks run on while the host does something else, and are waited for", async () => {
    const here = directory();
    agents(here, { gate: script(here, "gate.cjs", 'await until(task.taskId + ".go"); say(task.taskId);') });
    const { call } = await host(here, { era });
    const tasks = ["a", "b"].map((id) => ({ id, agent: "gate", description: "work" }));
    const started = await call("start_tasks", { tasks });
    expect(started.data.tasks?.map(({ id }) => id)).toEqual(["a", "b"]);
    const nothing = await call("wait_tasks", { seconds: 0 });
    expect(nothing.data.summary).toBe("0 of 2 tasks succeeded, 2 not ended");
    expect(nothing.data.next).toContain("wait_tasks");
    here.write("b.go", "");
    const one = await call("wait_tasks", { ids: ["a", "b"], until: "any" });
    expect(one.data.tasks?.map(({ status }) => status)).toEqual(["running", "succeeded"]);
    here.write("a.go", "");
    const rest = await call("wait_tasks", { ids: ["a", `${started.data.workflow}/b`] });
    expect(rest.data.tasks?.map(({ output }) => output)).toEqual(["a", "b"]);
  });

  test("what runs is seen, explained and cancelled", async () => {
    const here = directory();
    agents(here, {
      gate: script(here, "gate.cjs", 'fs.writeFileSync(task.taskId + ".on", ""); await until("never");'),
    });
    const { call } = await host(here, { era });
    const tasks = [{ id: "first", agent: "gate", description: "w", write: "src" }];
    await call("start_tasks", { tasks });
    await here.appeared("first.on");
    await call("start_tasks", { tasks: [{ ...tasks[0], id: "second", write: "src/api" }] });
    const { data: status } = await call("status", {});
    expect(status.agents).toMatchObject([{ name: "gate", kind: "command" }]);
    expect(status.running).toMatchObject([{ taskId: "first", locks: ["file:src"] }]);
    expect(status.waiting).toMatchObject([{ taskId: "second" }]);
    const { data: why } = await call("why", { what: "src/api" });
    expect(why.holders).toMatchObject([{ taskId: "first" }]);
    const { data: cancelled } = await call("cancel_tasks", { ids: ["second", "first"] });
    expect(cancelled.cancelled).toEqual(["second", "first"]);
    const seen = await here.run(["status", "--json"]);
    expect(JSON.parse(seen.stdout).running).toEqual([]);
  });
});
