import { describe, expect, test } from "vitest";
import { call, takes, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { MCPIntegrationLayer } from "../compose.ts";
import type { JsonObject } from "../core/task.ts";

describe("running calls", () => {
  test("calls handed over together run at once, up to the limit, and results keep the order of the calls", async () => {
    let running = 0;
    let most = 0;
    const counting = functionAgent(async (task, ctx) => {
      most = Math.max(most, ++running);
      await takes(Number(task.contextData?.ms), ctx);
      running--;
      return task.taskId;
    });
    const { layer, clock } = virtualLayer({ worker: counting }, { maxConcurrentTasks: 4 });
    const calls = Array.from({ length: 12 }, (_, index) => call(`t${index}`, { contextData: { ms: 100 - index } }));
    const results = await clock.run(layer.executeMultipleTaskCalls(calls));
    expect(results.map((result) => result.output)).toEqual(calls.map(({ taskId }) => taskId));
    expect(most).toBe(4);
    expect(results.every((result) => result.success)).toBe(true);
    await layer.close();
  });

  test("the default limit is 10", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const done = layer.executeMultipleTaskCalls(Array.from({ length: 25 }, (_, index) => call(`t${index}`)));
    await clock.advance(5);
    const status = layer.getParallelExecutionStatus();
    expect(Object.keys(status.runningInstances)).toHaveLength(10);
    expect(status.waitingCount).toBe(15);
    expect(status.concurrency).toEqual({ limit: 10, running: 10, waiting: 15, reason: "maxConcurrentTasks" });
    await clock.run(done);
    await layer.close();
  });

  test("the limit may be raised and lowered while tasks run", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls(Array.from({ length: 20 }, (_, index) => call(`t${index}`)));
    const running = () => layer.getParallelExecutionStatus().concurrency.running;
    await clock.advance(1);
    expect(running()).toBe(1);
    layer.configure({ maxConcurrentTasks: 5 });
    await clock.advance(0);
    expect(running()).toBe(5);
    layer.configure({ maxConcurrentTasks: 2 });
    await clock.advance(0);
    expect(running()).toBe(5);
    await clock.advance(15);
    expect(running()).toBe(2);
    await clock.run(done);
    expect(() => layer.configure({ maxConcurrentTasks: 0 })).toThrow(/whole number/);
    await layer.close();
  });

  test("a hot lock serialises those who want it and nobody else", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 4 });
    const hot = Array.from({ length: 5 }, (_, index) => call(`hot${index}`, { claims: [{ write: "src/api" }] }));
    const free = Array.from({ length: 6 }, (_, index) => call(`free${index}`));
    const results = await clock.run(layer.executeMultipleTaskCalls([...hot, ...free]));
    expect(clock.nowMs()).toBe(1_050);
    const waits = results.map(({ lockWaitMs }) => lockWaitMs);
    expect(waits.slice(0, 5)).toEqual([0, 10, 20, 30, 40]);
    expect(Math.max(...waits.slice(5))).toBe(0);
    await layer.close();
  });

  test("an agent is found by id, then by type, then by the star", async () => {
    const says = (text: string) => functionAgent(() => text);
    const { layer, clock } = virtualLayer({ reviewer_7: says("id"), reviewer: says("type"), "*": says("star") });
    const ids = ["reviewer_7", "reviewer_8", "writer_1"];
    const calls = ids.map((agentId) => ({ agentId, taskType: "x", description: "x" }));
    const results = await clock.run(layer.executeMultipleTaskCalls(calls));
    expect(results.map(({ output }) => output)).toEqual(["id", "type", "star"]);
    await layer.close();
  });

  test("one task alone is nothing special, and parallel runs mix with it", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const one = await clock.run(layer.executeTaskCall(call("alone")));
    expect(one).toMatchObject({
      taskId: "alone",
      status: "succeeded",
      output: "alone",
      attempts: 1,
      executionTimeMs: 10,
    });
    await clock.run(
      Promise.all([layer.executeTaskCall(call("a")), layer.executeMultipleTaskCalls([call("b"), call("c")])]),
    );
    expect(layer.getTaskExecutionMetrics()).toMatchObject({
      totalTasks: 4,
      successfulTasks: 4,
      averageExecutionTimeMs: 10,
    });
    await layer.close();
  });

  test("a result is plain JSON with every field", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const [good, bad] = await clock.run(layer.executeMultipleTaskCalls([call("good"), call("bad", { timeoutMs: 5 })]));
    expect(JSON.parse(JSON.stringify(good))).toEqual({
      taskId: "good",
      agentId: "worker",
      instanceId: good?.instanceId,
      success: true,
      status: "succeeded",
      output: "good",
      confidenceScore: null,
      evidence: [],
      errorMessage: null,
      attempts: 1,
      queuedMs: 0,
      lockWaitMs: 0,
      executionTimeMs: 10,
      startedAt: "2026-01-01T00:00:00.000Z",
      finishedAt: "2026-01-01T00:00:00.010Z",
    });
    expect(bad).toMatchObject({
      success: false,
      status: "timed_out",
      output: null,
      error: { code: "RUN_TIMEOUT", retryable: false },
    });
    expect(bad?.errorMessage).toBe("Task bad ran 5 ms and its timeoutMs is 5.");
    await layer.close();
  });

  test("making a layer starts nothing, and closing it then is fine", async () => {
    let opened = 0;
    const layer = new MCPIntegrationLayer({ store: { open: () => Promise.reject(new Error(`opened ${++opened}`)) } });
    expect(layer.getParallelExecutionStatus()).toMatchObject({ runningInstances: {}, waiting: [], waitingCount: 0 });
    await layer.close();
    await layer.close();
    expect(opened).toBe(0);
  });

  test("no calls, no results, no wait", async () => {
    const { layer } = virtualLayer({ worker });
    expect(await layer.executeMultipleTaskCalls([])).toEqual([]);
    await layer.close();
  });
});

