import { expect, test } from "vitest";
import { type HookCall, PASS } from "../hook-call.ts";
import { claudeAnswer, claudeCall } from "./claude.ts";

const EDIT = {
  session_id: "7f3a",
  cwd: "/shop",
  hook_event_name: "PreToolUse",
  tool_name: "Edit",
  tool_input: { file_path: "src/a.ts", old_string: "a", new_string: "b" },
  tool_use_id: "toolu_1",
  agent_id: "explorer",
  a_field_of_tomorrow: { deep: true },
};

function call(over: object = {}): HookCall {
  const read = claudeCall({ ...EDIT, ...over }, "/here");
  if (read === null) throw new Error("no call");
  return read;
}

test("an edit names its session, subagent, tool and file", () => {
  expect(call()).toEqual({
    host: "claude",
    event: "before",
    session: "7f3a",
    subagent: "explorer",
    cwd: "/shop",
    tool: "edit",
    paths: ["/shop/src/a.ts"],
    command: null,
    prompt: null,
    toolUseId: "toolu_1",
    asksAfterwards: false,
    input: EDIT.tool_input,
    hasFailed: false,
  });
});

test("a shell call has a command, a prompt begins a turn, a failure is told apart", () => {
  expect(call({ tool_name: "Bash", tool_input: { command: "npm test" } })).toMatchObject({
    tool: "shell",
    command: "npm test",
    paths: [],
  });
  expect(call({ hook_event_name: "UserPromptSubmit", prompt: "fix it", tool_name: undefined })).toMatchObject({
    event: "turn-start",
    prompt: "fix it",
    tool: "other",
  });
  expect(call({ hook_event_name: "PostToolUseFailure" })).toMatchObject({ event: "after", hasFailed: true });
});

test("what is missing, of another type, or of a later version is no call or an empty one", () => {
  expect(claudeCall({}, "/here")).toBe(null);
  expect(claudeCall({ ...EDIT, hook_event_name: "PreDream" }, "/here")).toBe(null);
  expect(claudeCall({ ...EDIT, session_id: 7 }, "/here")).toBe(null);
  expect(call({ tool_name: "Sculpt", tool_input: "clay", cwd: 4, agent_id: [] })).toMatchObject({
    tool: "other",
    paths: [],
    cwd: "/here",
    subagent: null,
    input: {},
  });
  expect(call({ tool_input: { file_path: "a\0b" } }).paths).toEqual([]);
});

test("nothing is said for a pass, and nothing is ever allowed", () => {
  expect(claudeAnswer(PASS, call())).toBe(null);
  expect(claudeAnswer({ type: "pass", note: "n" }, call())).toEqual({ systemMessage: "n" });
  expect(claudeAnswer({ type: "refuse", reason: "r" }, call())).toEqual({
    hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason: "r" },
  });
  expect(claudeAnswer({ type: "rewrite", input: { command: "x" }, note: null }, call())).toEqual({
    hookSpecificOutput: { hookEventName: "PreToolUse", updatedInput: { command: "x" } },
  });
  expect(claudeAnswer({ type: "refuse", reason: "r" }, call({ hook_event_name: "Stop" }))).toEqual({
    systemMessage: "r",
  });
});
