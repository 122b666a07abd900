/** Where each host keeps its hooks, and which of its events are ours. */
import { join } from "node:path";
import type { HostName } from "../hook-call.ts";

export type Scope = "user" | "project";

export interface HookEntry {
  readonly event: string;
  /** Which tools; null: all, or the event has none. */
  readonly matcher: string | null;
  /** Seconds. */
  readonly timeout: number;
  /** The first of a session: it says so when Lockyard is gone. */
  readonly isFirst?: boolean;
}

export interface HostSettings {
  /** For people. */
  readonly title: string;
  /** The program of the host, as it is on the PATH. */
  readonly program: string;
  readonly fileFor: (scope: Scope, place: SettingsPlace) => string;
  /** Of a file that lists hooks; null: the file is a plugin of ours. */
  readonly entries: readonly HookEntry[] | null;
  /** Whether times are milliseconds in its file. */
  readonly isInMs: boolean;
  /** What the user has to know or do besides. */
  readonly notes: readonly string[];
}

export interface SettingsPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Root of the repository, or the directory. */
  readonly root: string;
}

/** An edit waits 20 s at most for another session; what is left is for a busy machine. */
const EDIT_S = 60;
/** A heavy command waits for its turn in the hook, where no host counts it as running. */
const SHELL_S = 600;
const SHORT_S = 30;

const CLAUDE_EVENTS: readonly HookEntry[] = [
  { event: "SessionStart", matcher: null, timeout: SHORT_S, isFirst: true },
  { event: "UserPromptSubmit", matcher: null, timeout: SHORT_S },
  { event: "PreToolUse", matcher: "Edit|MultiEdit|Write|NotebookEdit", timeout: EDIT_S },
  { event: "PreToolUse", matcher: "Bash", timeout: SHELL_S },
  { event: "PreToolUse", matcher: "Read", timeout: SHORT_S },
  { event: "PostToolUse", matcher: "Edit|MultiEdit|Write|NotebookEdit|Bash", timeout: SHORT_S },
  { event: "PostToolUseFailure", matcher: "Edit|MultiEdit|Write|NotebookEdit|Bash", timeout: SHORT_S },
  { event: "Stop", matcher: null, timeout: SHORT_S },
  { event: "SubagentStop", matcher: null, timeout: SHORT_S },
  { event: "SessionEnd", matcher: null, timeout: SHORT_S },
];

export const HOSTS: Readonly<Record<HostName, HostSettings>> = {
  claude: {
    title: "Claude Code",
    program: "claude",
    // The project's own file is shared with others, and our paths are this machine's.
    fileFor: (scope, { env, home, root }) =>
      scope === "user"
        ? join(env.CLAUDE_CONFIG_DIR ?? join(home, ".claude"), "settings.json")
        : join(root, ".claude", "settings.local.json"),
    entries: CLAUDE_EVENTS,
    isInMs: false,
    notes: [],
  },
  codex: {
    title: "Codex",
    program: "codex",
    fileFor: (scope, { env, home, root }) =>
      scope === "user"
        ? join(env.CODEX_HOME ?? join(home, ".codex"), "hooks.json")
        : join(root, ".codex", "hooks.json"),
    entries: [
      { event: "SessionStart", matcher: null, timeout: SHORT_S, isFirst: true },
      { event: "UserPromptSubmit", matcher: null, timeout: SHORT_S },
      { event: "PreToolUse", matcher: "apply_patch|Edit|Write", timeout: EDIT_S },
      { event: "PreToolUse", matcher: "Bash", timeout: SHELL_S },
      { event: "PostToolUse", matcher: "apply_patch|Edit|Write", timeout: SHORT_S },
      { event: "Stop", matcher: null, timeout: SHORT_S },
      { event: "SubagentStop", matcher: null, timeout: SHORT_S },
      { event: "SessionEnd", matcher: null, timeout: SHORT_S },
    ],
    isInMs: false,
    notes: ["Codex runs no hook before you trusted it: start codex and type /hooks."],
  },
  gemini: {
    title: "Gemini CLI",
    program: "gemini",
    fileFor: (scope, { home, root }) => join(scope === "user" ? home : root, ".gemini", "settings.json"),
    entries: [
      { event: "SessionStart", matcher: null, timeout: SHORT_S, isFirst: true },
      { event: "BeforeAgent", matcher: null, timeout: SHORT_S },
      { event: "BeforeTool", matcher: "write_file|replace", timeout: EDIT_S },
      { event: "BeforeTool", matcher: "run_shell_command", timeout: SHELL_S },
      { event: "BeforeTool", matcher: "read_file|read_many_files", timeout: SHORT_S },
      { event: "AfterTool", matcher: "write_file|replace", timeout: SHORT_S },
      { event: "AfterAgent", matcher: null, timeout: SHORT_S },
      { event: "SessionEnd", matcher: null, timeout: SHORT_S },
    ],
    isInMs: true,
    notes: [],
  },
  opencode: {
    title: "opencode",
    program: "opencode",
    fileFor: (scope, { env, home, root }) =>
      scope === "user"
        ? join(env.XDG_CONFIG_HOME ?? join(home, ".config"), "opencode", "plugin", "lockyard.js")
        : join(root, ".opencode", "plugin", "lockyard.js"),
    entries: null,
    isInMs: false,
    notes: ["opencode loads no plugin when it is started with --pure."],
  },
};

export const HOST_NAMES = Object.keys(HOSTS) as readonly HostName[]; // its own keys
