/** Managers that share a store: grants by others are confirmed first, locks reach everybody, what is stale is dropped. */
import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { sharedStore } from "../../test/support/shared-store.ts";
import { call, stubborn, virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { virtualClock } from "../clock/virtual-clock.ts";
import { LockyardError } from "../core/errors.ts";
import type { AgentContext } from "../core/ports.ts";
import type { openMemoryStore } from "../stores/memory/index.ts";

describe.each([false, true])("two managers on one store (slow: %s)", (isSlow) => {
  test("a lock excludes across them, and a grant made by the other's turn is confirmed before it starts", async () => {
    const clock = virtualClock();
    const commands: string[] = [];
    const { descriptor } = sharedStore(clock, {
      isSlow,
      before: (batch) => commands.push(...batch.map(({ type }) => type)),
    });
    let inside = 0;
    let most = 0;
    const counting = functionAgent(async (_, ctx: AgentContext) => {
      most = Math.max(most, ++inside);
      await new Promise<void>((resolve) => void ctx.clock.setTimer(10, resolve));
      inside--;
    });
    const layers = ["one", "two"].map(
      (workflowId) => virtualLayer({ worker: counting }, { clock, store: descriptor, workflowId }).layer,
    );
    const lock = { claims: [{ write: "src" }] } as const;
    const done = layers.flatMap((layer) => [0, 1, 2].map((index) => layer.executeTaskCall(call(`t${index}`, lock))));
    const results = await clock.run(Promise.all(done));
    expect(results.every(({ success }) => success)).toBe(true);
    expect(most).toBe(1);
    expect(commands).toContain("confirm");
    expect(clock.nowMs()).toBe(1_060);
    for (const layer of layers) await clock.run(layer.close());
  });

  test("every feature works the same: dependencies, nested tasks, time-outs, cancels", async () => {
    const clock = virtualClock();
    const { descriptor, store } = sharedStore(clock, { isSlow });
    const parent = functionAgent(async (_, ctx: AgentContext) => {
      await using _held = await ctx.lock([{ lock: "extra" }]);
      return (await ctx.run([call("child")])).map(({ output }) => output);
    });
    const { layer } = virtualLayer({ parent, worker }, { clock, store: descriptor, maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([
      call("first"),
      { agentId: "parent", taskType: "x", description: "x", dependsOn: ["first"] },
      call("slow", { contextData: { ms: 1_000 }, timeoutMs: 20 }),
      call("impatient", { queueTimeoutMs: 1, dependsOn: ["first"] }),
      call("cancelled"),
    ]);
    await clock.advance(5);
    expect(await clock.run(layer.cancelTasks({ taskIds: ["cancelled"] }))).toBe(1);
    const results = await clock.run(done);
    expect(results.map(({ status }) => status)).toEqual([
      "succeeded",
      "succeeded",
      "timed_out",
      "timed_out",
      "cancelled",
    ]);
    expect(results[1].output).toEqual(["child"]);
    await clock.run(layer.close());
    store.view((view) => {
      expect(view.tasks({})).toEqual([]);
      expect(view.owners()).toEqual([]);
    });
  });
});

/** Another process at the same store. */
function somebodyElse(store: ReturnType<typeof openMemoryStore>): void {
  const nobody = { pid: 1, startTime: 0, bootId: "", pidNamespace: "", machine: "here", label: "", beatAtMs: 0 };
  store.join({ ...nobody, ownerId: "somebody else" }, () => undefined);
}

describe("the store and what goes wrong", () => {
  test("a task cancelled through the store by another process stops here", async () => {
    const clock = virtualClock();
    const { descriptor, store } = sharedStore(clock);
    const { layer } = virtualLayer({ worker }, { clock, store: descriptor });
    const done = layer.executeTaskCall(call("a", { contextData: { ms: 1_000 } }));
    await clock.advance(5);
    somebodyElse(store);
    const key = store.view((view) => view.task("test", "a"))?.key ?? 0;
    store.turnFor("somebody else", [{ type: "cancel", key, status: "cancelled", result: null }]);
    expect(await clock.run(done)).toMatchObject({
      status: "cancelled",
      errorMessage: "Task a was cancelled by another process.",
    });
    await clock.run(layer.close());
  });

  test("a result with a stale fence is dropped and counted, and its task ends once", async () => {
    const clock = virtualClock();
    const { descriptor, store } = sharedStore(clock);
    const { agent, release } = stubborn();
    const { layer } = virtualLayer({ stubborn: agent }, { clock, store: descriptor });
    const done = layer.executeTaskCall({ agentId: "stubborn", taskType: "x", description: "x", taskId: "s" });
    await clock.advance(5);
    const owner = store.view((view) => view.owners())[0];
    somebodyElse(store);
    // Judged gone, its process proven dead: wrongly, as it turns out.
    store.turnFor("somebody else", [{ type: "owner-gone", ownerId: owner?.ownerId ?? "", isProven: true }]);
    expect(await clock.run(done)).toMatchObject({ status: "failed", error: { code: "OWNER_GONE" } });
    release();
    await clock.advance(1_500);
    // It joined again with its next beat, and goes on.
    expect(store.view((view) => view.owners())).toHaveLength(2);
    const again = layer.executeTaskCall({ agentId: "stubborn", taskType: "x", description: "x", taskId: "again" });
    expect((await clock.run(again)).output).toBe("late");
    await clock.run(layer.close());
  });

  test("a busy store is tried again, and nothing is lost or done twice", async () => {
    const clock = virtualClock();
    let busy = 3;
    const { descriptor } = sharedStore(clock, {
      before: (commands) => {
        if (commands.some(({ type }) => type === "submit") && busy-- > 0) throw new LockyardError("STORE_BUSY", "busy");
      },
    });
    const { layer } = virtualLayer({ worker }, { clock, store: descriptor });
    const results = await clock.run(layer.executeMultipleTaskCalls([call("a"), call("b")]));
    expect(results.map(({ status }) => status)).toEqual(["succeeded", "succeeded"]);
    await clock.run(layer.close());
  });

  test("a store that is busy when a manager leaves is told in the end, and what settles meanwhile is told too", async () => {
    const clock = virtualClock();
    let busy = 0;
    const { descriptor, store } = sharedStore(clock, {
      before: () => {
        if (busy-- > 0) throw new LockyardError("STORE_BUSY", "busy");
      },
    });
    const { agent, release } = stubborn();
    const { layer } = virtualLayer({ stubborn: agent }, { clock, store: descriptor });
    const done = layer.executeTaskCall({ ...call("s"), agentId: "stubborn" });
    await clock.advance(5);
    await clock.run(layer.cancelRunningTasks());
    expect(await clock.run(done)).toMatchObject({ status: "failed", error: { code: "NOT_STOPPED" } });
    busy = 4;
    const closed = layer.close();
    await clock.advance(50);
    release();
    await clock.run(closed);
    store.view((view) => expect(view.tasks({})).toEqual([]));
  });

  test("a store that stays busy is given up after a minute and a half, and every task ends with its error", async () => {
    const clock = virtualClock();
    let isBusy = false;
    const { descriptor } = sharedStore(clock, {
      before: () => {
        if (isBusy) throw new LockyardError("STORE_BUSY", "busy");
      },
    });
    const { layer } = virtualLayer({ worker }, { clock, store: descriptor });
    const done = layer.executeTaskCall(call("a"));
    await clock.advance(5);
    isBusy = true;
    expect((await clock.run(done)).error?.code).toBe("STORE_BUSY");
    expect(clock.nowMs()).toBeGreaterThan(40_000);
    await clock.run(layer.close());
  });

  test("a store that is lost ends every task with its error and refuses new ones", async () => {
    const clock = virtualClock();
    let isLost = false;
    const { descriptor } = sharedStore(clock, {
      before: () => {
        if (isLost) throw new LockyardError("STORE_CORRUPT", "page 7");
      },
    });
    const { layer } = virtualLayer({ worker }, { clock, store: descriptor, maxConcurrentTasks: 1 });
    const done = layer.executeMultipleTaskCalls([call("a"), call("b")]);
    await clock.advance(5);
    isLost = true;
    const results = await clock.run(done);
    expect(results.map(({ error }) => error?.code)).toEqual(["STORE_CORRUPT", "STORE_CORRUPT"]);
    await expect(layer.executeTaskCall(call("c"))).rejects.toMatchObject({ code: "STORE_CORRUPT" });
    await clock.run(layer.close());
    expect(clock.pendingTimers()).toBe(0);
  });
});

describe("paths", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "lockyard-"));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("a link that was changed while the task waited is locked at what it means now", async () => {
    const root = folder;
    for (const name of ["old", "new"]) writeFileSync(path.join(root, name), "");
    symlinkSync("old", path.join(root, "link"));
    const { layer, clock } = virtualLayer({ worker }, { root });
    const done = layer.executeMultipleTaskCalls([
      call("first", { claims: [{ write: "link" }] }),
      call("second", { claims: [{ write: "link" }] }),
    ]);
    await clock.advance(5);
    unlinkSync(path.join(root, "link"));
    symlinkSync("new", path.join(root, "link"));
    await clock.advance(10);
    expect(Object.keys(layer.getParallelExecutionStatus().resourceLocks).sort()).toEqual(["file:link", "file:new"]);
    // It went back in line for that, and was not started twice.
    expect((await clock.run(done)).map(({ attempts, success }) => [attempts, success])).toEqual([
      [1, true],
      [1, true],
    ]);
    await layer.close();
  });
});
