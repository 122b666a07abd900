import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { heardContext, someTask } from "../../../test/support/agent-context.ts";
import type { AgentReport } from "../../core/ports.ts";
import { describeError } from "../../core/task-error.ts";
import { isSameAlive } from "../../process/proc-table.ts";
import { type CommandAgentOptions, commandAgent } from "./command-agent.ts";

/** Seconds to sleep that name a process: nobody else sleeps as long. */
const FIRST = 2_000_000 + process.pid * 100;

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) fs.rmSync(folder, { recursive: true });
});

function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-command-"));
  folders.push(made);
  return made;
}

type Options = CommandAgentOptions<unknown, unknown>;

/** Runs a script, or a program, to its report. */
async function run(options: Options, heard = heardContext(), task = someTask()): Promise<AgentReport> {
  return (await commandAgent(options).run(task, heard.ctx)) as AgentReport;
}

async function failure(options: Options, heard = heardContext()) {
  return describeError(
    await run(options, heard).then(
      (report) => expect.unreachable(`succeeded with ${JSON.stringify(report)}`),
      (error: unknown) => error,
    ),
  );
}

function node(script: string): Options {
  return { argv: [process.execPath, "-e", script] };
}

function sleepers(seconds: number): readonly string[] {
  const all = execFileSync("ps", ["-eo", "stat=,args="], { encoding: "utf8" }).split("\n");
  return all.filter((line) => line.includes(`sleep ${seconds}`) && !line.startsWith("Z") && !line.includes("sh -c"));
}

describe("what a command is given", () => {
  test("the task is JSON on stdin, without its schema", async () => {
    const schema = {
      "~standard": { version: 1, vendor: "test", validate: (value: unknown) => ({ value: value as string }) },
    } as const;
    const task = someTask({ contextData: { file: "a.md" }, outputSchema: schema });
    const report = await run({ argv: ["cat"] }, heardContext({ attempt: 2 }), task);
    const { outputSchema: _, ...data } = task;
    expect(JSON.parse(String(report.output))).toEqual({
      task: data,
      dependencies: {},
      attempt: 2,
      workflowId: "workflow-1",
    });
  });

  test("a command that never reads a large task does not fail because of it", async () => {
    const task = someTask({ contextData: { text: "x".repeat(900_000) } });
    expect((await run({ argv: ["echo", "done"] }, heardContext(), task)).output).toBe("done");
  });

  test("it sees declared variables and ours, not the rest of the environment", async () => {
    process.env.SECRET_OF_TEST = "hidden";
    const heard = heardContext({ env: { LOCKYARD_TASK: "t", PORT: "3000" } });
    const report = await run({ argv: ["env"], env: { MINE: "1" }, stdin: "none" }, heard);
    const names = String(report.output)
      .split("\n")
      .map((line) => line.split("=")[0]);
    expect(names).toEqual(expect.arrayContaining(["PATH", "MINE", "PORT", "LOCKYARD_TASK", "LOCKYARD_MARKER"]));
    expect(names).not.toContain("SECRET_OF_TEST");
    const passed = await run({ argv: ["env"], passEnv: ["SECRET_OF_TEST"], stdin: "none" });
    expect(passed.output).toContain("SECRET_OF_TEST=hidden");
    delete process.env.SECRET_OF_TEST;
  });

  test("a declared secret is in nothing that is kept or told: output, reports, messages, the spilled file", async () => {
    const secret = "canary-0123456789";
    const env = { MY_TOKEN: secret };
    const heard = heardContext();
    const spillDirectory = folder();
    const script = `echo "$MY_TOKEN"; printf '%s' "$MY_TOKEN" | base64
      echo "::lockyard {"progress":0.5,"detail":"with $MY_TOKEN","evidence":["$MY_TOKEN"]}"
      for i in $(seq 9000); do echo "line $i $MY_TOKEN"; done; echo "no $MY_TOKEN" >&2`;
    const report = await run({ shell: script, env, stdin: "none", spillDirectory }, heard);
    const failed = await failure({ shell: 'echo "no $MY_TOKEN" >&2; exit 3', env, stdin: "none" });
    const spilled = fs
      .readdirSync(spillDirectory)
      .map((name) => fs.readFileSync(path.join(spillDirectory, name), "utf8"));
    expect(spilled.join("")).toContain("line 9000 [redacted]");
    expect(failed.message).toContain("no [redacted]");
    const kept = JSON.stringify([report, failed, heard.chunks, heard.progress, heard.logs, spilled]);
    expect(kept).not.toContain(secret);
    expect(kept).not.toContain(Buffer.from(secret).toString("base64").replace(/=+$/, ""));
  });

  test("arguments arrive byte for byte, whatever a shell would make of them", async () => {
    const hostile = ["; rm -rf /", "$(id)", "`id`", "a\nb", "-rf", "--", "'\"\\", "%PATH%", "ü😀"];
    const report = await run({
      argv: [process.execPath, "-e", "console.log(JSON.stringify(process.argv.slice(1)))", "--", ...hostile],
    });
    expect(JSON.parse(String(report.output))).toEqual(hostile);
  });

  test("commandFor decides per task", async () => {
    const options: Options = {
      commandFor: (task) => ({ shell: `echo $WORD ${task.taskId}`, env: { WORD: "hello" } }),
      argv: ["false"],
    };
    expect((await run(options)).output).toBe("hello task-1");
  });
});

