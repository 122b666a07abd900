/** Gemini CLI: payloads and answers of its hooks, as measured with 0.61. It names no tool call and no subagent. */
import type { HookAnswer, HookCall, HookEvent, HookTool } from "../hook-call.ts";
import { directoryOf, type Json, objectOf, pathsOf, textOf } from "./reading.ts";

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
  const event = EVENTS[textOf(payload.hook_event_name) ?? ""];
  const session = textOf(payload.session_id);
  if (event === undefined || session === null) return null;
  const cwd = directoryOf(payload.cwd, here);
  const tool = TOOLS[textOf(payload.tool_name) ?? ""] ?? "other";
  const input = objectOf(payload.tool_input);
  const many = [input.paths, input.include].flatMap((list) => (Array.isArray(list) ? list : []));
  // A pattern names no file.
  const files = many.filter((path) => typeof path === "string" && !/[*?[\]{}]/.test(path));
  return {
    host: "gemini",
    event,
    session,
    subagent: textOf(payload.agent_id),
    cwd,
    tool,
    paths: tool === "other" || tool === "shell" ? [] : pathsOf([input.file_path, input.absolute_path, ...files], cwd),
    command: tool === "shell" ? textOf(input.command) : null,
    prompt: event === "turn-start" ? textOf(payload.prompt) : null,
    toolUseId: textOf(payload.tool_use_id),
    asksAfterwards: false,
    input,
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
