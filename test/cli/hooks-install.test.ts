import { execFileSync, spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Directory, useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

test("hooks come with one line, are shown, and go without a trace", async () => {
  const here = directory();
  const settings = '{\n  // mine\n  "model": "opus"\n}\n';
  here.write(".claude/settings.json", settings);
  const dry = await here.run(["hooks", "install", "claude", "--dry-run"]);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout).toMatch(
    /settings\.json would change:\n {4}\{\n {6}\/\/ mine\n {2}- {3}"model": "opus"\n {2}\+ {3}"model": "opus",\n/,
  );
  expect(here.read(".claude/settings.json")).toBe(settings);

  const done = await here.run(["hooks", "install", "claude"]);
  expect(done.stdout).toContain(
    "Claude Code is guarded from its next session on. Undo: lockyard hooks remove claude\n",
  );
  const installed = here.read(".claude/settings.json");
  expect(installed).toContain("// mine");
  expect(installed).toContain("bin/lockyard.js hook claude");
  expect(installed).toContain(fs.realpathSync(process.execPath));
  expect((await here.run(["hooks", "install", "claude"])).stdout).toBe(
    "Claude Code is there already; nothing changes.\n",
  );

  const status = await here.run(["hooks", "status"]);
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toContain(
    `Claude Code: guarded (${join(here.path, ".claude/settings.json")}); no session seen yet\n`,
  );

  await here.run(["hooks", "remove", "claude"]);
  expect(here.read(".claude/settings.json")).toBe(settings);
  expect((await here.run(["hooks", "remove", "claude"])).stdout).toBe("Claude Code has no hooks of Lockyard.\n");
});

test("every host at once, for one repository, as JSON", async () => {
  const here = directory();
  const names = ["claude", "codex", "gemini", "opencode"];
  const { code, stdout } = await here.run(["hooks", "install", ...names, "--project", "--json"]);
  expect(code).toBe(0);
  const told = JSON.parse(stdout) as { hosts: { host: string; changes: { path: string }[] }[] };
  expect(told.hosts.map(({ host }) => host)).toEqual(names);
  expect(told.hosts.flatMap(({ changes }) => changes.map(({ path }) => path.slice(here.path.length + 1)))).toEqual([
    ".claude/settings.local.json",
    ".codex/hooks.json",
    ".gemini/settings.json",
    ".opencode/plugin/lockyard.js",
  ]);
  await here.run(["hooks", "remove", ...names]);
  expect(fs.readdirSync(here.path).filter((name) => name.startsWith(".") && name !== ".local")).toEqual([]);
});

test("a broken file is told with its place, and nothing changes", async () => {
  const here = directory();
  here.write(".gemini/settings.json", '{\n  "a": 1\n  "b": 2\n}');
  const { code, stderr } = await here.run(["hooks", "install", "gemini"]);
  expect(code).toBe(2);
  expect(stderr).toContain(".gemini/settings.json:3:3 comma expected. Nothing was changed.");
  expect(here.read(".gemini/settings.json")).toBe('{\n  "a": 1\n  "b": 2\n}');
  const status = await here.run(["hooks", "status"]);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain("Gemini CLI: its settings cannot be read:");
});

test("with ifBroken: fail, an edit is refused when Lockyard is gone", async () => {
  const here = directory();
  here.write(".config/lockyard/config.yaml", "ifBroken: fail\n");
  await here.run(["hooks", "install", "claude"]);
  expect(here.read(".claude/settings.json")).toContain("exit 2");
});

test("a pause is told, and over when it is ended", async () => {
  const here = directory();
  expect((await here.run(["hooks", "pause", "30m"])).stdout).toBe(
    "Hooks pass for 30m, in every session of yours. Back on: lockyard hooks resume\n",
  );
  expect((await here.run(["hooks", "status"])).stdout).toMatch(/Paused for another (?:30m|29m\d\ds)\./);
  expect((await here.run(["hooks", "resume"])).stdout).toBe("Hooks work again.\n");
  expect((await here.run(["hooks", "resume"])).stdout).toBe("Hooks were not paused.\n");
});

test.each([
  [["hooks", "install"], "Which host?"],
  [["hooks", "install", "cluade"], 'No host named "cluade".'],
  [["hooks", "pause", "soon"], '"soon" is no time.'],
  [["hooks", "instal"], "instal"],
])("lockyard %j says what is wrong", async (args, text) => {
  const here = directory();
  const { code, stderr } = await here.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});

interface Settings {
  readonly hooks: Readonly<Record<string, readonly { matcher?: string; hooks: readonly { command: string }[] }[]>>;
}

/** Starts what the settings name for an event, in a shell, as the host does. */
function hostCalls(
  here: Directory,
  payload: { readonly hook_event_name: string; readonly tool_name?: string },
): Promise<string> {
  const settings = JSON.parse(here.read(".claude/settings.json")) as Settings;
  const groups = settings.hooks[payload.hook_event_name] ?? [];
  const group = groups.find(
    ({ matcher }) => matcher === undefined || matcher.split("|").includes(payload.tool_name ?? ""),
  );
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", group?.hooks[0]?.command ?? "exit 9"], { cwd: here.path, env: { ...here.env } });
    let answer = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      answer += text;
    });
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(answer) : reject(new Error(`the hook ended with ${code}`))));
    child.stdin.end(JSON.stringify({ cwd: here.path, ...payload }));
  });
}

