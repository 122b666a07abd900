import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { heardContext, someTask } from "../../../test/support/agent-context.ts";
import type { AgentReport } from "../../core/ports.ts";
import type { AgentResult } from "../../core/task.ts";
import { describeError } from "../../core/task-error.ts";
import { type CodingCliAgentOptions, codingCliAgent, missingCodingCli } from "./coding-cli-agent.ts";

type Options = Partial<CodingCliAgentOptions<unknown, unknown>>;

/** Seconds to sleep that name a process: nobody else sleeps as long. */
const FIRST = 3_000_000 + process.pid * 100;
const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-coding-"));
  folders.push(made);
  return made;
}

/** A program that behaves as the script says, in place of the real command line. */
function program(script: string, shell = "/bin/sh"): string {
  const file = path.join(folder(), "agent");
  fs.writeFileSync(file, `#!${shell}\n${script}\n`, { mode: 0o755 });
  return file;
}

const node = (script: string) => program(script, process.execPath);

const SUCCESS = JSON.stringify({ type: "turn.completed", usage: { input_tokens: 10, output_tokens: 5 } });
const message = (text: string) => JSON.stringify({ type: "item.completed", item: { type: "agent_message", text } });
/** As Codex: says a text and ends well. */
const well = (text: string) => `cat >/dev/null\ncat <<'END'\n${message(text)}\n${SUCCESS}\nEND`;

async function run(options: Options, heard = heardContext(), task = someTask()): Promise<AgentReport> {
  const agent = codingCliAgent({ kind: "codex", root: os.tmpdir(), ...options });
  try {
    return (await agent.run(task, heard.ctx)) as AgentReport;
  } finally {
    await agent.close?.();
  }
}

async function failure(options: Options, heard = heardContext(), task = someTask()) {
  return describeError(
    await run(options, heard, task).then(
      (report) => expect.unreachable(`succeeded with ${JSON.stringify(report)}`),
      (error: unknown) => error,
    ),
  );
}

function sleepers(seconds: number): readonly string[] {
  const all = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(`sleep ${seconds}`) && !line.startsWith("Z") && !line.includes("sh -c"));
}

describe("what it is given", () => {
  test("the prompt on stdin, byte for byte: description, context, results of earlier tasks", async () => {
    const file = path.join(folder(), "prompt");
    const earlier = { status: "succeeded", output: "42" } as AgentResult;
    const heard = heardContext({ dependencies: { count: earlier } });
    const task = someTask({ description: "--help $(id) `id` ü\nsecond", contextData: { file: "a.md" } });
    await run({ program: program(`cat > ${file}\necho '${SUCCESS}'`) }, heard, task);
    expect(fs.readFileSync(file, "utf8")).toBe(
      '--help $(id) `id` ü\nsecond\n\nContext, as JSON:\n{"file":"a.md"}\n\nResults of earlier tasks, as JSON:\n{"count":{"status":"succeeded","output":"42"}}\n',
    );
  });

  test("a place to work in, its own variables, and not our secrets", async () => {
    process.env.SECRET_OF_TEST = "hidden";
    const root = fs.realpathSync(folder());
    fs.mkdirSync(path.join(root, "sub"));
    const script = `env > env.txt\npwd > pwd.txt\n${well("done")}`;
    await run({ program: program(script), root, cwd: "sub", env: { MINE: "1" } });
    delete process.env.SECRET_OF_TEST;
    const env = fs.readFileSync(path.join(root, "sub", "env.txt"), "utf8");
    expect(env).toContain("MINE=1");
    expect(env).toContain("LOCKYARD_TASK=task-1");
    expect(env).not.toContain("hidden");
    expect(fs.readFileSync(path.join(root, "sub", "pwd.txt"), "utf8").trim()).toBe(path.join(root, "sub"));
  });

  test("a schema its provider takes, in a file that is gone afterwards", async () => {
    const root = fs.realpathSync(folder());
    const script = `while [ $# -gt 1 ]; do [ "$1" = --output-schema ] && cp "$2" schema.json && echo "$2" > name; shift; done\n${well('{"n":3}')}`;
    const outputSchema = z.object({ n: z.number() });
    const report = await run({ program: program(script), root, outputSchema });
    expect(report.output).toEqual({ n: 3 });
    expect(JSON.parse(fs.readFileSync(path.join(root, "schema.json"), "utf8"))).toMatchObject({ required: ["n"] });
    expect(fs.existsSync(fs.readFileSync(path.join(root, "name"), "utf8").trim())).toBe(false);
  });
});