describe("what a command says", () => {
  test("report lines are heard and the rest is output", async () => {
    const heard = heardContext();
    const lines = [
      "one",
      '::lockyard {"progress":0.5,"detail":"half"}',
      "two",
      '::lockyard {"evidence":["e1","e2"],"confidence":0.9}',
      '::lockyard {"heartbeat":true}',
      " ::lockyard not at the start",
    ];
    const report = await run({ argv: ["printf", "%s\\n", ...lines] }, heard);
    expect(heard.progress).toEqual([[0.5, "half"]]);
    expect(report).toMatchObject({
      success: true,
      output: "one\ntwo\n ::lockyard not at the start",
      evidence: ["e1", "e2"],
      confidenceScore: 0.9,
    });
    expect(heard.chunks.map((chunk) => (chunk as { text: string }).text).join("")).toContain("one\ntwo\n");
  });

  test("a reported result is the output", async () => {
    const report = await run({ argv: ["printf", "%s\\n", "noise", '::lockyard {"result":{"issues":[]}}'] });
    expect(report.output).toEqual({ issues: [] });
  });

  test("a malformed report line is kept as output, with a warning", async () => {
    const heard = heardContext();
    const report = await run({ argv: ["printf", "%s\\n", "::lockyard {broken", "::lockyard []"] }, heard);
    expect(report.output).toBe("::lockyard {broken\n::lockyard []");
    expect(heard.logs.map(({ level }) => level)).toEqual(["warn", "warn"]);
  });

  test("characters split between chunks come whole, and broken ones do no harm", async () => {
    const script = `const b = Buffer.from("ä😀€"); let i = 0; function next() { if (i < b.length) process.stdout.write(b.subarray(i, ++i), later); else process.stdout.write(Buffer.from([0xff, 0xc3])); } function later() { setTimeout(next, 2); } next();`;
    const heard = heardContext();
    const report = await run(node(script), heard);
    expect(report.output).toBe("ä😀€\ufffd\ufffd");
    expect(heard.chunks.map((chunk) => (chunk as { text: string }).text).join("")).toMatch(/^ä😀€/);
  });

  test("200 MB of output are drained in bounded memory, first and last part kept, the whole in a capped file", async () => {
    const spillDirectory = folder();
    const before = process.memoryUsage().rss;
    let peak = before;
    const heard = heardContext({
      emit: () => {
        peak = Math.max(peak, process.memoryUsage.rss());
      },
    });
    const report = await run(
      { shell: "echo first; head -c 200000000 /dev/zero | tr '\\0' x; echo; echo last", spillDirectory },
      heard,
    );
    const output = String(report.output);
    expect(output.length).toBeLessThan(70_000);
    expect(output.startsWith("first\n")).toBe(true);
    expect(output.endsWith("x\nlast")).toBe(true);
    expect(output).toMatch(/bytes left out; all of it is in .*instance-1-1\.stdout/);
    expect(fs.statSync(path.join(spillDirectory, "instance-1-1.stdout")).size).toBe(64 * 1024 * 1024);
    expect(peak - before).toBeLessThan(80_000_000);
  });
});

