import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";
import { heardContext, someTask } from "../../../test/support/agent-context.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext, AgentReport, HeldLocks } from "../../core/ports.ts";
import type { Claim } from "../../core/task.ts";
import { describeError } from "../../core/task-error.ts";
import { type AcpAgentOptions, acpAgent } from "./acp-agent.ts";

const AGENT = fileURLToPath(new URL("../../../test/support/scripted-acp-agent.mjs", import.meta.url));
/** Seconds to sleep that name a process: nobody else sleeps as long. */
const SLEEP = 3_000_000 + process.pid;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

function folder(): string {
  const made = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-acp-")));
  folders.push(made);
  return made;
}

type Options = Partial<AcpAgentOptions<unknown, unknown>>;

interface Scene {
  readonly cwd: string;
  readonly claims: Claim[];
  readonly run: () => Promise<AgentReport>;
  readonly failure: () => Promise<ReturnType<typeof describeError>>;
  readonly heard: ReturnType<typeof heardContext>;
  log(): string;
}

/** An agent that does these steps, in a directory of its own; it is granted every lock unless `lock` says otherwise. */
function scene(steps: readonly object[], options: Options = {}, lock?: AgentContext["lock"]): Scene {
  const cwd = folder();
  const claims: Claim[] = [];
  const heard = heardContext({
    lock: async (asked, more) => {
      claims.push(...asked);
      heard.ctx.heartbeat();
      return lock?.(asked, more) ?? granted();
    },
  });
  const log = path.join(cwd, "log");
  const { env, ...rest } = options;
  const agent = acpAgent({
    argv: [process.execPath, AGENT],
    root: cwd,
    env: { SCRIPT: JSON.stringify(steps), LOG: log, ...env },
    ...rest,
  });
  const run = async () => (await agent.run(someTask(), heard.ctx)) as AgentReport;
  return {
    cwd,
    claims,
    heard,
    run,
    failure: async () =>
      describeError(
        await run().then(
          (report) => expect.unreachable(`succeeded with ${JSON.stringify(report)}`),
          (error: unknown) => error,
        ),
      ),
    log: () => fs.readFileSync(log, "utf8"),
  };
}

function granted(onRelease: () => void = () => undefined): HeldLocks {
  const release = async () => onRelease();
  return { fence: 1, resources: [], members: {}, release, [Symbol.asyncDispose]: release };
}

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

