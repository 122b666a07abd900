import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, test } from "vitest";
import { type HeardContext, heardContext, someTask } from "../../../test/support/agent-context.ts";
import { agentReport, isAgentReport } from "../../core/agent-report.ts";
import { describeError } from "../../core/task-error.ts";
import { type ThreadAgent, type ThreadAgentOptions, threadAgent } from "./thread-agent.ts";

const agents: ThreadAgent<unknown, unknown>[] = [];
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
});

/** An agent whose threads run the given source. */
function threads(source: string, options: ThreadAgentOptions<unknown, unknown> = {}): ThreadAgent<unknown, unknown> {
  const agent = threadAgent<unknown, unknown>(`data:text/javascript,${encodeURIComponent(source)}`, {
    concurrency: 1,
    ...options,
  });
  agents.push(agent);
  return agent;
}

/** One thread that does what `contextData.do` says. */
const EVIL = `
  export async function run(task, ctx) {
    const { what, value } = task.contextData;
    if (what === "echo") return value;
    if (what === "start") { ctx.emit("started"); return value; }
    if (what === "loop") { ctx.emit("started"); for (;;); }
    if (what === "bomb") { const all = []; for (;;) all.push(new Array(1e5).fill(all.length)); }
    if (what === "exit") process.exit(7);
    if (what === "callback") { setTimeout(() => { throw new Error("from a callback"); }); return new Promise(() => {}); }
    if (what === "late") { setTimeout(() => Promise.reject(new Error("too late"))); return value; }
    if (what === "rejection") { Promise.reject(new Error("nobody listens")); return new Promise(() => {}); }
    if (what === "throw") throw Object.assign(new Error("plain"), { retryable: true });
    if (what === "falsy") throw undefined;
    if (what === "function") return () => {};
    if (what === "forever") { ctx.emit("started"); return new Promise(() => {}); }
    if (what === "polite") return new Promise((resolve, reject) => {
      ctx.signal.addEventListener("abort", () => reject(ctx.signal.reason)); ctx.emit("started");
    });
  }
`;

async function ask(agent: ThreadAgent<unknown, unknown>, what: string, value?: unknown, heard = heardContext()) {
  return agent.run(someTask({ contextData: { what, value: value as string } }), heard.ctx);
}

async function failureOf(running: Promise<unknown>) {
  return describeError(
    await running.then(
      (output) => expect.unreachable(`gave ${JSON.stringify(output)}`),
      (error: unknown) => error,
    ),
  );
}

const started = (heard: HeardContext) => heard.until(() => heard.chunks.includes("started"));

describe("work", () => {
  test("many calls share a warm thread and each gets its own output", async () => {
    const agent = threads(EVIL, { concurrency: 2 });
    const outputs = await Promise.all(Array.from({ length: 500 }, (_, index) => ask(agent, "echo", index)));
    expect(outputs).toEqual(Array.from({ length: 500 }, (_, index) => index));
    expect(agent.threads()).toHaveLength(2);
  });

  test("the context crosses: data, progress, output, log, heartbeat, report", async () => {
    const agent = threads(`
      export function run(task, ctx) {
        ctx.progress(0.5, "half"); ctx.heartbeat(); ctx.emit({ a: 1 }); ctx.log.warn("careful", { b: 2 });
        const { attempt, fence, env, dependencies, taskId, instanceId, workflowId } = ctx;
        const report = { success: true, output: { attempt, fence, env, dependencies, taskId, instanceId, workflowId }, confidenceScore: 0.5, evidence: ["e"], errorMessage: null };
        return Object.defineProperty(report, Symbol.for("lockyard.agent-report"), { value: true });
      }`);
    const heard = heardContext({ attempt: 3 });
    const output = await agent.run(someTask(), heard.ctx);
    expect(isAgentReport(output)).toBe(true);
    const { attempt, fence, env, dependencies, taskId, instanceId, workflowId } = heard.ctx;
    expect(output).toEqual(
      agentReport({
        output: { attempt, fence, env, dependencies, taskId, instanceId, workflowId },
        confidenceScore: 0.5,
        evidence: ["e"],
      }),
    );
    expect(heard).toMatchObject({
      progress: [[0.5, "half"]],
      chunks: [{ a: 1 }],
      heartbeats: 1,
      logs: [{ level: "warn", message: "careful" }],
    });
  });

  test("one thread runs one task at a time, several when allowed", async () => {
    const source = `let now = 0, most = 0; export async function run() { most = Math.max(most, ++now); await new Promise(setImmediate); now--; return most; }`;
    for (const tasksPerThread of [1, 3]) {
      const agent = threads(source, { tasksPerThread });
      const most = await Promise.all(Array.from({ length: 9 }, () => agent.run(someTask(), heardContext().ctx)));
      expect(most.at(-1)).toBe(tasksPerThread);
    }
  });

  test("an idle thread takes over what waits behind a long task", async () => {
    const agent = threads(EVIL, { concurrency: 2, graceMs: 0 });
    const heard = heardContext();
    const long = failureOf(ask(agent, "loop", 0, heard));
    await started(heard);
    const outputs = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(agent, "echo", index)));
    expect(outputs).toHaveLength(50);
    heard.abort();
    expect((await long).code).toBe("CANCELLED");
  });

  test("a result leaves the thread before the next task's code runs", async () => {
    const agent = threads(EVIL, { graceMs: 0 });
    const heard = heardContext();
    const first = ask(agent, "echo", "early");
    const loop = failureOf(ask(agent, "loop", 0, heard));
    expect(await first).toBe("early");
    await started(heard);
    heard.abort();
    await loop;
  });
});

