/** What the payloads of all hosts have in common: JSON of which any part may be missing, or be something else one day. */
import { isAbsolute, resolve } from "node:path";
import type { HookCall, HookEvent, HookTool, HostName } from "../hook-call.ts";

export type Json = Readonly<Record<string, unknown>>;

/** An empty object for whatever is none. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {}; // as just looked at
}

/** Null for whatever is no text, or an empty one. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Absolute, from the session's directory. Null for what names no file. */
export function pathOf(value: unknown, cwd: string): string | null {
  const path = textOf(value);
  return path === null || path.includes("\0") ? null : resolve(cwd, path);
}

/** The paths among these, each once. */
export function pathsOf(values: readonly unknown[], cwd: string): readonly string[] {
  return [...new Set(values.map((value) => pathOf(value, cwd)).filter((path) => path !== null))];
}

/** How one host calls what every host has. */
export interface HostWords {
  readonly host: HostName;
  readonly events: Readonly<Record<string, HookEvent>>;
  readonly tools: Readonly<Record<string, HookTool>>;
}

/** What the payloads of all hosts say in one way, without the paths. Null for an event that is not ours to judge. */
export function callIn(payload: Json, here: string, { host, events, tools }: HostWords): HookCall | null {
  const event = events[textOf(payload.hook_event_name) ?? ""];
  const session = textOf(payload.session_id);
  if (event === undefined || session === null) return null;
  const tool = tools[textOf(payload.tool_name) ?? ""] ?? "other";
  const input = objectOf(payload.tool_input);
  return {
    host,
    event,
    session,
    subagent: textOf(payload.agent_id),
    cwd: directoryOf(payload.cwd, here),
    tool,
    paths: [],
    command: tool === "shell" ? textOf(input.command) : null,
    prompt: event === "turn-start" ? textOf(payload.prompt) : null,
    toolUseId: textOf(payload.tool_use_id),
    asksAfterwards: false,
    input,
    hasFailed: false,
  };
}

/** Where the session stands: what the payload says, else where this process was started. */
function directoryOf(value: unknown, here: string): string {
  const cwd = textOf(value);
  return cwd !== null && isAbsolute(cwd) ? cwd : here;
}