describe("locks", () => {
  test("a permission is answered when its files are locked, once and not for ever, and what is held is not asked for again", async () => {
    let grant: () => void = () => undefined;
    const waits = new Promise<void>((resolve) => {
      grant = resolve;
    });
    const made = scene(
      [
        { edit: "a.txt", add: "1" },
        { edit: "a.txt", add: "2" },
      ],
      {},
      async () => {
        await waits;
        return granted();
      },
    );
    const running = made.run();
    await made.heard.until(() => made.claims.length > 0);
    expect(fs.existsSync(path.join(made.cwd, "a.txt"))).toBe(false);
    grant();
    expect((await running).success).toBe(true);
    expect(fs.readFileSync(path.join(made.cwd, "a.txt"), "utf8")).toBe("12");
    expect(made.claims).toEqual([{ write: path.join(made.cwd, "a.txt") }]);
    expect(made.log()).toContain("t0 selected once\nt1 selected once");
  });

  test("a lock that cannot be had refuses the call and fails the task, unless it was had later", async () => {
    const refuse = () => Promise.reject(new LockyardError("DEADLOCK", "That would close a circle."));
    const once = scene([{ edit: "a.txt", add: "1" }, { say: "Done!" }], {}, refuse);
    expect(await once.failure()).toMatchObject({ code: "DEADLOCK", message: "That would close a circle." });
    expect(once.log()).toContain("t0 selected no");
    expect(fs.existsSync(path.join(once.cwd, "a.txt"))).toBe(false);
    let asked = 0;
    const twice = scene(
      [
        { edit: "a.txt", add: "1" },
        { edit: "a.txt", add: "2" },
      ],
      {},
      () => (++asked === 1 ? refuse() : Promise.resolve(granted())),
    );
    expect(await twice.run()).toMatchObject({ success: true, evidence: ["refused: That would close a circle."] });
    expect(fs.readFileSync(path.join(twice.cwd, "a.txt"), "utf8")).toBe("2");
  });

  test("what may not be done is refused, said as evidence, and no failure", async () => {
    const made = scene([
      { call: { kind: "execute", title: "rm -rf x" } },
      { call: { kind: "execute", title: "once more" }, options: [] },
      { edit: "/elsewhere/a", add: "1" },
    ]);
    expect((await made.run()).evidence).toEqual([
      "refused: execute rm -rf x: it may change files and run nothing",
      "refused: execute once more: it may change files and run nothing",
      expect.stringMatching(/^refused: edit Edit \/elsewhere\/a: \/elsewhere\/a is outside of /),
    ]);
    expect(made.log()).toContain("t0 selected no\nt1 cancelled\nt2 selected no");
    expect(made.claims).toEqual([]);
  });

  test("units of a command's own choice are held while it runs", async () => {
    const events: string[] = [];
    const made = scene(
      [{ call: { kind: "execute", title: "npm test", rawInput: { command: "npm test" } } }, { edit: "a", add: "1" }],
      {
        permissions: "full",
        claimsFor: ({ command }) => (command === "npm test" ? [{ use: "build" }] : []),
      },
      async (claims) => {
        events.push(`got ${JSON.stringify(claims[0])}`);
        return granted(() => events.push("let go"));
      },
    );
    expect((await made.run()).success).toBe(true);
    expect(events).toEqual(['got {"use":"build"}', "let go", expect.stringContaining("write")]);
  });

  test("a lock on a directory takes the place of those on files in it", async () => {
    const released: string[] = [];
    const made = scene(
      [
        { edit: "src/a", add: "1" },
        { edit: "b", add: "1" },
        { call: { kind: "move", title: "Move", locations: [{ path: "src" }] } },
        { edit: "src/c", add: "1" },
      ],
      {},
      async (claims) => granted(() => released.push(JSON.stringify(claims))),
    );
    fs.mkdirSync(path.join(made.cwd, "src"));
    await made.run();
    const at = (name: string) => ({ write: path.join(made.cwd, name) });
    expect(made.claims).toEqual([at("src/a"), at("b"), at("src")]);
    expect(released).toEqual([JSON.stringify([at("src/a")])]);
  });

  test("an agent that edits without asking is told of", async () => {
    const made = scene([{ edit: "a.txt", add: "1", asks: false }]);
    expect((await made.run()).success).toBe(true);
    expect(made.heard.logs.map(({ message }) => message)).toEqual([
      "The agent of task-1 changes files without asking, so they are not locked: Edit a.txt.",
    ]);
  });

  test("files it leaves to us are locked and written below its directory only, links included", async () => {
    const outside = folder();
    const made = scene([
      { write: "new/a.txt", content: "new" },
      { write: "link/b.txt", content: "out" },
      { write: "dangling", content: "out" },
      { write: path.join(outside, "c.txt"), content: "out" },
      { request: "fs/read_text_file", params: { path: "a" } },
      { request: "terminal/create" },
    ]);
    fs.symlinkSync(outside, path.join(made.cwd, "link"));
    fs.symlinkSync(path.join(outside, "d.txt"), path.join(made.cwd, "dangling"));
    // The agent resolves names against its own directory.
    expect((await made.run()).success).toBe(true);
    expect(fs.readFileSync(path.join(made.cwd, "new/a.txt"), "utf8")).toBe("new");
    expect(fs.readdirSync(outside)).toEqual([]);
    expect(made.claims[0]).toEqual({ write: path.join(made.cwd, "new/a.txt") });
    expect(made.log().match(/^(?:not )?written.*$|^\S+ -32601$/gm)).toEqual([
      "written",
      expect.stringMatching(/^not written: .*leads out of/),
      expect.stringMatching(/^not written: .*leads out of/),
      expect.stringMatching(/^not written: .*is outside of/),
      "fs/read_text_file -32601",
      "terminal/create -32601",
    ]);
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
