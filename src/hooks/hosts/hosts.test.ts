import { expect, test } from "vitest";
import type { HookAnswer, HookCall } from "../hook-call.ts";
import { hookHost } from "./hosts.ts";

const PATCH = `*** Begin Patch
*** Update File: src/a.ts
@@
-a
+b
*** Add File: src/new.ts
+x
*** Update File: src/old.ts
*** Move to: src/moved.ts
*** Delete File: src/gone.ts
*** End Patch`;

function read(host: string, payload: object): HookCall {
  const call = hookHost(host)?.read({ session_id: "s", cwd: "/shop", ...payload }, "/here");
  if (call === null || call === undefined) throw new Error("no call");
  return call;
}

function write(host: string, answer: HookAnswer, payload: object): unknown {
  return hookHost(host)?.write(answer, read(host, payload));
}

const REFUSE: HookAnswer = { type: "refuse", reason: "r" };
const REWRITE: HookAnswer = { type: "rewrite", input: { command: "x" }, note: null };

test("a patch names its files, whichever way Codex applies it", () => {
  const paths = ["a", "new", "old", "moved", "gone"].map((name) => `/shop/src/${name}.ts`);
  const before = { hook_event_name: "PreToolUse" };
  for (const payload of [
    { tool_name: "apply_patch", tool_input: { command: PATCH } },
    { tool_name: "apply_patch", tool_input: { input: PATCH } },
    { tool_name: "Bash", tool_input: { command: `apply_patch <<'EOF'\n${PATCH}\nEOF` } },
  ]) {
    expect(read("codex", { ...before, ...payload })).toMatchObject({
      host: "codex",
      tool: "edit",
      paths,
      command: null,
    });
  }
  const shell = { ...before, tool_name: "Bash", tool_input: { command: "npm test" } };
  expect(read("codex", shell)).toMatchObject({ host: "codex", tool: "shell", command: "npm test", paths: [] });
});

test("Gemini's tools name their files in ways of their own", () => {
  const before = { hook_event_name: "BeforeTool" };
  expect(read("gemini", { ...before, tool_name: "write_file", tool_input: { file_path: "a.ts" } })).toMatchObject({
    event: "before",
    tool: "write",
    paths: ["/shop/a.ts"],
  });
  const many = { tool_name: "read_many_files", tool_input: { paths: ["a.ts", "src/**", 4], include: ["b.ts"] } };
  expect(read("gemini", { hook_event_name: "AfterTool", ...many })).toMatchObject({
    event: "after",
    tool: "read",
    paths: ["/shop/a.ts", "/shop/b.ts"],
  });
  expect(read("gemini", { hook_event_name: "BeforeAgent", prompt: "fix it" })).toMatchObject({
    event: "turn-start",
    prompt: "fix it",
  });
  const failed = { tool_name: "replace", tool_input: {}, tool_response: { error: "no match" } };
  expect(read("gemini", { hook_event_name: "AfterTool", ...failed }).hasFailed).toBe(true);
});

test("opencode's plugin says which tool, file and subagent", () => {
  const before = { hook_event_name: "tool.execute.before", agent_id: "child", tool_use_id: "c1" };
  expect(read("opencode", { ...before, tool_name: "edit", tool_input: { filePath: "/shop/a.ts" } })).toMatchObject({
    event: "before",
    tool: "edit",
    subagent: "child",
    toolUseId: "c1",
    asksAfterwards: false,
    paths: ["/shop/a.ts"],
  });
  const patch = read("opencode", { ...before, tool_name: "apply_patch", tool_input: { patchText: PATCH } });
  expect(patch.paths).toHaveLength(5);
});

test("each host reads its own answer", () => {
  const shell = {
    codex: { hook_event_name: "PreToolUse", tool_name: "Bash", tool_input: { command: "npm test" } },
    gemini: { hook_event_name: "BeforeTool", tool_name: "run_shell_command", tool_input: { command: "npm test" } },
    opencode: { hook_event_name: "tool.execute.before", tool_name: "bash", tool_input: { command: "npm test" } },
  };
  expect(write("codex", REFUSE, shell.codex)).toMatchObject({ hookSpecificOutput: { permissionDecision: "deny" } });
  expect(write("gemini", REFUSE, shell.gemini)).toEqual({ decision: "deny", reason: "r" });
  expect(write("gemini", REWRITE, shell.gemini)).toEqual({
    hookSpecificOutput: { hookEventName: "BeforeTool", tool_input: { command: "x" } },
  });
  expect(write("opencode", REFUSE, shell.opencode)).toEqual({ decision: "deny", reason: "r" });
  expect(write("opencode", REWRITE, shell.opencode)).toEqual({ tool_input: { command: "x" } });
  for (const [host, payload] of Object.entries(shell)) {
    expect(write(host, { type: "pass", note: null }, payload)).toBe(null);
    expect(write(host, { type: "pass", note: "n" }, payload)).toEqual({ systemMessage: "n" });
    expect(JSON.stringify([write(host, REFUSE, payload), write(host, REWRITE, payload)])).not.toContain("allow");
  }
});

test("no payload, whatever is in it, is more than no call", () => {
  for (const host of ["claude", "codex", "gemini", "opencode"]) {
    for (const payload of [{}, { hook_event_name: {} }, { session_id: [], hook_event_name: "PreToolUse" }])
      expect(hookHost(host)?.read(payload, "/here")).toBe(null);
  }
  expect(hookHost("constructor")).toBe(undefined);
});