describe("what it says", () => {
  test("its last message is the output; tokens are usage; what it does is told live", async () => {
    const heard = heardContext();
    const started = JSON.stringify({ type: "item.started", item: { type: "command_execution", command: "npm test" } });
    const report = await run({ program: program(`echo '${started}'\n${well("Finished.")}`) }, heard);
    expect(report).toMatchObject({
      success: true,
      output: "Finished.",
      usage: { inputTokens: 10, outputTokens: 5 },
      evidence: [],
    });
    expect(heard.progress).toEqual([[0, "shell npm test"]]);
    expect(heard.chunks).toEqual([{ stream: "stdout", text: "Finished.\n" }]);
  });

  test("malformed lines, half characters and events it does not know do no harm", async () => {
    const heard = heardContext();
    const script = `
      process.stdout.write("not json\\n[1]\\n{\\"type\\":\\"later\\"}\\n{\\"type\\":\\n");
      const bytes = Buffer.from(${JSON.stringify(`${message("ä😀€")}\n`)});
      let at = 0;
      const next = () => at < bytes.length ? process.stdout.write(bytes.subarray(at, ++at), () => setImmediate(next))
        : process.stdout.write(Buffer.concat([Buffer.from([0xff, 0xc3, 10]), Buffer.from(${JSON.stringify(SUCCESS)})]));
      next();`;
    expect((await run({ program: node(script) }, heard)).output).toBe("ä😀€");
    expect(heard.logs.filter(({ level }) => level === "warn")).toHaveLength(4);
  });

  test("200 MB of events and an endless line are drained in bounded memory", async () => {
    const script = `
      const line = Buffer.from(JSON.stringify({ type: "item.updated", item: { text: "x".repeat(100_000) } }) + "\\n");
      let left = 2_000;
      const next = () => left-- > 0 ? process.stdout.write(line, next) : endless(1_000);
      const endless = (n) => n > 0 ? process.stdout.write("y".repeat(100_000), () => endless(n - 1))
        : process.stdout.write("\\n" + ${JSON.stringify(`${message("whole")}\n${SUCCESS}\n`)});
      next();`;
    const before = process.memoryUsage().rss;
    let peak = before;
    const heard = heardContext({
      heartbeat: () => {
        peak = Math.max(peak, process.memoryUsage.rss());
      },
    });
    expect((await run({ program: node(script) }, heard)).output).toBe("whole");
    expect(peak - before).toBeLessThan(250_000_000);
  });

  test("secrets it was given are in nothing that is kept or told", async () => {
    const secret = "canary-0123456789";
    const env = { MY_TOKEN: secret };
    const heard = heardContext();
    const says = `{"type":"item.completed","item":{"type":"agent_message","text":"it is '"$MY_TOKEN"'"}}`;
    const does = `{"type":"item.started","item":{"type":"command_execution","command":"curl '"$MY_TOKEN"'"}}`;
    const script = `cat >/dev/null\necho '${does}'\necho '${says}'\necho '${SUCCESS}'`;
    const report = await run({ program: program(script), env }, heard);
    const failed = await failure({ program: program('cat >/dev/null; echo "$MY_TOKEN" >&2; exit 3'), env });
    expect(report.output).toBe("it is [redacted]");
    expect(failed.message).toContain("[redacted]");
    expect(JSON.stringify([report, failed, heard.chunks, heard.progress, heard.logs])).not.toContain(secret);
  });
});

describe("how it ends", () => {
  test("an exit code of 0 without the end of its turn is no success", async () => {
    const script = `cat >/dev/null\necho '${message("half")}'\necho why >&2`;
    const error = await failure({ program: program(script) });
    expect(error).toMatchObject({ code: "AGENT_EXITED" });
    expect(error.message).toBe("Codex ended with exit code 0 before its turn was over. It said: why");
  });

  test("a turn that ended well and a program that did not is no success either", async () => {
    expect((await failure({ program: program(`${well("done")}\nexit 9`) })).message).toContain("after its turn");
  });

  test("a program that dies in the middle of its stream is a crash", async () => {
    const script = `cat >/dev/null\nprintf '{"type":"item.comp'\nkill -SEGV $$`;
    expect(await failure({ program: program(script) })).toMatchObject({
      code: "AGENT_CRASHED",
      message: expect.stringContaining("SIGSEGV before its turn was over"),
    });
  });

  test("what it failed at is told with its text and its tokens", async () => {
    const failed = JSON.stringify({ type: "turn.failed", error: { message: "the patch does not apply" } });
    const script = `cat >/dev/null\necho '${message("I tried")}'\necho '${failed}'\nexit 1`;
    expect(await run({ program: program(script) })).toMatchObject({
      success: false,
      output: "I tried",
      errorMessage: "Codex did not succeed: the patch does not apply",
    });
  });

  test("an overloaded provider is waited for, a refusal is not tried again", async () => {
    const failing = (text: string) => {
      const event = JSON.stringify({ type: "turn.failed", error: { message: text } });
      return failure({ program: program(`cat >/dev/null\ncat <<'END'\n${event}\nEND\nexit 1`) });
    };
    expect(await failing("exceeded retry limit, last status: 429 Too Many Requests")).toMatchObject({
      code: "RATE_LIMITED",
      retryable: true,
    });
    expect(await failing("You've hit your usage limit. Try again in 2 hours 5 minutes.")).toMatchObject({
      code: "RATE_LIMITED",
      retryAfterMs: 7_500_000,
    });
    const { retryAfterMs = 0 } = await failing(`usage limit reached|${Math.floor(Date.now() / 1_000) + 3_600}`);
    expect(Math.round(retryAfterMs / 60_000)).toBe(60);
    expect(await failing("unexpected status 401 Unauthorized: no key")).toMatchObject({
      code: "AGENT_FAILED",
      retryable: false,
      message: "Codex was refused by its provider (401): unexpected status 401 Unauthorized: no key",
    });
  });

  test("a program that is not installed is told with how to install it", async () => {
    const error = await run({ program: "lockyard-no-such-agent" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: "SPAWN_FAILED",
      message: "Codex could not be started: lockyard-no-such-agent is not installed, or not in PATH.",
      hint: "Install it: npm install -g @openai/codex",
    });
    expect(missingCodingCli("opencode", "/nowhere")?.hint).toContain("npm install -g opencode-ai");
  });

  test("what it leaves behind is ended", async () => {
    await run({ program: program(`setsid sleep ${FIRST + 1} &\n${well("done")}`) });
    expect(sleepers(FIRST + 1)).toEqual([]);
  });
});

