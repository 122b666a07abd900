/** What every host's hook says and hears, in one shape: hosts/ translates, everything else knows only this. */

export type HostName = "claude" | "codex" | "gemini" | "opencode";

export type HookEvent = "before" | "after" | "turn-start" | "turn-end" | "session-start" | "session-end";

/** `edit` changes a part of a file, `write` replaces it whole. */
export type HookTool = "edit" | "write" | "read" | "shell" | "other";

export interface HookCall {
  readonly host: HostName;
  readonly event: HookEvent;
  /** The host's own id of the session. */
  readonly session: string;
  /** Null for the session itself. */
  readonly subagent: string | null;
  /** Absolute. */
  readonly cwd: string;
  /** `other` for events that are about no tool. */
  readonly tool: HookTool;
  /** Absolute; the files that the tool edits, writes or reads. */
  readonly paths: readonly string[];
  /** Of a shell call. */
  readonly command: string | null;
  /** What the user asked for; with `turn-start` only. */
  readonly prompt: string | null;
  readonly toolUseId: string | null;
  /**
   * Whether the host judges a command after the hook, by rules of the user or by asking: another command than the model wrote
   * would be judged as another one.
   */
  readonly asksAfterwards: boolean;
  /** The tool's own input, for an answer that rewrites it. */
  readonly input: Readonly<Record<string, unknown>>;
  /** With `after`: the tool says that it failed. */
  readonly hasFailed: boolean;
}

/** Never "allowed": what the user is asked is the host's business. */
export type HookAnswer =
  /** `note`: one line, shown to the user. */
  | { readonly type: "pass"; readonly note: string | null }
  /** The model reads the reason. */
  | { readonly type: "refuse"; readonly reason: string }
  /** The tool runs with this input instead: all of it, not only what changed. */
  | { readonly type: "rewrite"; readonly input: Readonly<Record<string, unknown>>; readonly note: string | null };

export const PASS: HookAnswer = { type: "pass", note: null };
