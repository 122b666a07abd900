/** Every state of a task and every clock that runs in it, on the virtual clock. */
import { describe, expect, test } from "vitest";
import { call, stubborn, takes, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import type { AgentContext } from "../core/ports.ts";
import type { TaskStatus } from "../core/task.ts";

type Layer = ReturnType<typeof virtualLayer>["layer"];

/** What the store says of a task. */
async function statusOf(layer: Layer, taskId: string): Promise<TaskStatus | undefined> {
  return (await layer.status()).tasks.find((task) => task.taskId === taskId)?.status;
}

describe("states", () => {
  test("blocked, waiting, running, succeeded", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b"), call("c", { dependsOn: ["b"] })]);
    await clock.advance(1);
    expect(await statusOf(layer, "a")).toBe("running");
    expect(await statusOf(layer, "b")).toBe("waiting");
    expect(await statusOf(layer, "c")).toBe("blocked");
    await clock.advance(20);
    expect(await statusOf(layer, "c")).toBe("running");
    expect((await clock.run(done)).map(({ status }) => status)).toEqual(["succeeded", "succeeded", "succeeded"]);
    await layer.close();
  });

  test("needs_input holds locks and no slot, and its own clock runs", async () => {
    const asking = functionAgent(async (_, ctx: AgentContext) => `answer: ${await ctx.ask("which branch?")}`);
    const { layer, clock } = virtualLayer({ asking, worker }, { maxConcurrentTasks: 1 });
    const lock = { claims: [{ lock: "db" }] } as const;
    const asks = layer.executeTaskCall({
      agentId: "asking",
      taskType: "x",
      description: "x",
      taskId: "q",
      timeoutMs: 50,
      ...lock,
    });
    await clock.advance(1);
    expect(Object.values(layer.getParallelExecutionStatus().runningInstances)[0]).toMatchObject({
      status: "needs_input",
    });
    expect(await statusOf(layer, "q")).toBe("needs_input");
    expect((await clock.run(layer.executeTaskCall(call("uses its slot")))).success).toBe(true);
    const wants = layer.executeTaskCall(call("wants db", lock));
    // The run clock stands still while a person thinks.
    await clock.advance(500);
    expect(layer.getParallelExecutionStatus().waitingCount).toBe(1);
    layer.answer("q", "main");
    expect(await clock.run(asks)).toMatchObject({ status: "succeeded", output: "answer: main" });
    expect((await clock.run(wants)).success).toBe(true);
    expect(() => layer.answer("q", "again")).toThrow(/does not wait/);
    await layer.close();
  });

  test("retrying holds nothing and ends by its back-off", async () => {
    let attempts = 0;
    const flaky = functionAgent((_, ctx) => {
      if (++attempts < 3) throw new Error("not yet");
      return ctx.attempt;
    });
    const { layer, clock } = virtualLayer({ flaky, worker }, { maxConcurrentTasks: 1 });
    const retry = { attempts: 3, backoff: "fixed", baseMs: 100, jitter: 0 } as const;
    const done = layer.executeTaskCall({
      agentId: "flaky",
      taskType: "x",
      description: "x",
      taskId: "f",
      claims: [{ lock: "db" }],
      retry,
    });
    await clock.advance(1);
    expect(await statusOf(layer, "f")).toBe("retrying");
    expect(layer.getParallelExecutionStatus().waiting[0]).toMatchObject({ taskId: "f", estimatedStartMs: 99 });
    expect((await clock.run(layer.executeTaskCall(call("meanwhile", { claims: [{ lock: "db" }] })))).lockWaitMs).toBe(
      0,
    );
    const result = await clock.run(done);
    expect(result).toMatchObject({ status: "succeeded", attempts: 3, output: 3 });
    expect(clock.nowMs()).toBe(1_200);
    expect(layer.getTaskExecutionMetrics().agentMetrics.flaky).toMatchObject({ retries: 2, tasks: 1 });
    await layer.close();
  });

  test("ending keeps its locks and frees its slot; after the grace it is quarantined", async () => {
    const { agent, release } = stubborn();
    const { layer, clock } = virtualLayer({ stubborn: agent, worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeTaskCall({
      agentId: "stubborn",
      taskType: "x",
      description: "x",
      taskId: "s",
      timeoutMs: 100,
      claims: [{ lock: "db" }],
    });
    await clock.advance(101);
    expect(await statusOf(layer, "s")).toBe("ending");
    expect(Object.values(layer.getParallelExecutionStatus().runningInstances)[0]).toMatchObject({
      status: "ending",
      resourcesLocked: ["db"],
    });
    expect((await clock.run(layer.executeTaskCall(call("uses its slot")))).success).toBe(true);
    const result = await clock.run(done);
    expect(clock.nowMs()).toBe(1_000 + 100 + 5_000);
    expect(result).toMatchObject({ status: "timed_out", error: { code: "RUN_TIMEOUT" } });
    expect(result.errorMessage).toContain("did not stop within 5,000 ms");
    expect((await layer.status()).holds).toMatchObject([{ taskId: "s", quarantined: true }]);
    release();
    await clock.advance(1);
    expect((await layer.status()).holds).toEqual([]);
    await layer.close();
  });

  test("an instance that heeds its signal within the turn never shows as ending in the store", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const done = layer.executeTaskCall(call("a", { timeoutMs: 5 }));
    expect(await clock.run(done)).toMatchObject({ status: "timed_out", executionTimeMs: 5 });
    await layer.close();
  });

  test("what an agent returns after it was asked to stop is kept as output of a stopped task", async () => {
    const finishing = functionAgent(async (_, ctx) => {
      await takes(1_000, ctx).catch(() => undefined);
      return "partial";
    });
    const { layer, clock } = virtualLayer({ finishing });
    const result = await clock.run(
      layer.executeTaskCall({ agentId: "finishing", taskType: "x", description: "x", timeoutMs: 10 }),
    );
    expect(result).toMatchObject({ success: false, status: "timed_out", output: "partial" });
    await layer.close();
  });
});

describe("clocks", () => {
  test("the queue clock runs in line and not while blocked", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const long = call("long", { contextData: { ms: 100 } });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([
        long,
        call("short of patience", { queueTimeoutMs: 30 }),
        call("later", { dependsOn: ["long"], queueTimeoutMs: 30 }),
      ]),
    );
    expect(results.map(({ status }) => status)).toEqual(["succeeded", "timed_out", "succeeded"]);
    expect(results[1]).toMatchObject({ attempts: 0, error: { code: "QUEUE_TIMEOUT" }, queuedMs: 30 });
    expect(results[1]?.errorMessage).toContain("queueTimeoutMs is 30");
    await layer.close();
  });

  test("the idle clock is wound by progress and heartbeats", async () => {
    const beating = functionAgent(async (task, ctx) => {
      for (let beat = 0; beat < Number(task.contextData?.beats); beat++) {
        await takes(40, ctx);
        if (beat % 2 === 0) ctx.heartbeat();
        else ctx.progress(0.1);
      }
      await takes(200, ctx);
    });
    const { layer, clock } = virtualLayer({ beating });
    const result = await clock.run(
      layer.executeTaskCall({
        agentId: "beating",
        taskType: "x",
        description: "x",
        taskId: "b",
        idleTimeoutMs: 50,
        contextData: { beats: 5 },
      }),
    );
    expect(result).toMatchObject({ status: "timed_out", executionTimeMs: 250, error: { code: "IDLE_TIMEOUT" } });
    expect(result.errorMessage).toBe("Task b gave no sign of life for 50 ms and its idleTimeoutMs is 50.");
    await layer.close();
  });

  test("an agent that goes silent has timed out by its own idle limit when its task names none", async () => {
    const silent = { ...functionAgent(async (_, ctx) => takes(1_000, ctx)), idleTimeoutMs: 80 };
    const { layer, clock } = virtualLayer({ silent });
    const [own, tasks] = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "silent", taskType: "x", description: "x" },
        { agentId: "silent", taskType: "x", description: "x", idleTimeoutMs: 300 },
      ]),
    );
    expect(own).toMatchObject({ status: "timed_out", executionTimeMs: 80, error: { code: "IDLE_TIMEOUT" } });
    expect(tasks).toMatchObject({ status: "timed_out", executionTimeMs: 300 });
    await layer.close();
  });

  test("the input clock ends a question nobody answers", async () => {
    const asking = functionAgent(async (_, ctx: AgentContext) => ctx.ask("?"));
    const { layer, clock } = virtualLayer({ asking });
    const result = await clock.run(
      layer.executeTaskCall({ agentId: "asking", taskType: "x", description: "x", inputTimeoutMs: 300 }),
    );
    expect(result).toMatchObject({ status: "timed_out", error: { code: "INPUT_TIMEOUT" }, executionTimeMs: 300 });
    await layer.close();
  });

  test("a time-out is retried where the policy allows", async () => {
    let attempt = 0;
    const slowAtFirst = functionAgent(async (_, ctx) => takes(++attempt === 1 ? 500 : 5, ctx).then(() => "ok"));
    const { layer, clock } = virtualLayer({ slowAtFirst });
    const result = await clock.run(
      layer.executeTaskCall({
        agentId: "slowAtFirst",
        taskType: "x",
        description: "x",
        timeoutMs: 50,
        retry: { attempts: 2, baseMs: 1 },
      }),
    );
    expect(result).toMatchObject({ status: "succeeded", attempts: 2 });
    await layer.close();
  });

  test("ten thousand running tasks need one timer", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 10_000 });
    const waiting = functionAgent(() => new Promise<never>(() => undefined));
    const { layer: other, clock: otherClock } = virtualLayer({ waiting }, { maxConcurrentTasks: 10_000 });
    const calls = Array.from({ length: 10_000 }, (_, index) => ({
      agentId: "waiting" as const,
      taskType: "x",
      description: "x",
      timeoutMs: 1_000 + index,
    }));
    const done = other.executeMultipleTaskCalls(calls, { signal: new AbortController().signal });
    await otherClock.advance(10);
    expect(Object.keys(other.getParallelExecutionStatus().runningInstances)).toHaveLength(10_000);
    expect(otherClock.pendingTimers()).toBe(1);
    const results = await otherClock.run(done);
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set(["timed_out"]));
    await otherClock.run(other.close());
    await layer.close();
    expect(clock.pendingTimers()).toBe(0);
  });
});
