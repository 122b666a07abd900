/** Agents and callbacks that do everything wrong: each fails alone, and the next task runs. */
import { describe, expect, test } from "vitest";
import { virtualLayer, worker } from "../../test/support/virtual-layer.ts";
import { functionAgent } from "../agents/function-agent.ts";
import { agentReport } from "../core/agent-report.ts";
import type { AgentContext, Monitor } from "../core/ports.ts";

const plain = { taskType: "x", description: "x" } as const;

interface Evil {
  readonly run: (ctx: AgentContext) => unknown;
  readonly code: string | null;
  readonly output?: unknown;
  readonly message?: RegExp;
}

const cyclic: Record<string, unknown> = {};
cyclic.self = cyclic;

type Callback = (value: unknown) => void;

/** An object with a `then`, built so that nobody takes it for one by mistake. */
function thenable(then: (this: unknown, resolve: Callback, reject: Callback) => void): object {
  // biome-ignore lint/suspicious/noThenProperty: thenables are what is tested
  return Object.defineProperty({}, "then", { value: then });
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}

const EVILS: Readonly<Record<string, Evil>> = {
  "throws at once": {
    run: () => {
      throw new Error("at once");
    },
    code: "AGENT_FAILED",
    message: /^at once$/,
  },
  "rejects later": {
    run: async () => {
      throw new TypeError("later");
    },
    code: "AGENT_FAILED",
    message: /^later$/,
  },
  "throws null": {
    run: () => {
      throw null;
    },
    code: "AGENT_FAILED",
    message: /threw null/,
  },
  "throws undefined": { run: () => Promise.reject(undefined), code: "AGENT_FAILED", message: /threw undefined/ },
  "throws zero": {
    run: () => {
      throw 0;
    },
    code: "AGENT_FAILED",
    message: /threw 0/,
  },
  "throws a symbol": {
    run: () => {
      throw Symbol("mine");
    },
    code: "AGENT_FAILED",
    message: /Symbol\(mine\)/,
  },
  "throws an object whose message throws": {
    run: () => {
      throw {
        get message() {
          throw new Error("inner");
        },
      };
    },
    code: "AGENT_FAILED",
  },
  "throws a revoked proxy": {
    run: () => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      throw proxy;
    },
    code: "AGENT_FAILED",
  },
  "returns a getter that throws": {
    run: () => ({
      get bad() {
        throw new Error("gotcha");
      },
    }),
    code: "INVALID_OUTPUT",
  },
  "returns a proxy that throws": {
    run: () =>
      new Proxy(
        {},
        {
          ownKeys: () => {
            throw new Error("trap");
          },
        },
      ),
    code: "INVALID_OUTPUT",
  },
  "returns a then that throws": {
    run: () =>
      // biome-ignore lint/suspicious/noThenProperty: thenables are what is tested
      Object.defineProperty({}, "then", {
        get: () => {
          throw new Error("no then");
        },
      }),
    code: "AGENT_FAILED",
    message: /no then/,
  },
  "returns a thenable that resolves twice": {
    run: () =>
      thenable((resolve, reject) => {
        resolve(1);
        resolve(2);
        reject(new Error("third"));
      }),
    code: null,
    output: 1,
  },
  "returns a thenable that throws after resolving": {
    run: () =>
      thenable((resolve) => {
        resolve("kept");
        throw new Error("late");
      }),
    code: null,
    output: "kept",
  },
  "returns a thenable that resolves with itself": {
    run: () => {
      const self: object = thenable((resolve) => resolve(self));
      return self;
    },
    code: "AGENT_FAILED",
    message: /thenables inside thenables/,
  },
  "returns thenables without end": {
    run: () => {
      const next = (): object => thenable((resolve) => resolve(next()));
      return next();
    },
    code: "AGENT_FAILED",
  },
  "returns a cycle": { run: () => cyclic, code: "INVALID_OUTPUT", message: /contains itself/ },
  "returns a BigInt": { run: () => 10n, code: "INVALID_OUTPUT", message: /BigInt/ },
  "returns NaN": { run: () => Number.NaN, code: "INVALID_OUTPUT" },
  "returns a function": { run: () => () => 1, code: "INVALID_OUTPUT" },
  "returns a Map": { run: () => new Map(), code: "INVALID_OUTPUT" },
  "returns 100,000 levels": { run: () => deep(100_000), code: "INVALID_OUTPUT", message: /deeper than 64/ },
  "returns ten megabytes of objects": {
    run: () => Array.from({ length: 200_000 }, () => "x".repeat(50)),
    code: "INVALID_OUTPUT",
  },
  "returns a prototype": {
    run: () => JSON.parse('{"__proto__":{"polluted":true}}') as unknown,
    code: "INVALID_OUTPUT",
  },
  "returns nothing": { run: () => undefined, code: null, output: null },
  "returns half a surrogate": { run: () => "a\ud800", code: null, output: "a\ufffd" },
  "lies in its report": {
    run: () =>
      Object.assign(agentReport({ output: 1 }), {
        confidenceScore: "high",
        evidence: 7,
        usage: { costUsd: -1, inputTokens: "many" },
        touched: "everything",
        leftovers: {},
      }),
    code: null,
    output: 1,
  },
  "reports failure with an output": {
    run: () => agentReport({ success: false, output: "half", errorMessage: "half done" }),
    code: "AGENT_REPORTED_FAILURE",
    output: "half",
    message: /half done/,
  },
  "takes its context apart and leaves a promise behind": {
    run: ({ lock }) => {
      lock([{ lock: "never released" }]).catch(() => undefined);
      return 1;
    },
    code: null,
    output: 1,
  },
  "reports nonsense": {
    run: (ctx) => {
      ctx.progress(Number.NaN, 7 as never);
      ctx.progress("much" as never);
      ctx.emit(10n as never);
      ctx.heartbeat();
      return 1;
    },
    code: null,
    output: 1,
  },
};

