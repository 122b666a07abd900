/** Before a commit: does it take along what another session is still at work on? */
import { relative } from "node:path";
import { fileList, sessionTitle } from "../messages.ts";
import { editsOfOthers, type GuardOptions, notCommitted } from "./git-guard.ts";

export interface CommitCheck extends Omit<GuardOptions, "sessionId"> {
  /** Whose commit it is; null for a person. */
  readonly sessionId: string | null;
  /** Absolute directory of the worktree, or below. */
  readonly directory: string;
}

/** What to say; null when there is nothing. A session is refused; a person is told, and knows best. */
export async function commitFinding(check: CommitCheck): Promise<string | null> {
  const { book, git, sessionId, isLive, directory } = check;
  const root = await git.rootOf(directory);
  if (root === null) return null;
  const staged = new Set(await git.staged(root));
  const edits = await book.look((view) => editsOfOthers(view, { root, sessionId: sessionId ?? "", isLive }));
  const taken = await notCommitted(
    edits.filter(({ version }) => staged.has(version.path)),
    { root, git },
  );
  if (taken.length === 0) return null;
  const sessions = new Set(taken.map(({ session }) => session.sessionId)).size;
  const whose = sessions === 1 ? "another session that still works" : `${sessions} other sessions that still work`;
  const files = fileList(
    taken.map(({ version, session }) => `${relative(root, version.path)} (${sessionTitle(session.name)})`),
  );
  const what = `this commit takes along edits of ${whose}: ${files}.`;
  return sessionId === null ? `Note: ${what}` : `Not committed: ${what} Commit yours by path, or ask the user.`;
}
