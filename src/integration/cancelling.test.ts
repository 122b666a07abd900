/** How tasks are cancelled and layers closed. */
import { describe, expect, test } from "vitest";
import { call, stubborn, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";

describe("cancelling", () => {
  test("counts what really ended: running, waiting and blocked tasks", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 2 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b"), call("c"), call("d", { dependsOn: ["a"] })]);
    await clock.advance(1);
    expect(await clock.run(layer.cancelRunningTasks())).toBe(4);
    expect((await clock.run(done)).map(({ status }) => status)).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
      "cancelled",
    ]);
    expect(layer.getTaskExecutionMetrics().cancelledTasks).toBe(4);
    await layer.close();
  });

  test("by agent id, by task id, by workflow", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const calls = ["worker_1", "worker_1", "worker_2", "worker_3"].map((agentId, index) => ({
      ...call(`t${index}`),
      agentId: agentId as "worker_1",
    }));
    const done = layer.executeMultipleTaskCalls(calls);
    await clock.advance(1);
    expect(await clock.run(layer.cancelRunningTasks(["worker_1"]))).toBe(2);
    expect(await clock.run(layer.cancelTasks({ taskIds: ["t2", "t0", "nobody"] }))).toBe(1);
    expect(await clock.run(layer.cancelTasks({ workflowId: "another" }))).toBe(0);
    expect(await clock.run(layer.cancelTasks({ workflowId: "test" }))).toBe(1);
    expect(await clock.run(layer.cancelTasks())).toBe(0);
    await clock.run(done);
    await layer.close();
  });

  test("an instance that does not stop is not counted, keeps its locks, and frees its slot", async () => {
    const { agent, release } = stubborn();
    const { layer, clock } = virtualLayer({ stubborn: agent, worker }, { maxConcurrentTasks: 1 });
    const lock = { claims: [{ lock: "db" }] } as const;
    const first = layer.executeTaskCall({ agentId: "stubborn", taskType: "x", description: "x", taskId: "s", ...lock });
    await clock.advance(1);
    const second = layer.executeTaskCall(call("other"));
    const third = layer.executeTaskCall(call("wants-db", lock));
    expect(await clock.run(layer.cancelTasks({ taskIds: ["s"] }))).toBe(0);
    expect(clock.nowMs()).toBe(1_000 + 1 + 5_000);
    expect(await first).toMatchObject({ status: "failed", error: { code: "NOT_STOPPED" } });
    expect((await clock.run(second)).success).toBe(true);
    const status = layer.getParallelExecutionStatus();
    expect(status.resourceLocks.db).toMatchObject([{ quarantined: true, mode: "exclusive" }]);
    expect(status.waiting[0]?.reason).toContain("quarantined");
    release();
    expect((await clock.run(third)).success).toBe(true);
    expect(layer.getParallelExecutionStatus().resourceLocks).toEqual({});
    await layer.close();
  });

  test("what an agent could not end keeps its locks, quarantined, and frees them the moment it is gone", async () => {
    let gone: () => void = () => undefined;
    const whenGone = new Promise<void>((resolve) => {
      gone = resolve;
    });
    const leaky = functionAgent(() => {
      throw Object.assign(new Error("1 process of it could not be stopped: sleep (7)."), {
        code: "NOT_STOPPED",
        whenGone,
      });
    });
    const { layer, clock } = virtualLayer({ leaky, worker }, { maxConcurrentTasks: 1 });
    const lock = { claims: [{ lock: "db" }] } as const;
    const first = layer.executeTaskCall({ agentId: "leaky", taskType: "x", description: "x", taskId: "l", ...lock });
    const second = layer.executeTaskCall(call("other"));
    const third = layer.executeTaskCall(call("wants-db", lock));
    expect(await clock.run(first)).toMatchObject({
      status: "failed",
      error: {
        code: "NOT_STOPPED",
        message:
          "1 process of it could not be stopped: sleep (7). The locks of its task are quarantined until all of it is gone.",
      },
    });
    expect((await clock.run(second)).success).toBe(true);
    await clock.advance(60_000);
    expect(layer.getParallelExecutionStatus().resourceLocks.db).toMatchObject([{ quarantined: true }]);
    expect(layer.getParallelExecutionStatus().waiting[0]?.reason).toContain("quarantined");
    gone();
    expect((await clock.run(third)).success).toBe(true);
    expect(layer.getParallelExecutionStatus().resourceLocks).toEqual({});
    await layer.close();
  });

  test("an aborted signal settles everything as cancelled and rejects nothing", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const controller = new AbortController();
    const done = layer.executeMultipleTaskCalls([call("a"), call("b")], { signal: controller.signal });
    await clock.advance(1);
    controller.abort();
    expect((await clock.run(done)).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    const late = layer.executeMultipleTaskCalls([call("c")], { signal: controller.signal });
    expect((await clock.run(late))[0]).toMatchObject({
      status: "cancelled",
      attempts: 0,
      startedAt: null,
      instanceId: "",
    });
    await layer.close();
  });

  test("a deadline times out what has not ended", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b"), call("c")], { deadlineMs: 15 });
    const results = await clock.run(done);
    expect(results.map(({ status }) => status)).toEqual(["succeeded", "timed_out", "timed_out"]);
    expect(results[2]).toMatchObject({ error: { code: "DEADLINE" }, attempts: 0 });
    expect(clock.pendingTimers()).toBe(0);
    await layer.close();
  });
});

describe("waiting and closing", () => {
  test("waiting for all is true when idle and false at the time-out, and cancels nothing", async () => {
    const { layer, clock } = virtualLayer({ worker });
    expect(await layer.waitForAllTasksCompletion()).toBe(true);
    const done = layer.executeTaskCall(call("a", { contextData: { ms: 500 } }));
    await clock.advance(1);
    expect(await clock.run(layer.waitForAllTasksCompletion({ timeoutMs: 100 }))).toBe(false);
    expect(await clock.run(layer.waitForAllTasksCompletion())).toBe(true);
    expect((await done).success).toBe(true);
    await layer.close();
  });

  test("closing cancels what is left, refuses what comes, and leaves no timer", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b")]);
    await clock.advance(1);
    await clock.run(layer.close());
    expect((await done).map(({ status }) => status)).toEqual(["cancelled", "cancelled"]);
    await expect(layer.executeTaskCall(call("c"))).rejects.toMatchObject({ code: "CLOSED" });
    expect(clock.pendingTimers()).toBe(0);
  });

  test("draining lets everything end first", async () => {
    const { layer, clock } = virtualLayer({ worker }, { maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b")]);
    await clock.advance(1);
    await clock.run(layer.close({ drain: true }));
    expect((await done).map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
  });

  test("leaving the block closes the layer", async () => {
    const { layer, clock } = virtualLayer({ worker });
    {
      await using inside = layer;
      await clock.run(inside.executeTaskCall(call("a")));
    }
    await expect(layer.executeTaskCall(call("b"))).rejects.toMatchObject({ code: "CLOSED" });
  });
});
