/**
 * A ticket: what was granted to somebody who only waits, for the command that comes after. A hook waits in line as long as
 * it may, and the command it lets through takes over what it got; nobody gets in between. A ticket that nobody uses lapses
 * after ten seconds.
 *
 * It is a guest's lock in the name of the host that asked, so it outlives the process that took it. The command asks for
 * the same claims as something inside the ticket, which is never in its way, and then lets the ticket go.
 */
import { LockyardError } from "../../edges/basics.ts";
import { type HolderToken, readToken, TICKET_AGENT, TOKEN_VARIABLES, ticketText } from "../../edges/run.ts";
import type { Agent, AgentResult, Store } from "../../index.ts";

/** Takes a ticket and is over: `onTicket` is told it, and what it holds stays held. */
export function ticketAgent(onTicket: (text: string) => void): Agent {
  return {
    kind: "ticket",
    holder: "guest",
    run: (_, ctx) => {
      const token = readToken(ctx.env);
      if (token === null) throw new LockyardError("BUG", "a running task has a token");
      onTicket(ticketText(token));
      // It lapses by itself; until then nothing may end it.
      return new Promise<never>(() => undefined);
    },
  };
}

/** Throws INVALID_OPTION. */
export function parseTicket(text: string): HolderToken {
  const [, workflowId = "", taskId = "", token = ""] = /^([^/]+)\/(.+)\/([\d.]+)$/.exec(text) ?? [];
  const parsed = readToken({
    [TOKEN_VARIABLES.workflow]: workflowId,
    [TOKEN_VARIABLES.task]: taskId,
    [TOKEN_VARIABLES.token]: token,
  });
  if (parsed !== null) return parsed;
  throw new LockyardError("INVALID_OPTION", `--ticket ${text}: that is no ticket.`, {
    hint: "Leave it out: the command then stands in line by itself.",
  });
}

/** The command has what the ticket held: it goes. One that lapsed meanwhile is gone already, and that is as good. */
export async function giveBack(store: Store, { taskId, key, fence }: HolderToken, finishedAt: string): Promise<void> {
  const result: AgentResult = {
    taskId,
    agentId: TICKET_AGENT,
    instanceId: "",
    success: true,
    status: "succeeded",
    output: null,
    confidenceScore: null,
    evidence: [],
    errorMessage: null,
    attempts: 1,
    queuedMs: 0,
    lockWaitMs: 0,
    executionTimeMs: 0,
    startedAt: null,
    finishedAt,
  };
  await store.turn([{ type: "settle", key, fence, status: "succeeded", result }]);
}
