/** Dependencies, retries, budgets, idempotency, identification, schedulers: what a task's policy makes of it. */
import { describe, expect, test } from "vitest";
import { call, takes, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { virtualClock } from "../clock/virtual-clock.ts";
import { MCPIntegrationLayer, ParallelTaskManager } from "../compose.ts";
import { rateLimited } from "../core/agent-report.ts";
import type { AgentContext } from "../core/ports.ts";
import type { AgentTask, TaskCall } from "../core/task.ts";

const plain = { taskType: "x", description: "x" } as const;
const failing = functionAgent(() => {
  throw new Error("no");
});

describe("dependencies", () => {
  test("order tasks, hand results on, and skip with the reason when one fails", async () => {
    const reading = functionAgent((_, ctx: AgentContext) =>
      Object.fromEntries(Object.entries(ctx.dependencies).map(([id, { output }]) => [id, output])),
    );
    const { layer, clock } = virtualLayer({ worker, failing, reading });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "reading", ...plain, dependsOn: ["a", "b"] },
        call("a"),
        call("b", { dependsOn: ["a"] }),
        { agentId: "failing", ...plain, taskId: "bad" },
        { agentId: "reading", ...plain, taskId: "after bad", dependsOn: ["bad", "a"] },
        { agentId: "reading", ...plain, taskId: "after that", dependsOn: ["after bad"] },
      ]),
    );
    expect(results[0].output).toEqual({ a: "a", b: "b" });
    expect(results[4]).toMatchObject({ status: "skipped", attempts: 0, error: { code: "DEPENDENCY_FAILED" } });
    expect(results[4].errorMessage).toBe("Task after bad was skipped because bad ended failed (AGENT_FAILED).");
    expect(results[5]).toMatchObject({
      status: "skipped",
      errorMessage: "Task after that was skipped because after bad ended skipped (DEPENDENCY_FAILED).",
    });
    await layer.close();
  });

  test("`always` runs whatever happened, `failure` only when something failed", async () => {
    const { layer, clock } = virtualLayer({ worker, failing });
    const bad = { agentId: "failing", ...plain, taskId: "bad" } as const;
    const results = await clock.run(
      layer.executeMultipleTaskCalls([
        bad,
        call("good"),
        call("always", { dependsOn: ["bad", "good"], when: "always" }),
        call("on failure", { dependsOn: ["bad", "good"], when: "failure" }),
        call("not needed", { dependsOn: ["good"], when: "failure" }),
      ]),
    );
    expect(results.map(({ status }) => status)).toEqual(["failed", "succeeded", "succeeded", "succeeded", "skipped"]);
    expect(results[4]).toMatchObject({ error: { code: "CONDITION_NOT_MET" } });
    await layer.close();
  });

  test("may name tasks handed over before, finished or not", async () => {
    const { layer, clock } = virtualLayer({ worker });
    await clock.run(layer.executeTaskCall(call("first")));
    const running = layer.executeTaskCall(call("second"));
    const done = layer.executeTaskCall(call("third", { dependsOn: ["first", "second"] }));
    expect((await clock.run(done)).success).toBe(true);
    await running;
    await layer.close();
  });

  test("a refused call leaves nothing behind at the tasks it named", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const running = layer.executeTaskCall(call("first"));
    await clock.advance(1);
    await expect(
      layer.executeMultipleTaskCalls([call("x", { dependsOn: ["first"] }), call("y", { dependsOn: ["ghost"] })]),
    ).rejects.toMatchObject({ code: "UNKNOWN_DEPENDENCY" });
    await clock.run(running);
    expect((await clock.run(layer.executeTaskCall(call("x", { dependsOn: ["first"] })))).success).toBe(true);
    await layer.close();
  });

  test("a chain of a whole call's length runs and skips without recursion", async () => {
    const { layer, clock } = virtualLayer({ instant: functionAgent(() => 1), failing });
    const chain = (agentId: "instant" | "failing"): TaskCall<"instant" | "failing">[] =>
      Array.from({ length: 5_000 }, (_, index) => ({
        agentId: index === 0 ? agentId : "instant",
        ...plain,
        taskId: `${agentId}${index}`,
        ...(index === 0 ? {} : { dependsOn: [`${agentId}${index - 1}`] }),
      }));
    expect((await clock.run(layer.executeMultipleTaskCalls(chain("instant")))).every(({ success }) => success)).toBe(
      true,
    );
    const skipped = await clock.run(layer.executeMultipleTaskCalls(chain("failing")));
    expect(skipped.filter(({ status }) => status === "skipped")).toHaveLength(4_999);
    await layer.close();
  });
});

