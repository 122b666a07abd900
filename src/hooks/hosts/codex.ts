/** Codex: payloads and answers of its hooks, as measured with 0.169. They are Claude's, but for patches. */
import type { HookAnswer, HookCall } from "../hook-call.ts";
import { claudeAnswer, claudeCall } from "./claude.ts";
import { type Json, objectOf, pathsOf, textOf } from "./reading.ts";

/** Null for an event that is not ours to judge. */
export function codexCall(payload: Json, here: string): HookCall | null {
  const call = claudeCall(payload, here);
  if (call === null) return null;
  const patch = patchIn(textOf(payload.tool_name) ?? "", payload.tool_input);
  if (patch === null) return { ...call, host: "codex" };
  return { ...call, host: "codex", tool: "edit", command: null, paths: patchPaths(patch, call.cwd) };
}

export function codexAnswer(answer: HookAnswer, call: HookCall): Json | null {
  return claudeAnswer(answer, call);
}

/** A patch, given to its own tool or through the shell: `apply_patch <<'EOF' …`. */
function patchIn(toolName: string, given: unknown): string | null {
  const { command, input, patch } = objectOf(given);
  const words = Array.isArray(command) ? command.filter((word) => typeof word === "string").join("\n") : command;
  const text = textOf(given) ?? textOf(patch) ?? textOf(input) ?? textOf(words);
  if (text === null) return null;
  const isPatch = toolName === "apply_patch" || /^\s*(?:cd [^\n;&|]+&& *)?apply_patch\b/.test(text);
  return isPatch && text.includes("*** Begin Patch") ? text : null;
}

/** The files a patch names, in the format that the model writes. */
export function patchPaths(patch: string, cwd: string): readonly string[] {
  const named = patch.matchAll(/^\*\*\* (?:(?:Update|Add|Delete) File|Move to): (.+?)\s*$/gm);
  return pathsOf(
    [...named].map(([, path]) => path),
    cwd,
  );
}
