/** The process that hosts start at every event, as they start it. */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { type Directory, useCommandLine } from "./harness.ts";

const ENTRY = path.join(path.dirname(fileURLToPath(import.meta.url)), "..", "..", "bin", "lockyard.js");
const { directory } = useCommandLine();

interface Told {
  readonly code: number | null;
  readonly answer: string;
}

/** `host`: a process that lives as the host does; hooks are its children. */
function hook(here: Directory, payload: object | string, env: Record<string, string> = {}): Promise<Told> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [ENTRY, "hook", "claude"], { cwd: here.path, env: { ...here.env, ...env } });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, answer }));
    child.stdin.on("error", () => undefined);
    child.stdin.end(typeof payload === "string" ? payload : JSON.stringify(payload));
  });
}

function call(here: Directory, session: string, event: string, over: object = {}) {
  return { session_id: session, cwd: here.path, hook_event_name: event, ...over };
}

const edit = (file: string) => ({ tool_name: "Edit", tool_input: { file_path: file } });
const PASSED = { code: 0, answer: "" };

test("read by one, edited by another, then edited by the first: refused with the name of who did it", async () => {
  const here = directory();
  here.write("src/a.ts", "1\n");
  await hook(here, call(here, "two", "UserPromptSubmit", { prompt: "add pagination" }));
  const read = { tool_name: "Read", tool_input: { file_path: "src/a.ts" } };
  expect(await hook(here, call(here, "one", "PreToolUse", read))).toEqual(PASSED);
  expect(await hook(here, call(here, "two", "PreToolUse", edit("src/a.ts")))).toEqual(PASSED);
  here.write("src/a.ts", "1\n2\n");
  expect(await hook(here, call(here, "two", "PostToolUse", edit("src/a.ts")))).toEqual(PASSED);
  await hook(here, call(here, "two", "Stop"));
  const { code, answer } = await hook(here, call(here, "one", "PreToolUse", edit("src/a.ts")));
  expect(code).toBe(0);
  const { hookSpecificOutput } = JSON.parse(answer);
  expect(hookSpecificOutput).toMatchObject({ hookEventName: "PreToolUse", permissionDecision: "deny" });
  expect(hookSpecificOutput.permissionDecisionReason).toMatch(
    /^src\/a\.ts changed after you read it \(1 line, by "add pagination", \d+s ago\)\. Read it again, then make your edit\.$/,
  );
});

test("what waits for a held file goes on as soon as the turn of its holder ends", async () => {
  const here = directory();
  expect(await hook(here, call(here, "one", "PreToolUse", edit("a.ts")))).toEqual(PASSED);
  let isOver = false;
  const waits = hook(here, call(here, "two", "PreToolUse", edit("a.ts"))).finally(() => {
    isOver = true;
  });
  for (let looks = 0; looks < 200 && !(await here.run(["status"])).stdout.includes("1 waiting"); looks++);
  expect(isOver).toBe(false);
  await hook(here, call(here, "one", "Stop"));
  expect(await waits).toEqual(PASSED);
});

test("what is no payload, or one of a later version, decides nothing and ends with 0", async () => {
  const here = directory();
  const broken = await hook(here, '{"session_id": "one", "hook_ev');
  expect(broken.code).toBe(0);
  expect(JSON.parse(broken.answer)).toEqual({ systemMessage: expect.stringMatching(/^lockyard: this hook was not/) });
  expect(await hook(here, call(here, "one", "PreDream", { dream: [{}] }))).toEqual(PASSED);
  expect(await hook(here, call(here, "one", "PreToolUse", { tool_name: { of: "tomorrow" } }))).toEqual(PASSED);
  expect((await hook(here, "[]")).code).toBe(0);
});

