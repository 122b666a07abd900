/** The program that `exec` was called from, when it is one that gives up on its shell commands after a while. */
import { readlinkSync } from "node:fs";
import type { Environment } from "../terminal/capabilities.ts";
import { parseDuration } from "../terminal/duration.ts";

export interface KnownHost {
  /** As it stands in a label: `claude`. */
  readonly name: string;
  /** Milliseconds after which it ends a shell command. */
  readonly shellLimitMs: number;
}

/** Time left for us to say that we stop waiting, and for the host to take it. */
const MARGIN_MS = 20_000;

/** By the variables each sets for what it starts. Limits are their defaults; a call may have asked for more. */
export function knownHost(env: Environment): KnownHost | null {
  const asked = parseDuration(env.LOCKYARD_HOST_LIMIT ?? "");
  const host = (name: string, shellLimitMs: number): KnownHost => ({ name, shellLimitMs: asked ?? shellLimitMs });
  if (isSet(env.CLAUDECODE)) return host("claude", Number(env.BASH_DEFAULT_TIMEOUT_MS) || 120_000);
  if (Object.keys(env).some((name) => name.startsWith("CODEX_") && name !== "CODEX_HOME")) return host("codex", 60_000);
  if (isSet(env.GEMINI_CLI)) return host("gemini", 300_000);
  if (isSet(env.OPENCODE)) return host("opencode", 120_000);
  if (isSet(env.CURSOR_AGENT)) return host("cursor", 60_000);
  return asked === undefined ? null : host("host", asked);
}

/** How long to stand in line before the host gives up: at least a fifth of what it allows. */
export function patienceIn({ shellLimitMs }: KnownHost): number {
  return Math.max(shellLimitMs / 5, shellLimitMs - MARGIN_MS);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}

/**
 * Who waits, so that its place is kept for it and for nobody else (L13): what the host calls its session, else the terminal.
 * Two sessions that cannot be told apart only ever share a place in line.
 */
export function sessionOf(env: Environment, isTerminal: boolean): string {
  const named = env.LOCKYARD_SESSION ?? env.CLAUDE_CODE_SESSION_ID ?? env.CODEX_THREAD_ID ?? env.GEMINI_SESSION_ID;
  if (named !== undefined && named !== "") return named;
  if (!isTerminal) return "";
  try {
    return readlinkSync("/proc/self/fd/0");
  } catch {
    return env.TERM_SESSION_ID ?? "";
  }
}
