/** What running tasks ask for: tasks of their own, more locks, rates. */
import { describe, expect, test } from "vitest";
import { call, takes, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { errorCode } from "../core/errors.ts";
import type { AgentContext } from "../core/ports.ts";
import type { AgentTask } from "../core/task.ts";

const plain = { taskType: "x", description: "x" } as const;

/** Runs as many levels of itself as its context says. */
const nesting = functionAgent(async (task: AgentTask, ctx: AgentContext): Promise<string> => {
  const levels = Number(task.contextData?.levels ?? 0);
  if (levels === 0) return takes(10, ctx).then(() => "leaf");
  const [below] = await ctx.run([{ agentId: "nesting", ...plain, contextData: { levels: levels - 1 } }]);
  if (below?.success !== true) throw new Error(below?.errorMessage ?? "none");
  return `${String(below.output)} in ${levels}`;
});

describe("ctx.run", () => {
  test("as many parents as slots, each waiting for a child, do not deadlock", async () => {
    for (const maxConcurrentTasks of [1, 2, 3]) {
      const { layer, clock } = virtualLayer({ nesting }, { maxConcurrentTasks });
      const calls = Array.from({ length: 6 }, () => ({
        agentId: "nesting" as const,
        ...plain,
        contextData: { levels: 3 },
      }));
      const results = await clock.run(layer.executeMultipleTaskCalls(calls));
      expect(results.map(({ output }) => output)).toEqual(new Array(6).fill("leaf in 1 in 2 in 3"));
      await layer.close();
    }
  });

  test("the limit holds all the way down", async () => {
    let running = 0;
    let most = 0;
    const leaf = functionAgent(async (_, ctx) => {
      most = Math.max(most, ++running);
      await takes(10, ctx);
      running--;
    });
    const parent = functionAgent(async (_, ctx: AgentContext) => {
      await ctx.run(Array.from({ length: 5 }, () => ({ agentId: "leaf", ...plain })));
    });
    const { layer, clock } = virtualLayer({ parent, leaf }, { maxConcurrentTasks: 3 });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([1, 2, 3, 4].map(() => ({ agentId: "parent" as const, ...plain }))),
    );
    expect(results.every(({ success }) => success)).toBe(true);
    expect(most).toBe(3);
    await layer.close();
  });

  test("what the parent holds does not block its children, and does block strangers", async () => {
    const parent = functionAgent(async (_, ctx: AgentContext) =>
      (await ctx.run([call("child", { claims: [{ write: "src/api" }] })])).map(({ status }) => status),
    );
    const { layer, clock } = virtualLayer({ parent, worker });
    const [result, stranger] = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "parent", ...plain, claims: [{ write: "src" }] },
        call("stranger", { claims: [{ write: "src/api/x.ts" }] }),
      ]),
    );
    expect(result.output).toEqual(["succeeded"]);
    expect(stranger.lockWaitMs).toBeGreaterThanOrEqual(10);
    await layer.close();
  });

  test("several at once share one slot that stays away until the last ends", async () => {
    const parent = functionAgent(async (_, ctx: AgentContext) => {
      const runs = [30, 10, 20].map((ms) => ctx.run([call(`c${ms}`, { contextData: { ms } })]));
      return (await Promise.all(runs)).flat().map(({ status }) => status);
    });
    const { layer, clock } = virtualLayer({ parent, worker }, { maxConcurrentTasks: 1 });
    const result = await clock.run(layer.executeTaskCall({ agentId: "parent", ...plain }));
    expect(result.output).toEqual(["succeeded", "succeeded", "succeeded"]);
    expect((await layer.status()).counters.find(({ name }) => name === "slots")).toMatchObject({
      used: 0,
      capacity: 1,
    });
    await layer.close();
  });

  test("children end with their parent: when it stops, and when it returns without them", async () => {
    const leaving = functionAgent(async (task: AgentTask, ctx: AgentContext) => {
      const children = ctx.run([call("child", { contextData: { ms: 10_000 } })]).catch(() => undefined);
      if (task.contextData?.waits === true) await children;
      return "left";
    });
    for (const waits of [true, false]) {
      const { layer, clock } = virtualLayer({ leaving, worker });
      const result = await clock.run(
        layer.executeTaskCall(
          { agentId: "leaving", ...plain, timeoutMs: 60_000, contextData: { waits } },
          waits ? { deadlineMs: 100 } : {},
        ),
      );
      expect(result.status).toBe(waits ? "timed_out" : "succeeded");
      expect(await layer.waitForAllTasksCompletion()).toBe(true);
      expect(layer.getTaskExecutionMetrics().cancelledTasks).toBe(waits ? 0 : 1);
      expect(clock.nowMs()).toBeLessThan(2_000);
      await layer.close();
    }
  });

  test("the parent's run clock stands still while its children run", async () => {
    const { layer, clock } = virtualLayer({ nesting });
    const result = await clock.run(
      layer.executeTaskCall({ agentId: "nesting", ...plain, timeoutMs: 5, contextData: { levels: 1 } }),
    );
    expect(result.status).toBe("succeeded");
    await layer.close();
  });

  test("malformed calls, and a level too deep, throw in the parent", async () => {
    const seen: unknown[] = [];
    const wrong = functionAgent(async (_, ctx: AgentContext) => {
      await ctx.run([{ agentId: "ghost", ...plain }]).catch((error: unknown) => seen.push(errorCode(error)));
    });
    const { layer, clock } = virtualLayer({ wrong, nesting });
    await clock.run(layer.executeTaskCall({ agentId: "wrong", ...plain }));
    expect(seen).toEqual(["UNKNOWN_AGENT"]);
    const deep = await clock.run(layer.executeTaskCall({ agentId: "nesting", ...plain, contextData: { levels: 5 } }));
    expect(deep.errorMessage).toContain("down to level 4");
    await layer.close();
  });
});

