/**
 * Commands that throw uncommitted edits away are refused while another session has such edits where they reach. Own edits,
 * and those of nobody who still works here, are whose they are.
 */
import { realpathSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { BookView, FileVersion, Session, SessionStore } from "../../edges/sessions.ts";
import { HOOKS } from "../../edges/sessions.ts";
import { fileList, sessionTitle } from "../messages.ts";
import type { GitDiscard } from "../shell/git.ts";
import { lastWriteMs } from "../staleness.ts";
import type { Git } from "./uncommitted.ts";

export interface GuardOptions {
  readonly book: SessionStore["book"];
  readonly git: Git;
  /** Whose command it is. */
  readonly sessionId: string;
  /** Whether somebody still works in a session. */
  readonly isLive: (session: Session) => boolean;
}

/** Why the first of these commands that would do harm is not run; null when none would. */
export async function gitRefusal(discards: readonly GitDiscard[], options: GuardOptions): Promise<string | null> {
  for (const discard of discards) {
    const lost = await lostBy(discard, options);
    if (lost.length > 0) return refusalText(discard, lost);
  }
  return null;
}

export interface LostEdit {
  /** Relative to the root of the worktree. */
  readonly shown: string;
  readonly session: Session;
}

async function lostBy(
  discard: GitDiscard,
  { book, git, sessionId, isLive }: GuardOptions,
): Promise<readonly LostEdit[]> {
  const isWorktree = discard.name.startsWith("git worktree");
  const start = isWorktree ? (discard.paths?.[0] ?? discard.directory) : discard.directory;
  const root = await git.rootOf(start);
  if (root === null) return [];
  const scope = isWorktree || discard.paths === null ? null : discard.paths.map(realPathOf);
  const edits = await book.look((view) => editsOfOthers(view, { root, sessionId, isLive }));
  const reached = edits.filter(({ version: { path } }) => scope === null || scope.some((part) => isIn(path, part)));
  const state = await git.uncommitted(
    root,
    reached.map(({ version }) => version.path),
  );
  const going = reached.filter(({ version: { path } }) => {
    const found = state.get(path);
    return (found === "tracked" && discard.tracked) || (found === "untracked" && discard.untracked);
  });
  return (await notCommitted(going, { root, git })).map(({ version: { path }, session }) => ({
    shown: relative(root, path),
    session,
  }));
}

/** Without those that a commit has had since: what differs now is then somebody else's. */
export async function notCommitted(
  edits: readonly Edit[],
  { root, git }: { readonly root: string; readonly git: Git },
): Promise<readonly Edit[]> {
  const open: Edit[] = [];
  for (const edit of edits) {
    // Each costs a process. A commit's time has no fraction: within its second nobody can tell.
    const isLooked = open.length < HOOKS.namedFiles;
    const committedMs = isLooked ? await git.committedMs(root, edit.version.path) : 0;
    if (lastWriteMs(edit.version) >= committedMs) open.push(edit);
  }
  return open;
}

export interface Edit {
  readonly version: FileVersion;
  readonly session: Session;
}

/** Written last first; each file once for each session. */
export function editsOfOthers(
  view: BookView,
  { root, sessionId, isLive }: Pick<GuardOptions, "sessionId" | "isLive"> & { readonly root: string },
): readonly Edit[] {
  const sessions = new Map<string, Session | null>();
  const seen = new Set<string>();
  return view.writtenBelow(root, HOOKS.guardedFiles).flatMap((version) => {
    const { sessionId: other, path } = version;
    if (other === sessionId || seen.has(`${other} ${path}`)) return [];
    seen.add(`${other} ${path}`);
    if (!sessions.has(other)) {
      const found = view.session(other);
      sessions.set(other, found !== undefined && isLive(found) ? found : null);
    }
    const session = sessions.get(other) ?? null;
    return session === null ? [] : [{ version, session }];
  });
}

function isIn(path: string, part: string): boolean {
  return path === part || path.startsWith(part === "/" ? part : `${part}/`);
}

/** Through links, as far as the path exists: the book knows files by their real names. */
function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPathOf(parent), basename(path));
  }
}

/** Message 5. */
function refusalText({ name, isSure }: GitDiscard, lost: readonly LostEdit[]): string {
  const sessions = new Set(lost.map(({ session }) => session.sessionId)).size;
  const whose = sessions === 1 ? "another session" : `${sessions} other sessions`;
  const files = lost.map(({ shown, session }) => `${shown} (${sessionTitle(session.name)})`);
  const first = isSure ? "Commit yours by path" : "Name the paths plainly, commit yours by path";
  const would = isSure ? "would" : "could";
  return `Not run: ${name} ${would} discard uncommitted edits of ${whose}: ${fileList(files)}. ${first}, use a worktree, or ask the user.`;
}
