/** Budgets and idempotency: what bounds a whole tree of tasks, and what makes a task one. */
import { describe, expect, test } from "vitest";
import { call, takes, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { agentReport } from "../core/agent-report.ts";
import type { AgentContext } from "../core/ports.ts";

const plain = { taskType: "x", description: "x" } as const;

describe("budgets", () => {
  test("a number of tasks: no burst overshoots it, nothing is stopped, and it goes on when raised", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 10, limits: { tasks: 4 } });
    const events = layer.events();
    const done = layer.executeMultipleTaskCalls(Array.from({ length: 12 }, (_, index) => call(`t${index}`)));
    await clock.advance(100);
    expect(layer.getTaskExecutionMetrics()).toMatchObject({ totalTasks: 4, successfulTasks: 4 });
    expect(layer.getParallelExecutionStatus().concurrency).toEqual({
      limit: 0,
      running: 0,
      waiting: 8,
      reason:
        "Paused: 4 of 4 tasks started, nothing was stopped. Continue with configure({ limits: … }), or cancel what waits.",
    });
    expect(layer.getParallelExecutionStatus().waiting[0]?.reason).toContain("paused");
    layer.configure({ limits: { tasks: 7 } });
    await clock.advance(100);
    expect(layer.getTaskExecutionMetrics().totalTasks).toBe(7);
    layer.configure({ limits: { tasks: 100 } });
    expect((await clock.run(done)).every(({ success }) => success)).toBe(true);
    const seen: string[] = [];
    await clock.run(layer.close());
    for await (const event of events) if (event.type === "budget-paused") seen.push(event.reason);
    expect(seen).toHaveLength(2);
  });

  test("tokens and money as agents report them", async () => {
    const spending = functionAgent(() =>
      agentReport({ output: null, usage: { inputTokens: 900, outputTokens: 100, costUsd: 0.5 } }),
    );
    for (const [limits, reason] of [
      [{ tokens: 2_000 }, "2,000 of 2,000 tokens used"],
      [{ costUsd: 1 }, "$1.00 of $1.00 spent"],
    ] as const) {
      const { layer, clock } = virtualLayer({ spending }, { maxConcurrentTasks: 1, limits });
      const done = layer.executeMultipleTaskCalls([1, 2, 3, 4].map(() => ({ agentId: "spending" as const, ...plain })));
      await clock.advance(100);
      expect(layer.getParallelExecutionStatus().concurrency.reason).toContain(reason);
      expect(await clock.run(layer.cancelTasks())).toBe(2);
      const results = await done;
      expect(results[0]).toMatchObject({ usage: { inputTokens: 900, outputTokens: 100, costUsd: 0.5 } });
      expect(layer.getTaskExecutionMetrics().agentMetrics.spending).toMatchObject({ tokens: 2_000, costUsd: 1 });
      await layer.close();
    }
  });

  test("what failed and retried attempts spent counts, and the result says all of it", async () => {
    let attempt = 0;
    const failing = functionAgent(() => {
      const report = agentReport({ output: null, usage: { inputTokens: 400, costUsd: 0.25 } });
      if (++attempt < 3) throw Object.assign(new Error("no"), { retryable: true, report });
      return report;
    });
    const { layer, clock } = virtualLayer({ failing }, { limits: { tokens: 1_200 } });
    const retry = { attempts: 3, baseMs: 10, jitter: 0 } as const;
    const result = await clock.run(layer.executeTaskCall({ agentId: "failing", ...plain, retry }));
    expect(result).toMatchObject({ success: true, attempts: 3, usage: { inputTokens: 1_200, costUsd: 0.75 } });
    expect(layer.getParallelExecutionStatus().concurrency.reason).toContain("1,200 of 1,200 tokens used");
    attempt = 0;
    const last = layer.executeTaskCall({ agentId: "failing", ...plain });
    layer.configure({ limits: { tokens: 5_000 } });
    expect(await clock.run(last)).toMatchObject({ success: false, usage: { inputTokens: 400, costUsd: 0.25 } });
    await layer.close();
  });

  test("wall time from the first start", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1, limits: { wallMs: 25 } });
    const done = layer.executeMultipleTaskCalls([1, 2, 3, 4, 5].map((index) => call(`t${index}`)));
    await clock.advance(100);
    expect(layer.getTaskExecutionMetrics().totalTasks).toBe(3);
    expect(layer.getParallelExecutionStatus().concurrency.reason).toContain("25 ms of 25 ms passed");
    await clock.run(layer.close());
    expect((await done).map(({ status }) => status)).toEqual([
      "succeeded",
      "succeeded",
      "succeeded",
      "cancelled",
      "cancelled",
    ]);
  });

  test("spawn depth", async () => {
    const parent = functionAgent(async (_, ctx: AgentContext) => (await ctx.run([call("child")])).length);
    const { layer, clock } = virtualLayer({ parent, worker }, { limits: { spawnDepth: 0 } });
    expect((await clock.run(layer.executeTaskCall({ agentId: "parent", ...plain }))).errorMessage).toContain(
      "down to level 0",
    );
    await layer.close();
  });
});

describe("idempotency", () => {
  test("a key in flight is joined, a finished one answers again, and the work is done once", async () => {
    let runs = 0;
    const counting = functionAgent(async (_, ctx) => takes(10, ctx).then(() => ++runs));
    const { layer, clock } = virtualLayer({ counting });
    const once = { agentId: "counting", ...plain, idempotencyKey: "order-7" } as const;
    const first = layer.executeMultipleTaskCalls([once, once]);
    await clock.advance(1);
    const second = layer.executeTaskCall(once);
    const results = [
      ...(await clock.run(first)),
      await clock.run(second),
      await clock.run(layer.executeTaskCall(once)),
    ];
    expect(runs).toBe(1);
    expect(new Set(results.map(({ taskId }) => taskId)).size).toBe(1);
    expect(results.map(({ output }) => output)).toEqual([1, 1, 1, 1]);
    expect(layer.getTaskExecutionMetrics().totalTasks).toBe(1);
    const handle = layer.parallelTaskManager.submit(once);
    expect((await handle.result).output).toBe(1);
    await layer.close();
  });

  test("a caller that gives up a task it only joined does not cancel it for the other", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const once = call("one", { idempotencyKey: "k" });
    const first = layer.executeTaskCall(once);
    const controller = new AbortController();
    const second = layer.executeTaskCall({ ...once, taskId: "two" }, { signal: controller.signal });
    await clock.advance(1);
    controller.abort();
    expect((await clock.run(first)).success).toBe(true);
    expect((await second).taskId).toBe("one");
    await layer.close();
  });

  test("inside a task, the key of a task above is refused", async () => {
    const looping = functionAgent(
      async (_, ctx: AgentContext) => (await ctx.run([{ agentId: "looping", ...plain, idempotencyKey: "me" }])).length,
    );
    const { layer, clock } = virtualLayer({ looping });
    const result = await clock.run(layer.executeTaskCall({ agentId: "looping", ...plain, idempotencyKey: "me" }));
    expect(result).toMatchObject({ status: "failed", error: { code: "DEADLOCK" } });
    await layer.close();
  });
});
