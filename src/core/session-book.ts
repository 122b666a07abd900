/**
 * The port of the session book: who works here through hooks, and what each of them last saw in which file. It protects
 * files by what is in them, where locks protect them by time; it decides nothing about who may run.
 */
import type { Awaitable, ProcessIdentity, Store } from "./ports.ts";

/** A session of an AI host, known through its hooks. */
export interface Session {
  /** `session-…`: unique whatever the host, and the same for every process that speaks for it. */
  readonly sessionId: string;
  /** `claude`, `codex`, `gemini`, `opencode`. */
  readonly host: string;
  /** What people call it: the first words of its first prompt, else its branch, else its directory. */
  readonly name: string;
  /** Whether a prompt named it. */
  readonly hasPromptName: boolean;
  /** Absolute. */
  readonly cwd: string;
  /** Root of the worktree it stands in, else its directory. */
  readonly root: string;
  /** Git directory that the worktrees of its repository share; empty outside of one. */
  readonly repository: string;
  /** Empty when there is none. */
  readonly branch: string;
  /** The host's process; null where it could not be found. */
  readonly process: ProcessIdentity | null;
  /** Wall times, for people. */
  readonly startedWallMs: number;
  readonly seenWallMs: number;
  /** When its turn began; 0 between turns. */
  readonly turnWallMs: number;
  /** When the first shell command of its turn was let through; 0 for none. */
  readonly shellWallMs: number;
  /** Whether it tells what it reads: then nothing but reading again makes a stale file known. */
  readonly tellsReads: boolean;
  readonly hasEnded: boolean;
}

/** What one session or subagent knows of one file. */
export interface FileVersion {
  readonly sessionId: string;
  /** Empty for the session itself. */
  readonly subagent: string;
  /** Absolute and real. */
  readonly path: string;
  /** Of the content it last saw or wrote; `NO_FILE` when there was none. */
  readonly hash: string;
  /** What each line was, four bytes each; null when that was too much to keep. */
  readonly lines: Uint8Array | null;
  readonly seenWallMs: number;
  /** An edit was let through and its end was not told yet: what is there now may be its own. */
  readonly isPending: boolean;
  /** Of the content it last wrote; empty when it never did. */
  readonly wroteHash: string;
  /** 0 when it never did. */
  readonly wroteWallMs: number;
}

/** Agent of the rows that stand for sessions and for what they hold: no tasks, wherever people look. */
export const SESSION_AGENT = "session";

/** The hash of a file that is not there. */
export const NO_FILE = "none";

export type BookEntry =
  /** New, or in place of what was known. */
  | { readonly type: "session"; readonly session: Session }
  | { readonly type: "version"; readonly version: FileVersion }
  /** What a session or one of its subagents knew is not needed any more. */
  | { readonly type: "forget-versions"; readonly sessionId: string; readonly subagent: string }
  /** It was told something that is said once. */
  | { readonly type: "told"; readonly sessionId: string; readonly topic: string }
  /** Sessions not seen since then go, with all that is known of them. */
  | { readonly type: "forget-sessions"; readonly seenBeforeWallMs: number };

/** Reads of the book; all within one `look` are of one moment. */
export interface BookView {
  session(sessionId: string): Session | undefined;
  /** Seen last first. */
  sessions(limit: number): readonly Session[];
  version(sessionId: string, subagent: string, path: string): FileVersion | undefined;
  /** What everybody knows of one file, written last first. */
  versionsOf(path: string): readonly FileVersion[];
  /** Files written below a directory, written last first. */
  writtenBelow(directory: string, limit: number): readonly FileVersion[];
  isTold(sessionId: string, topic: string): boolean;
}

export interface SessionBook {
  look<T>(read: (view: BookView) => T): Awaitable<T>;
  /** All of it or nothing, in order. Rejects with STORE_… */
  write(entries: readonly BookEntry[]): Awaitable<void>;
}

/** A store that has a book. */
export interface SessionStore extends Store {
  readonly book: SessionBook;
}
