/** An overloaded provider is left alone by everybody on the store, and nobody pays for that with an attempt. */
import { describe, expect, test } from "vitest";
import { sharedStore } from "../../test/support/shared-store.ts";
import { call, virtualLayer } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { type VirtualClock, virtualClock } from "../clock/virtual-clock.ts";
import { rateLimited } from "../core/agent-report.ts";
import type { AgentContext } from "../core/ports.ts";
import type { Claim } from "../core/task.ts";

/** Answers 10 calls a second, five at once after a pause, and refuses all others for half a second. */
function provider(clock: VirtualClock) {
  let nextAtMs = 0;
  const counts = { served: 0, refused: 0 };
  const ask = () => {
    const nowMs = clock.nowMs();
    if (Math.max(nextAtMs, nowMs) - 400 > nowMs) {
      counts.refused++;
      throw rateLimited({ retryAfterMs: 500 });
    }
    nextAtMs = Math.max(nextAtMs, nowMs) + 100;
    counts.served++;
  };
  return { counts, ask };
}

/** Two managers, 100 tasks each, 20 at once each. */
async function storm(claims: readonly Claim[], paces: boolean) {
  const clock = virtualClock();
  const { descriptor, store } = sharedStore(clock);
  const { counts, ask } = provider(clock);
  const worker = functionAgent(async (_, ctx: AgentContext) => {
    if (paces) await ctx.rate("api");
    ask();
  });
  const layers = ["one", "two"].map(
    (workflowId) =>
      virtualLayer(
        { worker },
        {
          clock,
          store: descriptor,
          workflowId,
          maxConcurrentTasks: 20,
          resources: { api: { rate: "50/s", burst: 5 } },
        },
      ).layer,
  );
  const calls = Array.from({ length: 100 }, (_, index) => call(`t${index}`, { claims }));
  const results = (await clock.run(Promise.all(layers.map((layer) => layer.executeMultipleTaskCalls(calls))))).flat();
  for (const layer of layers) await clock.run(layer.close());
  return { counts, results, tookMs: clock.nowMs(), overload: store.view((view) => view.counters()) };
}

describe("200 tasks of two processes on a provider that serves fewer than was declared", () => {
  test("do not storm it, all succeed, and no attempt is spent", async () => {
    const paced = await storm([{ use: "api" }], false);
    expect(paced.results.map(({ success, attempts }) => [success, attempts])).toEqual(
      paced.results.map(() => [true, 1]),
    );
    expect(paced.counts.served).toBe(200);
    const wild = await storm([], false);
    expect(wild.counts.served).toBe(200);
    // The same provider without a declared rate: every task finds out by itself.
    expect(paced.counts.refused * 4).toBeLessThan(wild.counts.refused);
    expect(paced.counts.refused).toBeLessThan(100);
  });

  test("the same holds for calls that are paced from inside a task", async () => {
    const paced = await storm([], true);
    expect(paced.counts.served).toBe(200);
    expect(paced.counts.refused).toBeLessThan(100);
  });
});

test("who waits for a provider that asked for a pause is told so", async () => {
  const clock = virtualClock();
  const { descriptor } = sharedStore(clock);
  let isFirst = true;
  const worker = functionAgent(() => {
    if (isFirst) {
      isFirst = false;
      throw rateLimited({ retryAfterMs: 14_000 });
    }
  });
  const { layer } = virtualLayer({ worker }, { clock, store: descriptor, resources: { api: { rate: "50/s" } } });
  const done = layer.executeTaskCall(call("a", { claims: [{ use: "api" }] }));
  await clock.advance(1_000);
  const [waiting] = layer.getParallelExecutionStatus().waiting;
  expect(waiting?.reason).toMatch(
    /^waiting for api: its provider is overloaded and asked everybody to wait; the next in 1[3-8]s/,
  );
  expect((await clock.run(done)).attempts).toBe(1);
  await clock.run(layer.close());
});