describe("what goes wrong", () => {
  test.for([
    ["throw", { code: "AGENT_FAILED", message: "plain", retryable: true }],
    ["falsy", { code: "AGENT_FAILED", message: "The agent threw undefined, which is not an Error." }],
    ["function", { code: "INVALID_OUTPUT" }],
    ["exit", { code: "AGENT_EXITED", message: "Task task-1 ended its thread with code 7." }],
    ["callback", { code: "AGENT_CRASHED", message: expect.stringContaining("from a callback") }],
    ["rejection", { code: "AGENT_CRASHED", message: expect.stringContaining("nobody listens") }],
    ["bomb", { code: "OUT_OF_MEMORY" }],
  ] as const)("%s fails that task only", async ([what, expected]) => {
    const agent = threads(EVIL, { resourceLimits: { maxOldGenerationSizeMb: 24 } });
    const before = ask(agent, "echo", "before");
    const evil = failureOf(ask(agent, what));
    const after = Array.from({ length: 20 }, (_, index) => ask(agent, "echo", index));
    expect(await before).toBe("before");
    expect(await evil).toMatchObject(expected);
    expect(await Promise.all(after)).toHaveLength(20);
  });

  test("what a task leaves to fail after its end is told, and harms nobody", async () => {
    const agent = threads(EVIL, { tasksPerThread: 2 });
    const heard = heardContext();
    const running = ask(agent, "polite", 0, heard);
    await started(heard);
    expect(await ask(agent, "late", 1, heard)).toBe(1);
    await heard.until(() => heard.logs.length > 0);
    expect(heard.logs[0]).toMatchObject({ level: "warn", message: expect.stringContaining("too late") });
    heard.abort();
    expect((await failureOf(running)).code).toBe("CANCELLED");
  });

  test("of the tasks that share a thread the one that crashes it is known", async () => {
    const agent = threads(EVIL, { tasksPerThread: 2 });
    const heard = heardContext();
    const innocent = failureOf(ask(agent, "forever", 0, heard));
    await started(heard);
    const guilty = failureOf(ask(agent, "callback"));
    expect(await guilty).toMatchObject({ code: "AGENT_CRASHED", retryable: false });
    expect(await innocent).toMatchObject({ code: "AGENT_CRASHED", retryable: true });
  });

  test("a context that cannot be copied fails its own task only", async () => {
    const agent = threads(EVIL);
    const [good, bad] = [ask(agent, "echo", 1), failureOf(ask(agent, "echo", () => {}))];
    expect(await good).toBe(1);
    expect(await bad).toMatchObject({ code: "INVALID_CONTEXT" });
  });

  test("a module that is missing, broken or without run says so, and everybody waiting is told", async () => {
    const missing = threadAgent(new URL("file:///no/such/worker.js"), { concurrency: 1 });
    agents.push(missing);
    const errors = await Promise.all([1, 2, 3].map(() => failureOf(ask(missing, "echo"))));
    for (const error of errors) {
      expect(error).toMatchObject({ code: "SPAWN_FAILED", message: expect.stringContaining("could not be loaded") });
    }
    expect(await failureOf(ask(threads("syntax error"), "echo"))).toMatchObject({ code: "SPAWN_FAILED" });
    expect(await failureOf(ask(threads("export const walk = 1"), "echo"))).toMatchObject({
      message: expect.stringContaining("has no export named run"),
    });
    expect(await failureOf(ask(threads("process.exit(3)"), "echo"))).toMatchObject({
      code: "SPAWN_FAILED",
      message: expect.stringContaining("ended before it was ready"),
    });
  });

  test("a flood of output is dropped at a bound and counted, the result arrives", async () => {
    const agent = threads(
      `export function run(_, ctx) { for (let i = 0; i < 50_000; i++) ctx.emit(i); return "end"; }`,
    );
    const heard = heardContext();
    expect(await agent.run(someTask(), heard.ctx)).toBe("end");
    expect(heard.chunks.length).toBeLessThanOrEqual(50_000);
    expect(heard.chunks.length).toBeGreaterThanOrEqual(10_000);
  });
});

