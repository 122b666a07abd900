/**
 * Files that changed while shell commands of a turn ran, and that no edit told of: what a formatter, a generator or a script
 * wrote. Told, not prevented, and nobody is said to know such a file.
 */
import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { type BookView, HOOKS, type Session, type SessionStore } from "../edges/sessions.ts";
import { type Disk, shownPath } from "./files.ts";
import { fileList, sessionTitle } from "./messages.ts";

export interface TurnReport {
  readonly store: SessionStore;
  readonly disk: Disk;
  readonly session: Session;
}

const GIT_MS = 3_000;
const GIT_BYTES = 4 * 1024 * 1024;

/** Null when nothing is to be said. */
export async function turnReport({ store, disk, session }: TurnReport): Promise<string | null> {
  const { root, shellWallMs } = session;
  if (shellWallMs === 0) return null;
  const dirty = await dirtyFiles(session);
  const known = await store.book.look((view) => view.writtenBelow(root, HOOKS.reportedFiles).map(({ path }) => path));
  const recent = [...new Set([...dirty, ...known])]
    .filter((path) => changedWallMs(path) >= shellWallMs)
    .slice(0, HOOKS.reportedFiles)
    .map((path) => ({
      path,
      hash: disk.fingerprint(path)?.hash ?? null,
      key: disk.nodes(path).at(-1)?.slice(2) ?? path,
    }));
  const told = await store.book.look((view) =>
    recent.flatMap(({ path, hash, key }) => {
      if (hash === null || isDeclared(view, { key, hash, session })) return [];
      return [`${shownPath(path, root)}${othersIn(view, key, session)}`];
    }),
  );
  return told.length === 0
    ? null
    : `lockyard: shell commands of this turn changed what no edit told of: ${fileList(told)}. Nobody who works on it was asked.`;
}

interface Found {
  readonly key: string;
  readonly hash: string;
  readonly session: Session;
}

/** Somebody's edit left it so, or this session was let write there by a command. */
function isDeclared(view: BookView, { key, hash, session }: Found): boolean {
  return view
    .versionsOf(key)
    .some(
      ({ sessionId, wroteHash, isPending }) => wroteHash === hash || (isPending && sessionId === session.sessionId),
    );
}

/** ` (seen by "add pagination")`: who may work on what is not there any more. */
function othersIn(view: BookView, key: string, session: Session): string {
  const ids = new Set(view.versionsOf(key).map(({ sessionId }) => sessionId));
  const names = [...ids].flatMap((sessionId) => {
    const other = sessionId === session.sessionId ? undefined : view.session(sessionId);
    return other === undefined || other.hasEnded ? [] : [sessionTitle(other.name)];
  });
  return names.length === 0 ? "" : ` (seen by ${names.slice(0, 3).join(", ")})`;
}

function changedWallMs(path: string): number {
  try {
    return existsSync(path) ? statSync(path).mtimeMs : 0;
  } catch {
    return 0; // gone in this very moment
  }
}

/** What git says differs from the last commit; nothing outside of a repository, or where git takes too long. */
function dirtyFiles({ root, repository }: Session): Promise<readonly string[]> {
  if (repository === "") return Promise.resolve([]);
  const args = ["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"];
  const env = { ...process.env, GIT_OPTIONAL_LOCKS: "0" };
  const options = { cwd: root, env, timeout: GIT_MS, maxBuffer: GIT_BYTES, encoding: "utf8" as const };
  return new Promise((resolve) => {
    execFile("git", args, options, (error, stdout) => {
      const entries = error === null ? stdout.split("\0").filter((entry) => entry.length > 3) : [];
      resolve(entries.map((entry) => join(root, entry.slice(3))));
    });
  });
}
