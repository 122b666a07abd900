/** Claude Code: payloads and answers of its hooks, as measured with 2.1. */
import type { HookAnswer, HookCall, HookEvent, HookTool } from "../hook-call.ts";
import { callIn, type Json, pathsOf, textOf } from "./reading.ts";

const EVENTS: Readonly<Record<string, HookEvent>> = {
  PreToolUse: "before",
  PostToolUse: "after",
  PostToolUseFailure: "after",
  UserPromptSubmit: "turn-start",
  Stop: "turn-end",
  SubagentStop: "turn-end",
  SessionStart: "session-start",
  SessionEnd: "session-end",
};

const TOOLS: Readonly<Record<string, HookTool>> = {
  Edit: "edit",
  MultiEdit: "edit",
  NotebookEdit: "edit",
  Write: "write",
  Read: "read",
  NotebookRead: "read",
  Bash: "shell",
};

/** The mode in which nothing is asked. */
const BYPASS = "bypassPermissions";

/** Null for an event that is not ours to judge, whatever version of the host it comes from. */
export function claudeCall(payload: Json, here: string): HookCall | null {
  const call = callIn(payload, here, { host: "claude", events: EVENTS, tools: TOOLS });
  if (call === null) return null;
  const { file_path: file, notebook_path: notebook } = call.input;
  return {
    ...call,
    paths: pathsOf([file, notebook], call.cwd),
    asksAfterwards: (textOf(payload.permission_mode) ?? BYPASS) !== BYPASS,
    hasFailed: payload.hook_event_name === "PostToolUseFailure",
  };
}

/** What the host is to read; null when there is nothing to say. */
export function claudeAnswer(answer: HookAnswer, call: HookCall): Json | null {
  const note = answer.type === "refuse" || answer.note === null ? {} : { systemMessage: answer.note };
  if (answer.type === "pass") return answer.note === null ? null : note;
  if (call.event !== "before") {
    if (answer.type !== "refuse") return null;
    // After a tool this is what the model reads; elsewhere it would keep the model at work.
    return call.event === "after" ? { decision: "block", reason: answer.reason } : { systemMessage: answer.reason };
  }
  return {
    ...note,
    hookSpecificOutput:
      answer.type === "refuse"
        ? { hookEventName: "PreToolUse", permissionDecision: "deny", permissionDecisionReason: answer.reason }
        : { hookEventName: "PreToolUse", updatedInput: answer.input },
  };
}