describe("how it is stopped", () => {
  const ignoring = (seconds: number) =>
    `trap '' INT TERM; nohup setsid sleep ${seconds} >/dev/null 2>&1 & cat >/dev/null; echo '${message("up")}'; while :; do sleep ${seconds}; done`;

  test("asked in its own way first, and nothing of it is alive when it settles", async () => {
    const asked = path.join(folder(), "asked");
    const heard = heardContext();
    const script = `trap 'echo INT >> ${asked}; exit 0' INT\ncat >/dev/null\necho '${message("up")}'\nwhile :; do sleep 0.02; done`;
    const running = failure({ program: program(script) }, heard);
    await heard.until(() => heard.chunks.length > 0);
    heard.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(fs.readFileSync(asked, "utf8")).toBe("INT\n");
  });

  test("who heeds no signal is killed with all it started, detached or not", async () => {
    const heard = heardContext();
    const running = failure({ program: program(ignoring(FIRST + 2)), graceMs: 50 }, heard);
    await heard.until(() => heard.chunks.length > 0);
    heard.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(sleepers(FIRST + 2)).toEqual([]);
  });

  test("a task that was stopped before its start starts nothing", async () => {
    const heard = heardContext();
    heard.abort();
    expect((await failure({ program: program("exit 3") }, heard)).code).toBe("CANCELLED");
    expect(heard.owned).toEqual([]);
  });

  test("what it spent until then is told all the same", async () => {
    const heard = heardContext();
    const script = `cat >/dev/null\ncat <<'END'\n${SUCCESS}\n${message("up")}\nEND\nwhile :; do sleep 0.02; done`;
    const running = run({ program: program(script) }, heard).catch((error: unknown) => error);
    await heard.until(() => heard.chunks.length > 0);
    heard.abort();
    expect(await running).toMatchObject({ code: "CANCELLED", report: { usage: { inputTokens: 10, outputTokens: 5 } } });
  });

  test("asking its provider again is no sign of life, and silence has a limit although no task says one", async () => {
    const heard = heardContext();
    const again = JSON.stringify({ type: "error", message: "Reconnecting... 1/5" });
    const agent = { kind: "codex", program: program(`cat >/dev/null\necho '${again}'\n${well("after all")}`) } as const;
    await run(agent, heard);
    expect(heard.logs).toEqual([{ level: "info", message: "Codex in task-1: Reconnecting... 1/5." }]);
    expect(heard.heartbeats).toBe(2);
    expect(codingCliAgent(agent).idleTimeoutMs).toBe(1_800_000);
    expect(codingCliAgent({ ...agent, idleTimeoutMs: 5_000 }).idleTimeoutMs).toBe(5_000);
  });
});

test("options that cannot be meant are refused at once", () => {
  const refused = (options: object) => {
    try {
      codingCliAgent({ kind: "codex", ...options });
      return expect.unreachable();
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(refused({ kind: "claude" })).toContain('kind is "claude"; it must be one of: claude-code, codex');
  expect(refused({ permissions: "yolo" })).toContain('permissions is "yolo"; it must be one of: plan, edits, full');
  expect(refused({ maxCostUsd: 1 })).toContain("Codex cannot be told a cost");
  expect(refused({ idleTimeoutMs: 0 })).toContain("idleTimeoutMs is 0");
});
