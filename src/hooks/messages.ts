/** What the models and people behind sessions read. One sentence each: the thing, who, since when, what to do. */
import { neutralise } from "../edges/basics.ts";
import { HOOKS, type Session } from "../edges/sessions.ts";
import type { HookCall } from "./hook-call.ts";

const HOSTS: Readonly<Record<string, string>> = {
  claude: "Claude Code",
  codex: "Codex",
  gemini: "Gemini CLI",
  opencode: "opencode",
};

export function hostTitle(host: string): string {
  return HOSTS[host] ?? neutralise(host);
}

/** `"fix login"`, or `a subagent of "fix login"`: ids of subagents mean nothing to people. */
export function sessionTitle(name: string, subagent = ""): string {
  const quoted = `"${neutralise(name)}"`;
  return subagent === "" ? quoted : `a subagent of ${quoted}`;
}

/** How rows of a session are called: `"fix login" (Claude Code)`. */
export function holderLabel({ name, host }: Pick<Session, "name" | "host">, subagent: string): string {
  const who = subagent === "" ? hostTitle(host) : `${hostTitle(host)}, a subagent`;
  return `"${name}" (${who})`.slice(0, 200);
}

/** `9s`, `4m`, `2h`. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 90) return `${seconds}s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes}m` : `${Math.round(minutes / 60)}h`;
}

/** `a.ts, b.ts and 3 more`. */
export function fileList(files: readonly string[]): string {
  const named = files.slice(0, HOOKS.namedFiles).map(neutralise).join(", ");
  return files.length > HOOKS.namedFiles ? `${named} and ${files.length - HOOKS.namedFiles} more` : named;
}

export interface StaleFile {
  readonly shown: string;
  /** Null when it is not known. */
  readonly lines: number | null;
  /** Null for somebody we do not know: a person, or a shell command. */
  readonly by: string | null;
  readonly agoMs: number | null;
}

/** Message 4. */
export function staleText(files: readonly StaleFile[]): string {
  const [first] = files;
  if (first === undefined) return "";
  const facts = [
    first.lines === null || first.lines === 0 ? "" : first.lines === 1 ? "1 line" : `${first.lines} lines`,
    first.by === null ? "by a person or a shell command" : `by ${first.by}`,
    first.agoMs === null ? "" : `${span(first.agoMs)} ago`,
  ].filter((fact) => fact !== "");
  const others = files.slice(1).map(({ shown }) => shown);
  const also = others.length === 0 ? "" : ` So did ${fileList(others)}.`;
  const it = others.length === 0 ? "it" : "them";
  return `${neutralise(first.shown)} changed after you read it (${facts.join(", ")}).${also} Read ${it} again, then make your edit.`;
}

export interface BusyFile {
  readonly shown: string;
  /** `"add pagination" (Claude Code)`, or the task that holds it. */
  readonly holder: string;
  /** Of a session: since its last edit. Null for a task. */
  readonly lastEditMs: number | null;
  readonly heldMs: number;
  readonly waitedMs: number;
}

/** Message 3. */
export function busyText({ shown, holder, lastEditMs, heldMs, waitedMs }: BusyFile): string {
  const file = neutralise(shown);
  const who = neutralise(holder).replace(/\)$/, "");
  const open = who === neutralise(holder) ? " (" : ", ";
  const since = lastEditMs === null ? `held for ${span(heldMs)}` : `last edit ${span(lastEditMs)} ago`;
  return `${file} is being edited by ${who}${open}${since}). Waited ${span(waitedMs)}. Do another part first and try again; details: lockyard why ${file}`;
}

export interface Knot {
  readonly shown: string;
  /** Who would have to let go, with what they hold. */
  readonly others: readonly { readonly holder: string; readonly holds: string }[];
  /** What the asking session holds that they wait for. */
  readonly own: readonly string[];
}

export function deadlockText({ shown, others, own }: Knot): string {
  const named = others.slice(0, HOOKS.namedFiles).map(({ holder, holds }) => `${neutralise(holder)} holds ${holds}`);
  const mine = own.length === 0 ? "" : ` and waits for ${fileList(own)}, which you hold`;
  return `DEADLOCK: ${neutralise(shown)} was not edited, because both would wait for ever: ${named.join("; ")}${mine}. Finish or undo what you began there and end your turn, or do another part; then try again.`;
}

export function overwrittenText(shown: string, by: string): string {
  return `${neutralise(shown)} was changed by ${by} while your edit waited to be approved. Read it now and make sure that its change is still there.`;
}

export function overlapText(shown: string, others: readonly { readonly by: string; readonly root: string }[]): string {
  const named = others.slice(0, HOOKS.namedFiles).map(({ by, root }) => `${by} in ${neutralise(root)}`);
  return `lockyard: ${neutralise(shown)} is also changed in another worktree, by ${named.join(" and by ")}. Nothing is locked; expect to merge.`;
}

/** For a host in which only the user's consent may change a command. */
export function takeTurnText(line: string): string {
  return `This command takes turns with those of other sessions. Run exactly this instead; it waits for its turn and then runs the command as it is: ${line}`;
}

/** Message 2, for a hook. */
export function stillInLineText(names: string, waitedMs: number): string {
  return `Still in line for ${neutralise(names)} after ${span(waitedMs)}. Your place is kept for 3 minutes: run exactly the same command again. Do not start it another way; nothing hangs.`;
}

export function deadlockWaitText(message: string): string {
  return `Not run: DEADLOCK. ${neutralise(message)} End your turn, or do another part, then try again.`;
}

/** The one line of a session for which Lockyard does not work. */
export function brokenText(error: unknown, call: Pick<HookCall, "host"> | null, isRefused: boolean): string {
  const hint = typeof error === "object" && error !== null && "hint" in error ? String(error.hint ?? "") : "";
  const why = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 300);
  const what = isRefused
    ? "Not run, because `ifBroken: fail` is set"
    : `${call === null ? "This session" : hostTitle(call.host)} goes on without locks`;
  return neutralise(`lockyard: ${why} ${what}.${hint === "" ? "" : ` ${hint}`}`);
}
