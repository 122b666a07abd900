/** Gemini CLI: payloads and answers of its hooks, as measured with 0.61. It names no tool call and no subagent. */
import type { HookAnswer, HookCall, HookEvent, HookTool } from "../hook-call.ts";
import { callIn, type Json, objectOf, pathsOf, textOf } from "./reading.ts";

const EVENTS: Readonly<Record<string, HookEvent>> = {
  BeforeTool: "before",
  AfterTool: "after",
  BeforeAgent: "turn-start",
  AfterAgent: "turn-end",
  SessionStart: "session-start",
  SessionEnd: "session-end",
};

const TOOLS: Readonly<Record<string, HookTool>> = {
  replace: "edit",
  write_file: "write",
  read_file: "read",
  read_many_files: "read",
  run_shell_command: "shell",
};

/** Null for an event that is not ours to judge. */
export function geminiCall(payload: Json, here: string): HookCall | null {
  const call = callIn(payload, here, { host: "gemini", events: EVENTS, tools: TOOLS });
  if (call === null) return null;
  const { input, tool, cwd } = call;
  const many = [input.paths, input.include].flatMap((list) => (Array.isArray(list) ? list : []));
  // A pattern names no file.
  const files = many.filter((path) => typeof path === "string" && !/[*?[\]{}]/.test(path));
  return {
    ...call,
    paths: tool === "other" || tool === "shell" ? [] : pathsOf([input.file_path, input.absolute_path, ...files], cwd),
    hasFailed: textOf(objectOf(payload.tool_response).error) !== null,
  };
}

/** What the host is to read; null when there is nothing to say. */
export function geminiAnswer(answer: HookAnswer, call: HookCall): Json | null {
  const note = answer.type === "refuse" || answer.note === null ? {} : { systemMessage: answer.note };
  if (answer.type === "pass") return answer.note === null ? null : note;
  if (answer.type === "rewrite") {
    return { ...note, hookSpecificOutput: { hookEventName: "BeforeTool", tool_input: answer.input } };
  }
  if (call.event === "before") return { decision: "deny", reason: answer.reason };
  const said = { hookEventName: "AfterTool", additionalContext: answer.reason };
  return call.event === "after" ? { hookSpecificOutput: said } : { systemMessage: answer.reason };
}