describe("ctx.lock", () => {
  test("takes more, shows it, and gives it back early", async () => {
    const more = functionAgent(async (_, ctx: AgentContext) => {
      const held = await ctx.lock([{ write: "b" }, { lock: "db", mode: "shared" }]);
      const { fence, resources } = held;
      await takes(20, ctx);
      await held.release();
      await held.release();
      await takes(20, ctx);
      return { resources, isLater: fence > ctx.fence };
    });
    const { layer, clock } = virtualLayer({ more, worker });
    const done = layer.executeTaskCall({ agentId: "more", ...plain, claims: [{ write: "a" }] });
    await clock.advance(1);
    expect(Object.keys(layer.parallelTaskManager.getResourceLocks())).toEqual(["file:a", "file:b", "db"]);
    const wanting = layer.executeTaskCall(call("wants b", { claims: [{ write: "b" }] }));
    expect((await clock.run(wanting)).lockWaitMs).toBe(19);
    expect((await clock.run(done)).output).toEqual({ resources: ["file:b", "db"], isLater: true });
    await layer.close();
  });

  test("two tasks that take each other's locks: the second is refused at once, names the first, and both end", async () => {
    const taking = functionAgent(async (task: AgentTask, ctx: AgentContext) => {
      const { order } = task.contextData as { order: [string, string] };
      const [first, second] = order;
      await using _one = await ctx.lock([{ lock: first }]);
      await takes(10, ctx);
      await using _two = await ctx.lock([{ lock: second }]);
      return "both";
    });
    const { layer, clock } = virtualLayer({ taking });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "taking", ...plain, taskId: "one", contextData: { order: ["a", "b"] } },
        { agentId: "taking", ...plain, taskId: "two", contextData: { order: ["b", "a"] } },
      ]),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(["failed", "succeeded"]);
    const refused = results.find(({ success }) => !success);
    expect(refused?.error?.code).toBe("DEADLOCK");
    expect(clock.nowMs()).toBeLessThan(1_100);
    await layer.close();
  });

  test("waits no longer than its queue time-out, and the run clock stands still meanwhile", async () => {
    const codes: unknown[] = [];
    const impatient = functionAgent(async (_, ctx: AgentContext) => {
      await ctx.lock([{ lock: "db" }], { queueTimeoutMs: 30 }).catch((error: unknown) => codes.push(errorCode(error)));
      const held = await ctx.lock([{ lock: "db" }]);
      return held.resources;
    });
    const { layer, clock } = virtualLayer({ impatient, worker });
    const [, result] = await clock.run(
      layer.executeMultipleTaskCalls([
        call("holder", { claims: [{ lock: "db" }], contextData: { ms: 100 } }),
        { agentId: "impatient", ...plain, timeoutMs: 20 },
      ]),
    );
    expect(codes).toEqual(["QUEUE_TIMEOUT"]);
    expect(result).toMatchObject({ status: "succeeded", executionTimeMs: 100 });
    await layer.close();
  });

  test("a cancelled task stops waiting for it", async () => {
    const waiting = functionAgent(async (_, ctx: AgentContext) => (await ctx.lock([{ lock: "db" }])).resources);
    const { layer, clock } = virtualLayer({ waiting, worker });
    const done = layer.executeMultipleTaskCalls([
      call("holder", { claims: [{ lock: "db" }], contextData: { ms: 100 } }),
      { agentId: "waiting", ...plain },
    ]);
    await clock.advance(10);
    expect(await clock.run(layer.cancelRunningTasks(["waiting"]))).toBe(1);
    expect(clock.nowMs()).toBeLessThan(1_050);
    expect((await clock.run(done))[0].success).toBe(true);
    await layer.close();
  });

  test("after its end a task takes nothing more", async () => {
    let kept: AgentContext | undefined;
    const leaking = functionAgent((_, ctx: AgentContext) => {
      kept = ctx;
      return null;
    });
    const { layer, clock } = virtualLayer({ leaking });
    await clock.run(layer.executeTaskCall({ agentId: "leaking", ...plain }));
    await expect(kept?.lock([{ lock: "a" }])).rejects.toMatchObject({ code: "CLOSED" });
    await expect(kept?.run([])).rejects.toMatchObject({ code: "CLOSED" });
    await expect(kept?.ask("?")).rejects.toMatchObject({ code: "CLOSED" });
    kept?.progress(1);
    kept?.emit("late");
    await layer.close();
  });
});

