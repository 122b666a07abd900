/** Sessions of AI hosts: who works here through hooks, what they hold, and what they change in several worktrees. */
import { relative } from "node:path";
import { resourceId } from "../../edges/names.ts";
import {
  type BookView,
  type FileVersion,
  livenessOf,
  SESSION_AGENT,
  type Session,
  type SessionStore,
  type StoreView,
  type TaskRow,
} from "../../edges/store.ts";

export interface SessionRow {
  readonly sessionId: string;
  /** First words of its first prompt, else its branch, else its directory. */
  readonly name: string;
  readonly host: string;
  readonly branch: string;
  /** Root of its worktree. */
  readonly root: string;
  readonly pid: number | null;
  /** Whether it works on something just now. */
  readonly isInTurn: boolean;
  readonly seenMs: number;
  readonly holds: readonly string[];
}

/** A file that is changed in more than one worktree of a repository. */
export interface Overlap {
  readonly file: string;
  readonly sessions: readonly { readonly sessionId: string; readonly name: string; readonly root: string }[];
}

export interface SessionsLook {
  readonly sessions: readonly SessionRow[];
  readonly overlaps: readonly Overlap[];
  /** Rows of sessions that hold something or stand for those that do: no tasks, though the store counts them among those. */
  readonly rows: readonly TaskRow[];
}

export const NO_SESSIONS: SessionsLook = { sessions: [], overlaps: [], rows: [] };

const LISTED = 100;
const FILES = 2_000;
/** A session whose process cannot be seen is shown for so long after it was heard of. */
const UNSEEN_MS = 1_800_000;

export interface SessionsContext {
  readonly wallMs: number;
  /** Paths are shown relative to it. */
  readonly root: string;
}

export function isSessionRow({ agentId }: Pick<TaskRow, "agentId">): boolean {
  return agentId === SESSION_AGENT;
}

/** One look at the book, and one at the store. */
export async function lookAtSessions(store: SessionStore, context: SessionsContext): Promise<SessionsLook> {
  const { live, overlaps } = await store.book.look((view) => {
    const live = view.sessions(LISTED).filter((session) => isLive(session, context.wallMs));
    return { live, overlaps: overlapsOf(view, live) };
  });
  return store.view((view) => {
    const rows = new Map(live.map(({ sessionId }) => [sessionId, rowsOf(view, sessionId)]));
    return {
      sessions: live.map((session) => sessionRow(session, rows.get(session.sessionId) ?? [], context)),
      overlaps,
      rows: [...rows.values()].flat(),
    };
  });
}

function rowsOf(view: StoreView, sessionId: string): readonly TaskRow[] {
  return view.tasks({ ownerId: sessionId, limit: FILES }).filter(isSessionRow);
}

function sessionRow(session: Session, rows: readonly TaskRow[], { wallMs, root }: SessionsContext): SessionRow {
  const held = rows.filter(({ holdsClaims }) => holdsClaims).flatMap(({ claims }) => claims);
  return {
    sessionId: session.sessionId,
    name: session.name,
    host: session.host,
    branch: session.branch,
    root: session.root,
    pid: session.process?.pid ?? null,
    isInTurn: session.turnWallMs > 0,
    seenMs: Math.max(0, wallMs - session.seenWallMs),
    holds: [...new Set(held.map(({ node }) => resourceId(node, root)))],
  };
}

function isLive({ hasEnded, process, seenWallMs }: Session, wallMs: number): boolean {
  if (hasEnded) return false;
  const liveness = process === null ? "unknown" : livenessOf(process);
  return liveness === "unknown" ? wallMs - seenWallMs < UNSEEN_MS : liveness === "alive";
}

function overlapsOf(view: BookView, sessions: readonly Session[]): readonly Overlap[] {
  const byFile = new Map<string, Map<string, Session>>();
  const roots = new Map(sessions.map((session) => [`${session.repository}\0${session.root}`, session]));
  for (const { repository, root } of roots.values()) {
    if (repository === "" || ![...roots.values()].some((each) => each.repository === repository && each.root !== root))
      continue;
    for (const version of view.writtenBelow(root, FILES)) {
      const writer = sessions.find((session) => isWriter(session, version, root));
      if (writer === undefined) continue;
      const file = `${repository}\0${relative(root, version.path)}`;
      const writers = byFile.get(file) ?? new Map<string, Session>();
      byFile.set(file, writers.set(root, writer));
    }
  }
  return [...byFile].flatMap(([file, writers]) => {
    if (writers.size < 2) return [];
    const of = [...writers].map(([root, { sessionId, name }]) => ({ sessionId, name, root }));
    return [{ file: file.slice(file.indexOf("\0") + 1), sessions: of }];
  });
}

function isWriter(session: Session, { sessionId }: FileVersion, root: string): boolean {
  return session.sessionId === sessionId && session.root === root;
}
