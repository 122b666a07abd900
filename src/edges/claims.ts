/** Taking a turn for a command: see basics.ts. */
export { declareCommands } from "../core/declared.ts";
export { workspaceId } from "../core/names.ts";
export { TICKET_AGENT, TICKET_MS, ticketText } from "../core/ticket.ts";
export { realRoot } from "../resources/real-path.ts";
export { resolveClaims, resolveContext } from "../resources/resolve.ts";
