import { livenessOf, type Session } from "../../edges/sessions.ts";
import type { Clock } from "../../index.ts";

/** A session whose process is not known is taken to be there for as long after its last call. */
const UNSEEN_MS = 1_800_000;

/** Whether somebody still works in a session, as far as can be known. */
export function liveSessions(clock: Clock): (session: Session) => boolean {
  return ({ hasEnded, process, seenWallMs }) => {
    if (hasEnded) return false;
    return process === null ? clock.wallMs() - seenWallMs < UNSEEN_MS : livenessOf(process) !== "gone";
  };
}