describe("retries", () => {
  test("an overloaded provider makes the task wait and spends no attempt", async () => {
    let calls = 0;
    const limited = functionAgent(() => {
      if (++calls <= 3)
        throw calls === 2
          ? Object.assign(new Error("slow down"), { status: 429 })
          : rateLimited({ retryAfterMs: 1_000 });
      return calls;
    });
    const { layer, clock } = virtualLayer({ limited });
    const result = await clock.run(layer.executeTaskCall({ agentId: "limited", ...plain }));
    expect(result).toMatchObject({ status: "succeeded", attempts: 1, output: 4 });
    expect(clock.nowMs()).toBeGreaterThan(1_000 + 2_000);
    await layer.close();
  });

  test("the last error is the result when attempts are spent, and `retryable: false` spends none", async () => {
    let calls = 0;
    const counting = functionAgent((task: AgentTask) => {
      calls++;
      throw task.contextData?.final === true
        ? Object.assign(new Error("final"), { retryable: false })
        : new Error(`attempt ${calls}`);
    });
    const { layer, clock } = virtualLayer({ counting });
    const retry = { attempts: 3, baseMs: 10 };
    const spent = await clock.run(layer.executeTaskCall({ agentId: "counting", ...plain, retry }));
    expect(spent).toMatchObject({ status: "failed", attempts: 3, errorMessage: "attempt 3" });
    const final = await clock.run(
      layer.executeTaskCall({ agentId: "counting", ...plain, retry, contextData: { final: true } }),
    );
    expect(final).toMatchObject({ attempts: 1, errorMessage: "final" });
    await layer.close();
  });

  test("a task cancelled during its back-off ends at once", async () => {
    const { layer, clock } = virtualLayer({ failing });
    const done = layer.executeTaskCall({
      agentId: "failing",
      ...plain,
      retry: { attempts: 2, baseMs: 60_000, jitter: 0 },
    });
    await clock.advance(10);
    expect(await clock.run(layer.cancelRunningTasks())).toBe(1);
    expect(await done).toMatchObject({ status: "cancelled", attempts: 1 });
    expect(clock.pendingTimers()).toBe(0);
    await layer.close();
  });
});