describe("refusals", () => {
  const { layer } = virtualLayer({ worker });
  const refused = async (calls: readonly unknown[]) => {
    const error = await layer.executeMultipleTaskCalls(calls as never).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    return error as { code: string; message: string; faults: { where: string; what: string; hint?: string }[] };
  };

  test("every fault of every call is listed, and nothing starts", async () => {
    const error = await refused([
      { agentId: "worker", taskType: "x", description: "x", timeoutMs: -1, prioritty: 3 },
      { agentId: "wroker_1", taskType: "x", description: "x" },
      null,
      call("a", { dependsOn: ["nobody"] }),
    ]);
    expect(error.code).toBe("INVALID_TASK_CALL");
    expect(error.faults.map(({ where }) => where)).toEqual([
      "calls[0].timeoutMs",
      'calls[0]."prioritty"',
      "calls[1].agentId",
      "calls[2]",
      "calls[3].dependsOn",
    ]);
    expect(error.faults[1]?.hint).toBe('Did you mean "priority"?');
    expect(error.faults[2]?.hint).toBe('Did you mean "worker"?');
    expect(layer.getParallelExecutionStatus().waitingCount).toBe(0);
  });

  test.each([
    ["UNKNOWN_AGENT", [{ agentId: "ghost", taskType: "x", description: "x" }]],
    ["DUPLICATE_TASK", [call("a"), call("a")]],
    [
      "DEPENDENCY_CYCLE",
      [call("a", { dependsOn: ["b"] }), call("b", { dependsOn: ["c"] }), call("c", { dependsOn: ["a"] })],
    ],
    ["DEPENDENCY_CYCLE", [call("a", { dependsOn: ["a"] })]],
    ["UNKNOWN_DEPENDENCY", [call("a", { dependsOn: ["z"] })]],
    ["UNKNOWN_RESOURCE", [call("a", { claims: [{ use: "biuld" }] })]],
    ["OVER_CAPACITY", [call("a", { claims: [{ use: "build", units: 999 }] })]],
    ["INVALID_CONTEXT", [call("a", { contextData: { big: 10n } as unknown as JsonObject })]],
  ])("%s", async (code, calls) => {
    expect((await refused(calls)).code).toBe(code);
  });

  test("a cycle is shown", async () => {
    const error = await refused([call("x"), call("a", { dependsOn: ["b"] }), call("b", { dependsOn: ["a", "x"] })]);
    expect(error.message).toContain("forms a cycle: a → b → a");
  });

  test("too many calls at once are told to batch", async () => {
    const error = await refused(new Array(10_001).fill(call("a")));
    expect(error).toMatchObject({ code: "LIMIT_EXCEEDED", hint: "Use batchTaskCalls and executeTaskBatches." });
  });

  test("a store that does not open rejects the call and leaves nothing behind", async () => {
    const broken = new MCPIntegrationLayer({
      agents: { worker },
      store: { open: () => Promise.reject(new Error("no disk")) },
    });
    await expect(broken.executeMultipleTaskCalls([call("a")])).rejects.toMatchObject({ code: "STORE_UNAVAILABLE" });
    expect(await broken.waitForAllTasksCompletion()).toBe(true);
    await broken.close();
  });

  test("options are checked with suggestions", () => {
    expect(() => new MCPIntegrationLayer({ maxConcurentTasks: 3 } as never)).toThrow(
      /maxConcurentTasks is not an option/,
    );
    expect(() => new MCPIntegrationLayer({ maxConcurrentTasks: 1.5 })).toThrow(/whole number/);
    expect(() => new MCPIntegrationLayer({ agents: { a: 3 as never } })).toThrow(/is no agent/);
  });
});

