/** One file of a repository, changed in several of its worktrees: a warning, told the second editor once; never a lock. */
import { join, relative } from "node:path";
import { type BookView, HOOKS, type SessionStore } from "../edges/sessions.ts";
import type { Disk, HookFile } from "./files.ts";
import { overlapText, sessionTitle } from "./messages.ts";
import type { Seat } from "./sessions.ts";

export interface OverlapLook {
  readonly store: SessionStore;
  readonly disk: Disk;
  readonly seat: Seat;
  readonly files: readonly HookFile[];
}

/** Null when there is nothing to say that was not said. */
export async function overlapNote({ store, disk, seat, files }: OverlapLook): Promise<string | null> {
  const { sessionId } = seat;
  const { repository, root } = seat.session;
  if (repository === "") return null;
  const keyOf = (path: string) => disk.nodes(path).at(-1)?.slice(2) ?? path;
  const found = await store.book.look((view) => {
    const others = othersIn(view, seat);
    if (others.length === 0) return [];
    return files.flatMap(({ key, shown }) => {
      const topic = `overlap ${key}`;
      const writers = others.flatMap(({ root: theirs, session }) => {
        const path = join(keyOf(theirs), relative(keyOf(root), key));
        const wrote = view.versionsOf(path).some((version) => version.sessionId === session && version.wroteWallMs > 0);
        return wrote ? [{ by: sessionTitle(view.session(session)?.name ?? ""), root: theirs }] : [];
      });
      return writers.length === 0 || view.isTold(sessionId, topic) ? [] : [{ shown, topic, writers }];
    });
  });
  const [first] = found;
  if (first === undefined) return null;
  await store.book.write(found.map(({ topic }) => ({ type: "told", sessionId, topic })));
  return found.map(({ shown, writers }) => overlapText(shown, writers)).join("\n");
}

/** Sessions in other worktrees of the same repository. */
function othersIn(view: BookView, { session }: Seat): readonly { readonly root: string; readonly session: string }[] {
  return view.sessions(HOOKS.sessions).flatMap((other) => {
    const isBeside = other.repository === session.repository && other.root !== session.root && !other.hasEnded;
    return isBeside ? [{ root: other.root, session: other.sessionId }] : [];
  });
}
