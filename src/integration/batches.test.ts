import { describe, expect, test } from "vitest";
import { call, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { batchTaskCalls, executeTaskBatches } from "./batches.ts";
import { createTaskCall } from "./task-call.ts";

describe("batches", () => {
  test("cut calls in order, the last one shorter", () => {
    expect(batchTaskCalls([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(batchTaskCalls([], 3)).toEqual([]);
    expect(() => batchTaskCalls([1], 0)).toThrow(/batchSize is 0/);
  });

  test("run one after another, each parallel inside, with all results in order", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const ended: [number, number][] = [];
    const batches = batchTaskCalls(
      [1, 2, 3, 4, 5].map((index) => call(`t${index}`)),
      2,
    );
    const results = await clock.run(
      executeTaskBatches(layer, batches, { onBatch: (batch, index) => ended.push([index, batch.length]) }),
    );
    expect(results.map(({ taskId }) => taskId)).toEqual(["t1", "t2", "t3", "t4", "t5"]);
    expect(ended).toEqual([
      [0, 2],
      [1, 2],
      [2, 1],
    ]);
    expect(clock.nowMs()).toBe(1_030);
    await layer.close();
  });
});

describe("createTaskCall", () => {
  test("gives an id, keeps one that is there, and freezes what it checked", () => {
    const made = createTaskCall({
      agentId: "a_1",
      taskType: "x",
      description: "d",
      contextData: { endpoints: ["users"] },
    });
    expect(made).toMatchObject({ agentId: "a_1", contextData: { endpoints: ["users"] } });
    expect(made.taskId).toMatch(/^task-[0-9a-z]{14}$/);
    expect(Object.isFrozen(made)).toBe(true);
    expect(createTaskCall({ ...made, taskId: "mine" }).taskId).toBe("mine");
    expect(() => createTaskCall({ agentId: "a" } as never)).toThrow(/call\.taskType: is missing/);
  });

  test("lists every fault at once", () => {
    try {
      createTaskCall({ agentId: "", taskType: 7, description: "d", retries: 3 } as never);
      expect.unreachable();
    } catch (error) {
      const { code, faults } = error as { code: string; faults: { where: string }[] };
      expect(code).toBe("INVALID_TASK_CALL");
      expect(faults.map(({ where }) => where)).toEqual(["call.agentId", "call.taskType", 'call."retries"']);
    }
  });

  test("what it made runs in a layer without a second check", async () => {
    const { layer, clock } = virtualLayer({ worker });
    const made = createTaskCall({ agentId: "worker_1", taskType: "x", description: "d" });
    const [result] = await clock.run(layer.executeMultipleTaskCalls([made]));
    expect(result.taskId).toBe(made.taskId);
    await layer.close();
  });
});