describe("stopping", () => {
  test("a polite task ends by the signal and its thread stays", async () => {
    const agent = threads(EVIL);
    const heard = heardContext();
    const running = failureOf(ask(agent, "polite", 0, heard));
    await started(heard);
    const [before] = agent.threads();
    heard.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(agent.threads()[0]?.threadId).toBe(before?.threadId);
  });

  test("an endless loop is ended with its thread, which is replaced", async () => {
    const agent = threads(EVIL, { graceMs: 10 });
    const heard = heardContext();
    const running = failureOf(ask(agent, "loop", 0, heard));
    const after = ask(agent, "echo", "after");
    await started(heard);
    heard.abort();
    expect(await running).toMatchObject({
      code: "CANCELLED",
      message: expect.stringContaining("did not stop by itself"),
    });
    expect(await after).toBe("after");
  });

  test("a task that was not begun is taken back without harm to the thread", async () => {
    const agent = threads(EVIL, { graceMs: 0 });
    const [long, queued] = [heardContext(), heardContext()];
    const running = failureOf(ask(agent, "loop", 0, long));
    await started(long);
    const waiting = failureOf(ask(agent, "echo", 0, queued));
    queued.abort();
    expect(await waiting).toMatchObject({
      code: "CANCELLED",
      message: expect.stringContaining("before its thread began it"),
    });
    long.abort();
    await running;
  });

  test("tasks that shared a thread with one that had to be ended may be tried again", async () => {
    const agent = threads(EVIL, { graceMs: 0, tasksPerThread: 2 });
    const [innocent, guilty] = [heardContext(), heardContext()];
    const other = failureOf(ask(agent, "forever", 0, innocent));
    await started(innocent);
    const running = failureOf(ask(agent, "loop", 0, guilty));
    await started(guilty);
    guilty.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(await other).toMatchObject({ code: "AGENT_CRASHED", retryable: true });
  });

  test("close ends every thread and fails what was with them; later calls are refused", async () => {
    const agent = threads(EVIL);
    const heard = heardContext();
    const running = failureOf(ask(agent, "loop", 0, heard));
    const waiting = failureOf(ask(agent, "echo"));
    await started(heard);
    await agent.close();
    await agent.close();
    expect((await running).code).toBe("CLOSED");
    expect((await waiting).code).toBe("CLOSED");
    expect((await failureOf(ask(agent, "echo"))).code).toBe("CLOSED");
    expect(agent.threads()).toEqual([]);
  });
});

test("a stuck thread shows no sign of life, a working one does", async () => {
  const agent = threads(EVIL, { graceMs: 0, concurrency: 2 });
  const [stuck, alive] = [heardContext(), heardContext()];
  const running = [failureOf(ask(agent, "loop", 0, stuck)), failureOf(ask(agent, "forever", 0, alive))];
  await Promise.all([started(stuck), started(alive)]);
  const ticks = () => agent.threads().map(({ lastTick }) => lastTick);
  const before = ticks();
  for (let now = before; now[1] === before[1]; now = ticks()) {
    expect(now[0]).toBe(before[0]);
    await new Promise(setImmediate);
  }
  stuck.abort();
  alive.abort();
  await Promise.all(running);
});

test("an idle thread does not keep the process alive, a working one does", () => {
  const source = `
    import { threadAgent } from ${JSON.stringify(new URL("thread-agent.ts", import.meta.url).href)};
    import { heardContext, someTask } from ${JSON.stringify(new URL("../../../test/support/agent-context.ts", import.meta.url).href)};
    const code = "export const run = () => new Promise(function (resolve) { setTimeout(resolve, 50, 'late'); })";
    const agent = threadAgent("data:text/javascript," + encodeURIComponent(code), { idleMs: 1e9 });
    agent.run(someTask(), heardContext().ctx).then(console.log);`;
  const ended = spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    encoding: "utf8",
    timeout: 15_000,
  });
  expect(ended).toMatchObject({ status: 0, stdout: "late\n" });
});

test("an idle thread ends after its time", async () => {
  const agent = threads(EVIL, { idleMs: 1 });
  await ask(agent, "echo");
  while (agent.threads().length > 0) await new Promise(setImmediate);
});