describe("how a command ends", () => {
  test("another exit code fails with the last words of stderr, neutralised", async () => {
    const error = await failure({ shell: "echo out; printf 'first\\n\\033[31mred\\033[0m' >&2; exit 3" });
    expect(error).toMatchObject({ code: "AGENT_EXITED", retryable: false });
    expect(error.message).toBe("The shell command ended with exit code 3. It said: first\nred");
  });

  test("exit codes may be declared a success", async () => {
    expect((await run({ shell: "exit 2", successExitCodes: [0, 2] })).success).toBe(true);
  });

  test("a reported error fails it, whatever its exit code, and may ask to wait", async () => {
    const lines = (error: object) => ({ argv: ["printf", "%s\\n", `::lockyard ${JSON.stringify({ error })}`] });
    expect(await failure(lines({ message: "no", retryable: true }))).toEqual({
      code: "AGENT_REPORTED_FAILURE",
      message: "no",
      retryable: true,
    });
    expect(await failure(lines({ message: "busy", retryAfterMs: 5000 }))).toEqual({
      code: "RATE_LIMITED",
      message: "busy",
      retryable: true,
      retryAfterMs: 5000,
    });
  });

  test("death by a signal is a crash", async () => {
    expect(await failure({ shell: "kill -SEGV $$" })).toMatchObject({
      code: "AGENT_CRASHED",
      message: expect.stringContaining("SIGSEGV"),
    });
  });

  test("a missing program, a missing directory, a file that cannot be run, a batch file: SPAWN_FAILED", async () => {
    const file = path.join(folder(), "plain.txt");
    fs.writeFileSync(file, "text");
    for (const options of [
      { argv: ["lockyard-no-such-program"] },
      { argv: ["true"], cwd: "/no/such/place" },
      { argv: [file] },
      { argv: ["x.BAT"] },
      { argv: ["a\0b"] },
    ] as const) {
      expect((await failure(options)).code).toBe("SPAWN_FAILED");
    }
  });

  test("a child that holds the pipe open after the end is ended, and does not hold up the task", async () => {
    const heard = heardContext();
    const report = await run({ shell: `sleep ${FIRST + 1} & setsid sleep ${FIRST + 1} & echo out` }, heard);
    expect(report.output).toBe("out");
    expect(report.leftovers).toBeUndefined();
    expect(heard.logs.at(-1)?.message).toContain("left 2 processes behind");
    expect(sleepers(FIRST + 1)).toEqual([]);
  });

  test("a shared daemon of the keep-list stays and is reported", async () => {
    const heard = heardContext();
    const report = await run(
      { shell: `setsid sleep ${FIRST + 2} & sleep ${FIRST + 3} & echo out`, keepList: [`${FIRST + 2}`] },
      heard,
    );
    expect(report.output).toBe("out");
    expect(report.leftovers).toEqual([expect.stringMatching(/^sleep \(\d+\)$/)]);
    expect(sleepers(FIRST + 3)).toEqual([]);
    process.kill(Number(/\d+/.exec(report.leftovers?.[0] ?? "")?.[0]), "SIGKILL");
  });

  test("leftovers may be waited for", async () => {
    const file = path.join(folder(), "done");
    await run({ shell: `(sleep 0.4; touch ${file}) & echo out`, leftovers: "wait" });
    expect(fs.existsSync(file)).toBe(true);
  });
});

describe("how a command is stopped", () => {
  test("everything is dead before it settles, whoever ignores TERM or left the session", async () => {
    const heard = heardContext();
    const script = `trap '' TERM; setsid sleep ${FIRST + 4} & (setsid sh -c 'sleep ${FIRST + 4} &') & sleep ${FIRST + 4} & while [ $(ps -eo args | grep -c '^sleep ${FIRST + 4}') -lt 3 ]; do :; done; echo up; while :; do sleep ${FIRST + 4}; done`;
    const running = failure({ shell: script, graceMs: 100 }, heard);
    await heard.until(() => heard.chunks.length > 0);
    expect(sleepers(FIRST + 4).length).toBeGreaterThanOrEqual(3);
    heard.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(sleepers(FIRST + 4)).toEqual([]);
    const [owned] = heard.owned;
    expect(owned !== undefined && isSameAlive(owned)).toBe(false);
  });

  test("a task that was stopped before its start starts nothing", async () => {
    const heard = heardContext();
    heard.abort();
    expect((await failure({ argv: ["sleep", `${FIRST + 5}`] }, heard)).code).toBe("CANCELLED");
    expect(heard.owned).toEqual([]);
  });

  test("waiting for leftovers can be stopped", async () => {
    const heard = heardContext();
    const running = failure({ shell: `sleep ${FIRST + 6} & echo up`, leftovers: "wait", graceMs: 1_000 }, heard);
    await heard.until(() => heard.chunks.length > 0);
    heard.abort();
    expect((await running).code).toBe("CANCELLED");
    expect(sleepers(FIRST + 6)).toEqual([]);
  });
});

test("a spec with neither or both of argv and shell is refused at once", () => {
  for (const options of [{}, { argv: ["a"], shell: "b" }, { argv: [] }, { shell: "" }]) {
    expect(() => commandAgent(options)).toThrow(/either argv/);
  }
});
