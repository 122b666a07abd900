/**
 * Whether a session may edit a file by what it last saw of it. Pure: what is there now, and what the book says.
 *
 *  S1  who never saw it may edit it: the host looks by itself. Of one that never tells what it reads, a session may have
 *      seen it before somebody else wrote what is there now: it is refused, once, when that was after the session began
 *  S2  what is there is what it saw: it may
 *  S3  else somebody changed it, and the edit is refused with the name of who did, as far as the book knows
 *  S4  an edit of its own that was let through, and whose end was never told, counts as its own change; unless somebody else
 *      wrote since, or was let through
 */
import type { FileVersion, Session } from "../edges/sessions.ts";
import { changedLines, type Fingerprint } from "./fingerprint.ts";

export interface Change {
  /** Lines that differ; null when that is not known. */
  readonly lines: number | null;
  /** Whose change it is; null for somebody the book does not know. */
  readonly by: FileVersion | null;
}

/** Null when the file is as `mine` says. `others`: what everybody else knows of it. */
export function changeOf(
  current: Fingerprint,
  mine: FileVersion | undefined,
  others: readonly FileVersion[],
): Change | null {
  if (mine === undefined || mine.hash === current.hash) return null;
  const by = author(current, mine, others);
  if (mine.isPending && by === null) return null;
  return { lines: changedLines(mine.lines, current.lines), by };
}

/** S1. */
export function writtenSince(
  current: Fingerprint,
  { startedWallMs }: Pick<Session, "startedWallMs">,
  others: readonly FileVersion[],
): Change | null {
  const by = others.find(({ wroteHash, wroteWallMs }) => wroteHash === current.hash && wroteWallMs > startedWallMs);
  return by === undefined ? null : { lines: null, by };
}

function author(current: Fingerprint, mine: FileVersion, others: readonly FileVersion[]): FileVersion | null {
  const since = others.filter((other) => lastWriteMs(other) >= mine.seenWallMs);
  const latest = since.toSorted((a, b) => lastWriteMs(b) - lastWriteMs(a));
  // Whoever left it as it is now; else whoever may have written and never said so.
  return (
    latest.find(({ wroteHash }) => wroteHash === current.hash) ??
    latest.find(({ isPending }) => isPending) ??
    // Somebody wrote, and somebody unknown after that: the first of them is named only while its own edit is in doubt.
    (mine.isPending ? (latest[0] ?? null) : null)
  );
}

/** When it wrote, or may have written, last; negative for never. */
export function lastWriteMs({ isPending, seenWallMs, wroteWallMs }: FileVersion): number {
  if (isPending) return Math.max(seenWallMs, wroteWallMs);
  return wroteWallMs > 0 ? wroteWallMs : -1;
}