test("git stash of one session spares the edits of the other, through the command that was installed", async () => {
  const here = directory();
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], { cwd: here.path });
  git("init", "-q");
  here.write("src/a.ts", "1\n");
  git("add", "src");
  git("commit", "-qm", "first");
  await here.run(["hooks", "install", "claude"]);
  const a = { session_id: "a" };
  const b = { session_id: "b" };
  const edit = { tool_name: "Edit", tool_input: { file_path: join(here.path, "src/a.ts") } };
  await hostCalls(here, { ...a, hook_event_name: "UserPromptSubmit", ...{ prompt: "add pagination" } });
  expect(await hostCalls(here, { ...a, hook_event_name: "PreToolUse", ...edit })).toBe("");
  here.write("src/a.ts", "1\n2\n");
  expect(await hostCalls(here, { ...a, hook_event_name: "PostToolUse", ...edit })).toBe("");
  const stash = { hook_event_name: "PreToolUse", tool_name: "Bash", tool_input: { command: "git stash && npm test" } };
  expect(JSON.parse(await hostCalls(here, { ...b, ...stash }))).toEqual({
    hookSpecificOutput: {
      hookEventName: "PreToolUse",
      permissionDecision: "deny",
      permissionDecisionReason:
        'Not run: git stash would discard uncommitted edits of another session: src/a.ts ("add pagination"). Commit yours by path, use a worktree, or ask the user.',
    },
  });
  expect((await here.run(["hooks", "status"])).stdout).toMatch(/Claude Code: guarded .*; last seen \S+ ago\n/);
  expect(await hostCalls(here, { ...a, ...stash })).toBe("");
  await here.run(["hooks", "pause"]);
  expect(await hostCalls(here, { ...b, ...stash })).toBe("");
  await here.run(["hooks", "resume"]);
  expect(await hostCalls(here, { ...b, ...stash })).toContain("Not run");
  here.write("lockyard.yaml", "gitGuard: false\n");
  expect(await hostCalls(here, { ...b, ...stash })).toBe("");
});

test("a session's commit that takes along what another works on is refused, a person's is told", async () => {
  const here = directory();
  const git = (env: Record<string, string>, ...args: string[]) =>
    spawnSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], {
      cwd: here.path,
      env: { ...here.env, ...env },
      encoding: "utf8",
    });
  git({}, "init", "-q");
  expect((await here.run(["hooks", "install", "git"])).stdout).toMatch(
    /pre-commit changed:\n[\s\S]*Undo: lockyard hooks remove git\n$/,
  );
  expect((await here.run(["hooks", "status"])).stdout).toContain("git: commits of this repository are checked\n");
  here.write("a.ts", "1\n");
  git({}, "add", "a.ts");
  const quiet = git({}, "commit", "-qm", "first");
  expect([quiet.status, quiet.stderr]).toEqual([0, ""]);
  await here.run(["hooks", "install", "claude"]);
  const edit = { tool_name: "Edit", tool_input: { file_path: join(here.path, "a.ts") } };
  await hostCalls(here, { hook_event_name: "UserPromptSubmit", ...{ session_id: "a", prompt: "add pagination" } });
  await hostCalls(here, { hook_event_name: "PreToolUse", ...{ session_id: "a" }, ...edit });
  here.write("a.ts", "2\n");
  await hostCalls(here, { hook_event_name: "PostToolUse", ...{ session_id: "a" }, ...edit });
  const inside = (id: string) => ({ CLAUDECODE: "1", CLAUDE_CODE_SESSION_ID: id });
  const refused = git(inside("b"), "commit", "-qam", "second");
  expect(refused.status).toBe(1);
  expect(refused.stderr).toBe(
    'lockyard: Not committed: this commit takes along edits of another session that still works: a.ts ("add pagination"). Commit yours by path, or ask the user.\n',
  );
  const told = git({}, "commit", "-qam", "second", "--dry-run");
  expect(told.status).toBe(0);
  expect(git(inside("a"), "commit", "-qam", "second")).toMatchObject({ status: 0, stderr: "" });
  await here.run(["hooks", "remove", "git"]);
  expect(here.exists(".git/hooks/pre-commit")).toBe(false);
});
