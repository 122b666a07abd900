/** opencode: what our plugin sends and reads. opencode itself has no process hooks; its tools say `filePath`. */
import type { HookAnswer, HookCall, HookEvent, HookTool } from "../hook-call.ts";
import { patchPaths } from "./codex.ts";
import { callIn, type Json, pathsOf, textOf } from "./reading.ts";

const EVENTS: Readonly<Record<string, HookEvent>> = {
  "tool.execute.before": "before",
  "tool.execute.after": "after",
  "chat.message": "turn-start",
  "session.idle": "turn-end",
  "session.created": "session-start",
  "session.deleted": "session-end",
};

const TOOLS: Readonly<Record<string, HookTool>> = {
  edit: "edit",
  multiedit: "edit",
  patch: "edit",
  apply_patch: "edit",
  write: "write",
  read: "read",
  bash: "shell",
};

/** Null for an event that is not ours to judge. */
export function opencodeCall(payload: Json, here: string): HookCall | null {
  const call = callIn(payload, here, { host: "opencode", events: EVENTS, tools: TOOLS });
  if (call === null) return null;
  const { input, cwd } = call;
  const patch = textOf(input.patchText) ?? textOf(input.patch) ?? textOf(input.input);
  return {
    ...call,
    paths: [...pathsOf([input.filePath, input.file_path], cwd), ...(patch === null ? [] : patchPaths(patch, cwd))],
  };
}

/** What the plugin is to do; null when there is nothing to do. */
export function opencodeAnswer(answer: HookAnswer, call: HookCall): Json | null {
  const note = answer.type === "refuse" || answer.note === null ? {} : { systemMessage: answer.note };
  if (answer.type === "pass") return answer.note === null ? null : note;
  if (answer.type === "rewrite") return { ...note, tool_input: answer.input };
  return call.event === "before" ? { decision: "deny", reason: answer.reason } : { systemMessage: answer.reason };
}
