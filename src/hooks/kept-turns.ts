/**
 * Turns of commands that run as they were written. Where the host judges a command after the hook, by the user's rules or by
 * asking, another command would be judged as another one: then nothing is rewritten, and what the command claims is held in
 * the name of its session until the host says that it has ended. That never comes for a command that was not allowed: the
 * next thing its session does ends it, as does its session's end; and it lapses by itself.
 */
import { type Command, holdsLocks, type SessionStore, shortHash, type TaskRow } from "../edges/sessions.ts";
import type { Holder } from "./holds.ts";

type Who = Pick<Holder, "sessionId" | "subagent">;

/** The workflow that such turns of a session, or of one of its subagents, belong to. */
export function turnsOf({ sessionId, subagent }: Who): string {
  return `shell-${shortHash(`${sessionId} ${subagent}`)}`;
}

/** The id of the turn of one command; any that is new for a host that gives no ids to its calls. */
export function turnId(toolUseId: string | null, fresh: () => string): string {
  return (toolUseId ?? fresh()).replaceAll(/[^\w.:-]+/g, "-").slice(0, 100);
}

/** The commands of this holder have ended: all of them, or the one with this id. */
export async function endTurns(store: SessionStore, who: Who, toolUseId: string | null): Promise<void> {
  const workflowId = turnsOf(who);
  const taskId = toolUseId === null ? null : turnId(toolUseId, () => "");
  const held = await store.view((view) => {
    const rows = taskId === null ? view.tasks({ workflowId, statuses: HELD }) : [view.task(workflowId, taskId)];
    return rows.filter((row): row is TaskRow => row !== undefined && holdsLocks(row.status));
  });
  const settle = ({ key, fence }: TaskRow): Command => ({
    type: "settle",
    key,
    fence,
    status: "cancelled",
    result: null,
  });
  if (held.length > 0) await store.turn(held.map(settle));
}

const HELD = ["starting", "running"] as const;
