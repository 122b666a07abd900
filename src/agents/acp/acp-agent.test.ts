import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { scene } from "../../../test/support/acp-scene.ts";
import { LockyardError } from "../../core/errors.ts";
import { acpAgent } from "./acp-agent.ts";

/** Seconds to sleep that name a process: nobody else sleeps as long. */
const SLEEP = 3_000_000 + process.pid;

function sleepers(): readonly string[] {
  const all = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(`sleep ${SLEEP}`) && !line.startsWith("Z") && !line.includes("sh -c"));
}

describe("a turn", () => {
  test("the last message is the output, tool calls are progress, usage is what the agent says", async () => {
    const { run, heard, log } = scene([
      { say: "I look " },
      { say: "first." },
      { update: { sessionUpdate: "usage_update", used: 1, size: 2, cost: { amount: 0.25, currency: "USD" } } },
      {
        update: {
          sessionUpdate: "plan",
          entries: [
            { content: "a", status: "completed" },
            { content: "b", status: "in_progress" },
          ],
        },
      },
      { update: { sessionUpdate: "tool_call", toolCallId: "r", kind: "read", title: "Read a", status: "in_progress" } },
      { update: { sessionUpdate: "tool_call_update", toolCallId: "r", status: "completed" } },
      { update: { sessionUpdate: "of a later version", x: 1 } },
      { say: "All done." },
      { stop: "end_turn", usage: { inputTokens: 10, outputTokens: 5, totalTokens: 15 } },
    ]);
    expect(await run()).toMatchObject({
      success: true,
      output: "All done.",
      usage: { inputTokens: 10, outputTokens: 5, costUsd: 0.25 },
    });
    expect(heard.progress).toEqual([
      [0.5, "b"],
      [0.5, "read Read a"],
      [0.5, "read Read a"],
    ]);
    expect(heard.chunks).toContainEqual({ stream: "stdout", text: "I look " });
    expect(heard.chunks).toContainEqual({
      stream: "tools",
      text: "[read Read a] completed\n",
      tool: "read",
      status: "completed",
      paths: [],
    });
    expect(log()).toContain("prompt Do it\n");
  });

  test("JSON is read when a schema wants it, from a block of code too", async () => {
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value }) },
    } as const;
    const { run } = scene([{ say: 'Here:\n```json\n{"files":["a"]}\n```' }], { outputSchema: schema });
    expect((await run()).output).toEqual({ files: ["a"] });
  });

  test("mode, model, login and MCP servers are set before the prompt; only writing is offered, and only when wished", async () => {
    const { run, log } = scene([], {
      mode: "default",
      model: "big",
      authMethod: "key",
      writesThroughUs: true,
      mcpServers: [{ name: "m", command: "m", args: [], env: [] }],
      env: {
        SESSION: JSON.stringify({
          modes: { currentModeId: "yolo", availableModes: [{ id: "default" }, { id: "yolo" }] },
          configOptions: [{ id: "m1", category: "model", currentValue: "small" }],
        }),
      },
    });
    await run();
    const lines = log().split("\n");
    expect(lines[0]).toContain('"fs":{"readTextFile":false,"writeTextFile":true},"terminal":false');
    expect(lines.slice(1, 6).map((line) => line.split(" ")[0])).toEqual([
      "authenticate",
      "session/new",
      "session/set_config_option",
      "session/set_mode",
      "session/prompt",
    ]);
    expect(log()).toContain('"configId":"m1","value":"big"');
    expect(log()).toContain('"name":"m"');
  });

  test("a secret of its variables is in nothing that is kept or told", async () => {
    const secret = "canary-0123456789";
    const steps = [
      { say: "it is canary-012" },
      { say: "3456789" },
      { update: { sessionUpdate: "tool_call", toolCallId: "r", kind: "read", title: `Read ${secret}` } },
      { raw: `${secret}\n` },
      { fail: { code: 1, message: `no ${secret}` } },
    ];
    const { failure, heard } = scene(steps, { env: { MY_TOKEN: secret, SCRIPT: JSON.stringify(steps) } });
    const failed = await failure();
    expect(failed.message).toContain("no [redacted]");
    expect(JSON.stringify([failed, heard.chunks, heard.progress, heard.logs])).not.toContain(secret);
  });
});