describe("identification, limits and ranks", () => {
  class GpuManager extends ParallelTaskManager {
    protected override identifyRequiredResources(task: AgentTask) {
      const claims = super.identifyRequiredResources(task);
      if (task.contextData?.requires_gpu === true) claims.add("gpu_compute");
      return claims.add("schema", { mode: "shared" });
    }
  }

  test("a subclass adds claims; a declared capacity takes one unit, another name is locked", async () => {
    const clock = virtualClock();
    const manager = new GpuManager({
      clock,
      agents: { worker },
      resources: { gpu_compute: { capacity: 2 } },
      root: "/project",
    });
    const layer = new MCPIntegrationLayer({ parallelTaskManager: manager });
    const tasks = [1, 2, 3, 4].map((index) => ({
      agentId: "worker",
      ...plain,
      taskId: `g${index}`,
      contextData: { requires_gpu: true },
    }));
    const done = manager.executeParallelTasks(tasks);
    await clock.advance(1);
    const locks = layer.getParallelExecutionStatus().resourceLocks;
    expect(locks.gpu_compute).toMatchObject([
      { mode: "units", units: 1, lockType: "capacity" },
      { mode: "units", units: 1 },
    ]);
    expect(locks.schema).toMatchObject([{ mode: "shared", lockType: "service" }, { mode: "shared" }]);
    await clock.run(done);
    expect(clock.nowMs()).toBe(1_020);
    await layer.close();
    expect(() => new MCPIntegrationLayer({ parallelTaskManager: manager, maxConcurrentTasks: 3 })).toThrow(
      /brings its own parts/,
    );
  });

  test("guessed types are shared, so agents of one type run side by side; specifics exclude", async () => {
    const { layer, clock } = virtualLayer({ backend_specialist: worker });
    const done = layer.executeMultipleTaskCalls([
      ...[1, 2, 3, 4, 5].map((index) => ({
        agentId: `backend_specialist_${index}` as const,
        ...plain,
        contextData: {},
      })),
      ...[6, 7].map((index) => ({
        agentId: `backend_specialist_${index}` as const,
        ...plain,
        contextData: { endpoints: ["users"] },
      })),
    ]);
    await clock.run(done);
    expect(clock.nowMs()).toBeLessThanOrEqual(1_030);
    await layer.close();
  });

  test("an agent's own concurrency holds beside the manager's", async () => {
    let most = 0;
    let running = 0;
    const narrow = functionAgent({
      concurrency: 2,
      run: async (_, ctx) => {
        most = Math.max(most, ++running);
        await takes(10, ctx);
        running--;
      },
    });
    const { layer, clock } = virtualLayer({ narrow, worker });
    await clock.run(
      layer.executeMultipleTaskCalls(
        [1, 2, 3, 4, 5, 6].map((index) => ({ agentId: `narrow_${index}` as const, ...plain })),
      ),
    );
    expect(most).toBe(2);
    await layer.close();
  });

  test("priority goes first, and a custom scheduler decides alone", async () => {
    const order: string[] = [];
    const noting = functionAgent((task: AgentTask) => void order.push(task.taskId));
    const run = async (options: object) => {
      order.length = 0;
      const { layer, clock } = virtualLayer({ noting }, { maxConcurrentTasks: 1, ...options });
      await clock.run(
        layer.executeMultipleTaskCalls(
          [0, 5, 1].map((priority) => ({ agentId: "noting" as const, ...plain, taskId: `p${priority}`, priority })),
        ),
      );
      await layer.close();
      return order.join();
    };
    expect(await run({})).toBe("p5,p1,p0");
    expect(await run({ scheduler: "fifo" })).toBe("p0,p5,p1");
    expect(await run({ scheduler: { name: "low first", rank: (task: AgentTask) => task.priority ?? 0 } })).toBe(
      "p0,p1,p5",
    );
  });

  test("critical path asks for the longest chain", async () => {
    const facts: Record<string, number> = {};
    const scheduler = {
      name: "spy",
      rank: (task: AgentTask, { criticalPathMs }: { criticalPathMs: number }) => (facts[task.taskId] = criticalPathMs),
    };
    const { layer, clock } = virtualLayer({ worker }, { scheduler });
    await clock.run(layer.executeTaskCall(call("warm-up")));
    await clock.run(
      layer.executeMultipleTaskCalls([
        call("a"),
        call("b", { dependsOn: ["a"] }),
        call("c", { dependsOn: ["a"] }),
        call("d", { dependsOn: ["b", "c"] }),
      ]),
    );
    expect(Object.entries(facts).map(([id, ms]) => [id, Math.round(ms)])).toEqual([
      // Nothing is known of it: a minute.
      ["warm-up", 60_000],
      ["a", 30],
      ["b", 20],
      ["c", 20],
      ["d", 10],
    ]);
    await layer.close();
  });

  test("groups are a view", () => {
    const manager = new ParallelTaskManager({ agents: { "*": worker } });
    const tasks = ["backend_specialist_1", "ui_developer", "writer", "tester"].map((agentId) => ({
      agentId,
      taskType: agentId === "writer" ? "documentation" : "work",
      description: "x",
    }));
    const groups = manager.groupTasksByResourceRequirements(tasks);
    expect(Object.keys(groups)).toEqual([
      "backendTasks",
      "frontendTasks",
      "documentationTasks",
      "validationTasks",
      "generalTasks",
    ]);
    expect(groups.backendTasks).toEqual([tasks[0]]);
    expect(groups.documentationTasks).toEqual([tasks[2]]);
  });
});

describe("handles", () => {
  test("submit gives a handle at once; its result never rejects, its cancel says whether it really ended so", async () => {
    const clock = virtualClock();
    const manager = new ParallelTaskManager({ clock, agents: { worker, failing } });
    const good = manager.submit(call("a"));
    const slow = manager.submit(call("b", { contextData: { ms: 1_000 } }));
    const bad = manager.submit({ agentId: "failing", ...plain });
    expect(good.taskId).toBe("a");
    expect((await clock.run(good.result)).success).toBe(true);
    expect((await clock.run(bad.result)).success).toBe(false);
    expect(await clock.run(slow.cancel())).toBe(true);
    expect(await clock.run(slow.cancel())).toBe(false);
    expect((await slow.result).status).toBe("cancelled");
    expect(() => manager.submit({ agentId: "ghost", ...plain })).toThrow(/ghost/);
    await manager.close();
  });
});