describe("agents", () => {
  test.each(Object.entries(EVILS))("one that %s", async (_, evil) => {
    const { layer, clock } = virtualLayer(
      { evil: functionAgent((_task, ctx: AgentContext) => evil.run(ctx) as never), worker },
      { maxConcurrentTasks: 1 },
    );
    const lock = { claims: [{ lock: "shared lock" }] } as const;
    const [bad, good] = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "evil", ...plain, ...lock },
        { agentId: "worker", ...plain, ...lock },
      ]),
    );
    expect(bad.error?.code ?? null).toBe(evil.code);
    expect(bad.status).toBe(evil.code === null ? "succeeded" : "failed");
    if (evil.output !== undefined) expect(bad.output).toEqual(evil.output);
    if (evil.message !== undefined) expect(bad.errorMessage).toMatch(evil.message);
    expect(JSON.parse(JSON.stringify(bad))).toEqual(bad);
    expect(good.success).toBe(true);
    expect(layer.getParallelExecutionStatus()).toMatchObject({
      runningInstances: {},
      resourceLocks: {},
      waitingCount: 0,
    });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    await layer.close();
  });

  test("long text is cut and says so", async () => {
    const { layer, clock } = virtualLayer({ talker: functionAgent(() => "x".repeat(1_000_000)) });
    const { output } = await clock.run(layer.executeTaskCall({ agentId: "talker", ...plain }));
    expect(String(output)).toHaveLength(65_536 + "… [934,464 more characters were cut off]".length);
    await layer.close();
  });

  test("a schema that throws, refuses or is no schema fails the attempt only", async () => {
    const schema = (validate: () => unknown) => ({ "~standard": { version: 1, vendor: "test", validate } }) as never;
    const { layer, clock } = virtualLayer({ any: functionAgent(() => ({ a: 1 })) });
    const results = await clock.run(
      layer.executeMultipleTaskCalls([
        {
          agentId: "any",
          ...plain,
          outputSchema: schema(() => {
            throw new Error("bad schema");
          }),
        },
        {
          agentId: "any",
          ...plain,
          outputSchema: schema(() => ({ issues: [{ message: "must be b", path: ["a", { key: "b" }] }] })),
        },
        { agentId: "any", ...plain, outputSchema: schema(() => null) },
        { agentId: "any", ...plain, outputSchema: schema(async () => ({ value: "other" })) },
      ]),
    );
    expect(results.map(({ error, output }) => error?.code ?? output)).toEqual([
      "AGENT_FAILED",
      "INVALID_OUTPUT",
      "AGENT_FAILED",
      "other",
    ]);
    expect(results[1].errorMessage).toBe("The output does not match its schema: a.b: must be b");
    await layer.close();
  });
});

describe("listeners", () => {
  test("progress callbacks that throw or reject, and monitors that throw, are never noticed", async () => {
    const events: string[] = [];
    const monitor: Monitor = {
      onEvent(event) {
        events.push(event.type);
        throw new Error("monitor");
      },
    };
    const { layer, clock } = virtualLayer(
      { reporting: functionAgent((_, ctx: AgentContext) => ctx.progress(0.5)) },
      { monitor },
    );
    const manager = layer.parallelTaskManager;
    let heard = 0;
    manager.addProgressCallback(() => {
      throw null;
    });
    manager.addProgressCallback(async () => {
      throw new Error("async");
    });
    manager.addProgressCallback(() =>
      thenable(() => {
        throw new Error("thenable");
      }),
    );
    manager.addProgressCallback(() => {
      heard++;
    });
    const stop = manager.addProgressCallback(() => {
      heard += 100;
    });
    stop();
    expect((await clock.run(layer.executeTaskCall({ agentId: "reporting", ...plain }))).success).toBe(true);
    expect(heard).toBe(1);
    await layer.close();
    expect(events).toContain("task-finished");
  });

  test("parts that throw decide nothing: scheduler, error handler, tracker, resource manager", async () => {
    const boom = () => {
      throw new Error("boom");
    };
    const { layer, clock } = virtualLayer(
      {
        failing: functionAgent(() => {
          throw new Error("mine");
        }),
        worker,
      },
      {
        scheduler: { name: "broken", rank: boom },
        errorHandler: { judge: boom },
        progressTracker: { estimate: boom },
        resourceManager: {
          identify: () => [],
          prepare: (task) => (task.agentId === "failing" ? boom() : { READY: "1" }),
          dispose: boom,
        },
      },
    );
    const [failed, good] = await clock.run(
      layer.executeMultipleTaskCalls([
        { agentId: "failing", ...plain, retry: { attempts: 5 } },
        { agentId: "worker", ...plain },
      ]),
    );
    expect(failed).toMatchObject({ status: "failed", attempts: 1, errorMessage: "boom" });
    expect(good.success).toBe(true);
    await layer.close();
  });

  test("claims that cannot be worked out refuse the call, named", async () => {
    const { layer } = virtualLayer({
      odd: functionAgent({
        claims: () => {
          throw new Error("no idea");
        },
        run: () => 1,
      }),
    });
    await expect(layer.executeTaskCall({ agentId: "odd", ...plain })).rejects.toMatchObject({
      code: "INVALID_CLAIM",
      message: expect.stringContaining("no idea"),
    });
    await layer.close();
  });
});