describe("what goes wrong", () => {
  test("success is what the agent says, and never an exit code", async () => {
    for (const stop of ["max_tokens", "max_turn_requests", "refusal", "cancelled", "of a later version"]) {
      expect(await scene([{ stop }]).failure()).toMatchObject({ code: "AGENT_REPORTED_FAILURE" });
    }
    expect(await scene([{ exit: 0 }]).failure()).toMatchObject({
      code: "AGENT_EXITED",
      message: expect.stringContaining("ended with exit code 0 before its turn did."),
    });
  });

  test("an agent that dies in the middle fails with its last words", async () => {
    expect(await scene([{ say: "I" }, { exit: 3, stderr: "out of cheese\n" }]).failure()).toMatchObject({
      code: "AGENT_EXITED",
      message: expect.stringMatching(/exit code 3 before its turn did\. It said: out of cheese$/),
    });
    expect(await scene([{ kill: "SIGKILL" }, { hang: true }]).failure()).toMatchObject({
      code: "AGENT_CRASHED",
      message: expect.stringContaining("was ended by SIGKILL"),
    });
  });

  test("a provider that is overloaded is waited for", async () => {
    const said = [
      { code: 429, message: "Rate limit exceeded. Try again later." },
      { code: -32_603, message: "Internal error", data: { details: "API Error: 529 overloaded" } },
      { code: -32_603, message: "x", data: { status: 429, retryAfter: 7 } },
    ];
    for (const fail of said) {
      expect(await scene([{ fail }]).failure()).toMatchObject({ code: "RATE_LIMITED", retryable: true });
    }
    expect(await scene([{ fail: said[2] }]).failure()).toMatchObject({ retryAfterMs: 7_000 });
    expect(await scene([{ fail: { code: -32_603, message: "Internal error" } }]).failure()).toMatchObject({
      code: "AGENT_FAILED",
      message: expect.stringContaining("answered with error -32603: Internal error"),
    });
  });

  test("what it needs and does not have is said: a login, a mode, a model, a protocol, a program", async () => {
    expect(await scene([{ fail: { code: -32_000, message: "Authentication required" } }]).failure()).toMatchObject({
      message: expect.stringContaining("is not logged in: Authentication required"),
    });
    const SESSION = JSON.stringify({ modes: { availableModes: [{ id: "ask" }] } });
    expect(await scene([], { mode: "default", env: { SESSION } }).failure()).toMatchObject({
      message: 'The agent has no mode "default".',
    });
    expect(await scene([], { model: "big" }).failure()).toMatchObject({
      message: 'The agent cannot be told which model to use ("big").',
    });
    expect(await scene([], { env: { HELLO: '{"protocolVersion":9}' } }).failure()).toMatchObject({
      message: "The agent speaks version 9 of the Agent Client Protocol and version 1 is needed.",
    });
    expect(await scene([], { preset: "gemini", argv: ["no-such-program-here"] }).failure()).toMatchObject({
      code: "SPAWN_FAILED",
      message: "no-such-program-here is not installed, or not in PATH.",
    });
  });

  test("a program that speaks another language fails in time", async () => {
    expect(await scene([], { argv: ["cat"] }).failure()).toMatchObject({ code: "AGENT_FAILED" });
    const silent = scene([], { argv: ["sleep", "1000"], startTimeoutMs: 50 });
    expect(await silent.failure()).toMatchObject({ message: "sleep opened no session within 50 ms." });
    const loud = scene([], { argv: ["sh", "-c", "echo usage: not an agent; exit 2"] });
    expect(await loud.failure()).toMatchObject({ message: expect.stringContaining("It said: usage: not an agent") });
  });

  test("lines that are no messages, half characters and floods are survived, in bounded memory", async () => {
    const noise = Array.from({ length: 8 }, (_, index) => ({ raw: `junk ${index}\n` }));
    const before = process.memoryUsage().rss;
    const made = scene([
      ...noise,
      { raw: "/////w==", encoding: "base64" },
      { raw: '\n{"jsonrpc":"2.0","method":"session/update","params":null}\n[]\n{"id":1}\n' },
      { flood: 96 << 20 },
      { update: null },
      { update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text: 7 } } },
      { update: { sessionUpdate: "tool_call" } },
      { update: { sessionUpdate: "plan", entries: "many" } },
      { request: "session/request_permission", params: { toolCall: {}, options: [] } },
      { say: "Still " },
      { say: "here." },
    ]);
    expect(await made.run()).toMatchObject({ success: true, output: "Still here." });
    expect(made.heard.logs).toHaveLength(5);
    expect(process.memoryUsage().rss - before).toBeLessThan(300 << 20);
    expect(made.log()).toContain("session/request_permission -32602");
  });
});

describe("an end", () => {
  test("a stopped agent is asked to end its turn, and nothing of it is left", async () => {
    const made = scene([
      { shell: `nohup setsid sleep ${SLEEP} >/dev/null 2>&1 & sleep ${SLEEP}`, detached: true },
      { say: "at work" },
      { hang: true },
    ]);
    const failed = made.failure();
    await made.heard.until(() => made.heard.chunks.length > 0);
    made.heard.abort();
    expect(await failed).toMatchObject({ code: "CANCELLED" });
    expect(made.log()).toContain("cancel");
    expect(sleepers()).toEqual([]);
  });

  test("one that does not listen is ended all the same, also while it waits for a lock", async () => {
    const made = scene(
      [{ edit: "a", add: "1" }, { hang: true }],
      { graceMs: 0, env: { IGNORES_CANCEL: "1" } },
      () =>
        new Promise((_, reject) =>
          made.heard.ctx.signal.addEventListener("abort", () => reject(new LockyardError("CANCELLED", "x"))),
        ),
    );
    const failed = made.failure();
    await made.heard.until(() => made.claims.length > 0);
    made.heard.abort();
    expect(await failed).toMatchObject({ code: "CANCELLED" });
    expect(made.log()).toContain("t0 cancelled");
  });

  test("what it leaves behind when its turn is over is ended too", async () => {
    const made = scene([{ shell: `sleep ${SLEEP}`, detached: true }, { say: "Done." }]);
    expect((await made.run()).output).toBe("Done.");
    expect(sleepers()).toEqual([]);
  });
});

test("options are checked when the agent is made", () => {
  expect(() => acpAgent({})).toThrow("acpAgent needs argv, a list of strings, or preset.");
  expect(() => acpAgent({ argv: [] })).toThrow("acpAgent needs argv");
  expect(() => acpAgent({ preset: "gemini", permissions: "all" as "full" })).toThrow('permissions is "all".');
  expect(() => acpAgent({ preset: "gemini", graceMs: -1 })).toThrow("graceMs is -1");
  expect(() => acpAgent({ preset: "gemini", concurrency: 0 })).toThrow("concurrency is 0");
});