describe("ctx.rate and the rest", () => {
  test("a rate paces whoever asks, capacities are refused", async () => {
    const starts: number[] = [];
    const paced = functionAgent(async (_, ctx: AgentContext) => {
      await ctx.rate("api");
      starts.push(ctx.clock.nowMs() - 1_000);
      return ctx.rate("build").catch((error: unknown) => errorCode(error) ?? null);
    });
    const { layer, clock } = virtualLayer({ paced }, { resources: { api: { rate: "10/s" } } });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([1, 2, 3].map(() => ({ agentId: "paced" as const, ...plain }))),
    );
    expect(starts).toEqual([0, 100, 200]);
    expect(results.map(({ output }) => output)).toEqual(["INVALID_CLAIM", "INVALID_CLAIM", "INVALID_CLAIM"]);
    await layer.close();
  });

  test("methods may be taken apart, the environment names the holder, dependencies are there", async () => {
    const open = functionAgent(
      async (_, { progress, env, dependencies, instanceId, fence, workflowId }: AgentContext) => {
        progress(2, "clamped");
        return {
          env,
          upstream: dependencies.a?.output ?? null,
          same: env.LOCKYARD_INSTANCE === instanceId && env.LOCKYARD_FENCE === String(fence),
          workflowId,
        };
      },
    );
    const { layer, clock } = virtualLayer({ open, worker });
    const seen: [string, number, string][] = [];
    const stop = layer.parallelTaskManager.addProgressCallback((...progress) => seen.push(progress));
    const [, result] = await clock.run(
      layer.executeMultipleTaskCalls([call("a"), { agentId: "open", ...plain, taskId: "b", dependsOn: ["a"] }]),
    );
    expect(result.output).toMatchObject({ upstream: "a", same: true, workflowId: "test", env: { LOCKYARD_TASK: "b" } });
    expect(seen).toEqual([[result.instanceId, 1, "clamped"]]);
    stop();
    await layer.close();
  });

  test("members of a pool are locked and named", async () => {
    const server = functionAgent(async (_, ctx: AgentContext) => {
      await using held = await ctx.lock([{ use: "scratch" }]);
      return { ...held.members, PORT: ctx.env.PORT };
    });
    const { layer, clock } = virtualLayer(
      { server },
      { resources: { port: { pool: "3000-3001", env: "PORT" }, scratch: { pool: "a,b" } } },
    );
    const result = await clock.run(layer.executeTaskCall({ agentId: "server", ...plain, claims: [{ use: "port" }] }));
    expect(result.output).toEqual({ scratch: ["a"], PORT: "3000" });
    await layer.close();
  });
});