test("a store that cannot be used lets edits through, told once a session; `ifBroken: fail` refuses them", async () => {
  const here = directory();
  mkdirSync(path.join(here.path, "tmp"));
  const env = { LOCKYARD_STORE: "/dev/null/store.db", TMPDIR: path.join(here.path, "tmp") };
  const first = await hook(here, call(here, "one", "PreToolUse", edit("a.ts")), env);
  expect(first.code).toBe(0);
  expect(JSON.parse(first.answer).systemMessage).toMatch(/^lockyard: .+ Claude Code goes on without locks\./);
  expect(await hook(here, call(here, "one", "PreToolUse", edit("a.ts")), env)).toEqual(PASSED);
  expect((await hook(here, call(here, "two", "PreToolUse", edit("a.ts")), env)).answer).toMatch(/without locks/);
  here.write("lockyard.yaml", "ifBroken: fail\n");
  const refused = await hook(here, call(here, "one", "PreToolUse", edit("a.ts")), env);
  expect(JSON.parse(refused.answer).hookSpecificOutput).toMatchObject({ permissionDecision: "deny" });
  rmSync(path.join(here.path, "lockyard.yaml"));
});

test("LOCKYARD=off says and does nothing", async () => {
  const here = directory();
  expect(await hook(here, "{", { LOCKYARD: "off" })).toEqual(PASSED);
  expect(here.exists("store.db")).toBe(false);
});

test("status and why show sessions by their names, and count them apart from tasks", async () => {
  const here = directory();
  here.write("src/a.ts", "1\n");
  await hook(here, call(here, "one", "UserPromptSubmit", { prompt: "fix the login form" }));
  await hook(here, call(here, "one", "PreToolUse", edit("src/a.ts")));
  const status = await here.run(["status"]);
  expect(status.stdout).toMatch(
    /^1 session\n +\S+ "fix the login form" +Claude Code +\S+ +file:src\/a\.ts +pid \d+\n$/,
  );
  const { running, sessions, counts } = JSON.parse((await here.run(["status", "--json"])).stdout);
  expect([running, counts.running]).toEqual([[], 0]);
  expect(sessions).toMatchObject([
    { name: "fix the login form", host: "claude", isInTurn: true, holds: ["file:src/a.ts"] },
  ]);
  const why = await here.run(["why", "src/a.ts"]);
  expect(why.stdout).toMatch(/is held by 1 session, and nobody waits/);
  expect(why.stdout).toMatch(/held by +"fix the login form" \(Claude Code\) +for \d/);
  expect((await here.run(["cancel", "--all"])).stdout).toMatch(/^Nothing to cancel/);
  expect((await here.run(["unlock", "src/a.ts", "--force"])).code).toBe(0);
  expect((await here.run(["why", "src/a.ts"])).stdout).toMatch(/is free/);
});

test("a heavy command is let through under a ticket, and runs in its turn", async () => {
  const here = directory();
  here.write("lockyard.yaml", "rules:\n  - { match: 'npm test*', use: build }\n");
  const shell = { tool_name: "Bash", tool_input: { command: "npm test || true", description: "d" } };
  const { answer } = await hook(here, call(here, "one", "PreToolUse", shell));
  const { updatedInput, permissionDecision } = JSON.parse(answer).hookSpecificOutput;
  expect(permissionDecision).toBe(undefined);
  expect(updatedInput).toMatchObject({
    description: "d",
    command: expect.stringMatching(/ exec --use build --ticket /),
  });
  const ran = await here.shell(updatedInput.command.replace("npm test", "sh -c 'echo ran'"));
  expect(ran).toMatchObject({ code: 0, stdout: "ran\n" });
});

test("what a session held is free as soon as its host is dead", async () => {
  const here = directory();
  const payload = JSON.stringify(call(here, "one", "PreToolUse", edit("a.ts")));
  here.write(
    "host.mjs",
    `import { spawnSync } from "node:child_process";
     const { status } = spawnSync(process.execPath, [${JSON.stringify(ENTRY)}, "hook", "claude"], { input: ${JSON.stringify(payload)} });
     console.log("asked", status);
     setInterval(() => undefined, 1_000);`,
  );
  const host = here.program("host.mjs");
  await host.until(/asked 0/);
  expect((await here.run(["status"])).stdout).toMatch(new RegExp(`file:a\\.ts +pid ${host.child.pid}\n`));
  host.child.kill("SIGKILL");
  await host.finished;
  const { answer } = await hook(here, call(here, "two", "PreToolUse", edit("a.ts")));
  expect(answer).toBe("");
  expect((await here.run(["status", "--json"])).stdout).not.toContain("fix login");
});
