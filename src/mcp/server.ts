/** The protocol's side: one factory for every revision, tools in, answers out. */
import { CLIENT_INFO_META_KEY, McpServer, type ServerContext } from "@modelcontextprotocol/server";
import { errorCode, neutralise } from "../edges/basics.ts";
import { type Answer, refusal } from "./answers.ts";
import { INSTRUCTIONS } from "./instructions.ts";
import type { Call, Tool } from "./tool.ts";

export interface ServerOptions {
  readonly version: string;
  readonly tools: readonly Tool[];
  /** Told of what is ours to mend. */
  readonly onBug: (error: unknown) => void;
}

/** A server for one connection, or for one request where the protocol knows no connections. */
export function mcpServer({ version, tools, onBug }: ServerOptions): McpServer {
  const server = new McpServer(
    { name: "lockyard", title: "Lockyard", version },
    { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
  );
  for (const { name, title, description, annotations, input, run } of tools) {
    server.registerTool(
      name,
      { title, description, annotations: { ...annotations }, inputSchema: input },
      async (given, context) => {
        try {
          return resultOf(await run(given, callOf(context, server)));
        } catch (error) {
          if (errorCode(error) === undefined || errorCode(error) === "BUG") onBug(error);
          return resultOf(refusal(error));
        }
      },
    );
  }
  return server;
}

function resultOf({ structured, text, isError }: Answer) {
  return {
    content: [{ type: "text" as const, text }],
    structuredContent: structured as Record<string, unknown>, // a copy is made when it is sent
    ...(isError === true ? { isError } : {}),
  };
}

function callOf({ mcpReq }: ServerContext, server: McpServer): Call {
  const { signal, _meta: meta } = mcpReq;
  const token = meta?.progressToken;
  // With a handshake it is known of the connection, without one every call brings it.
  const info = server.server.getClientVersion() ?? infoIn(mcpReq.envelope ?? {});
  return {
    signal,
    callId: callIdOf(meta ?? {}),
    client: info === undefined ? "a host" : neutralise(`${info.name} ${info.version}`).slice(0, 80),
    say: (progress) => {
      if (token === undefined) return;
      const notification = { method: "notifications/progress" as const, params: { progressToken: token, ...progress } };
      // A host that is gone is told by the signal.
      mcpReq.notify(notification).catch(() => undefined);
    },
  };
}

/** The SDK's types leave out what it hands over. */
function infoIn(envelope: object): { readonly name: string; readonly version: string } | undefined {
  const info: unknown = Reflect.get(envelope, CLIENT_INFO_META_KEY);
  if (typeof info !== "object" || info === null || !("name" in info) || !("version" in info)) return undefined;
  return { name: String(info.name), version: String(info.version) };
}

/** What hosts call one call: Claude Code and Codex say it, others do not. */
const CALL_IDS = ["claudecode/toolUseId", "callId"] as const;

function callIdOf(meta: Readonly<Record<string, unknown>>): string | undefined {
  for (const name of CALL_IDS) {
    const id = meta[name];
    if (typeof id === "string" && id !== "" && id.length <= 200) return `${name} ${id}`;
  }
  return undefined;
}
