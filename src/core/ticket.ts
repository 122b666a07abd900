/**
 * A ticket names what was granted to somebody who only waits, for the command that comes after: a guest's lock in the name
 * of the host that asked. The command asks for the same claims as something inside it, which is never in its way, and then
 * lets it go.
 */
import type { HolderToken } from "./token.ts";

/** Milliseconds from the grant in which the command must have started. */
export const TICKET_MS = 10_000;

/** Not `exec`: how long it was held says nothing of how long a command runs. */
export const TICKET_AGENT = "ticket";

export function ticketText({ workflowId, taskId, key, fence }: HolderToken): string {
  return `${workflowId}/${taskId}/${key}.${fence}`;
}