describe("results as they finish", () => {
  test("come in the order of finishing", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const seen: string[] = [];
    const reading = (async () => {
      for await (const result of layer.results([30, 10, 20].map((ms) => call(`t${ms}`, { contextData: { ms } }))))
        seen.push(result.taskId);
    })();
    await clock.run(reading);
    expect(seen).toEqual(["t10", "t20", "t30"]);
    await layer.close();
  });

  test("leaving the loop cancels the rest, unless detached", async () => {
    for (const detach of [false, true]) {
      const { layer, clock } = virtualLayer({ worker });
      const reading = (async () => {
        for await (const _ of layer.results(
          [10, 50].map((ms) => call(`t${ms}`, { contextData: { ms } })),
          { detach },
        ))
          break;
      })();
      await clock.run(reading);
      expect(await clock.run(layer.waitForAllTasksCompletion())).toBe(true);
      expect(layer.getTaskExecutionMetrics()).toMatchObject(
        detach ? { successfulTasks: 2 } : { successfulTasks: 1, cancelledTasks: 1 },
      );
      await layer.close();
    }
  });

  test("nothing starts before the first is asked for", async () => {
    const { layer, clock } = virtualLayer({ worker });
    layer.results([call("a")]);
    await clock.advance(50);
    expect(layer.getTaskExecutionMetrics().totalTasks).toBe(0);
    await layer.close();
  });
});

describe("looking", () => {
  test("status names holders, places and reasons; the whole store says the same", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const lock = { claims: [{ write: "src/api" }] } as const;
    const done = layer.executeMultipleTaskCalls([
      call("holder", { ...lock, contextData: { ms: 100 } }),
      call("second", lock),
      call("third", lock),
      call("after", { dependsOn: ["holder"] }),
    ]);
    await clock.advance(40);
    const status = layer.getParallelExecutionStatus();
    const [instance] = Object.values(status.runningInstances);
    expect(instance).toMatchObject({
      taskId: "holder",
      status: "running",
      resourcesLocked: ["file:src/api"],
      progress: 0,
    });
    expect(status.resourceLocks["file:src/api"]).toMatchObject([
      {
        lockedBy: instance?.instanceId,
        lockType: "directory",
        mode: "exclusive",
        expiresAt: null,
        holder: "in-process",
      },
    ]);
    expect(status.waiting.map(({ taskId, position, blockedBy }) => [taskId, position, blockedBy])).toEqual([
      ["second", 1, ["holder"]],
      ["third", 2, ["holder"]],
      ["after", null, ["holder"]],
    ]);
    expect(status.waiting[0]?.reason).toBe("waiting for file:src/api: in use by holder for 40ms.");
    const whole = await layer.status();
    expect(whole.store).toEqual({ kind: "memory", scope: "process", location: "memory" });
    expect(whole.holds).toMatchObject([{ resourceId: "file:src/api", taskId: "holder" }]);
    expect(whole.tasks).toHaveLength(4);
    await clock.run(done);
    await layer.close();
  });

  test("events tell the story of a task in order", async () => {
    const { layer, clock } = virtualLayer({
      worker: functionAgent(async (_, ctx) => {
        ctx.progress(0.5, "half");
        ctx.emit({ token: "a" });
        await takes(5, ctx);
        return 1;
      }),
    });
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of layer.events({ signal: stop.signal })) seen.push(event.type);
    })();
    await clock.run(layer.executeTaskCall(call("a", { claims: [{ lock: "x" }] })));
    stop.abort();
    await reading;
    expect(seen).toEqual(
      [
        "workflow-started",
        "task-submitted",
        "limit-changed",
        "lock-granted",
        "task-started",
        "task-progress",
        "task-output",
        "lock-released",
        "task-finished",
        "workflow-finished",
      ].filter((type) => type !== "limit-changed" || seen.includes("limit-changed")),
    );
    await layer.close();
  });

  test("locks taken in the middle of a task are told as they come and go, each with the fence of its grant", async () => {
    const { layer, clock } = virtualLayer({
      worker: functionAgent(async (_, ctx) => {
        const early = await ctx.lock([{ lock: "b" }]);
        await ctx.lock([{ lock: "c" }]);
        await early.release();
        return [early.fence, ctx.fence];
      }),
    });
    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const event of layer.events({ signal: stop.signal }))
        if (event.type === "lock-granted" || event.type === "lock-released")
          seen.push(`${event.type} ${event.resourceId} ${event.fence}`);
    })();
    const result = await clock.run(layer.executeTaskCall(call("a", { claims: [{ lock: "a" }] })));
    stop.abort();
    await reading;
    const [b = 0, own = 0] = result.output as number[];
    expect(seen).toEqual([
      `lock-granted a ${own}`,
      `lock-granted b ${b}`,
      `lock-granted c ${b + 1}`,
      `lock-released b ${b}`,
      `lock-released c ${b + 1}`,
      `lock-released a ${own}`,
    ]);
    await layer.close();
  });
});
