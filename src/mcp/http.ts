/** Over HTTP: a handler for the one path it is served at. Sessions are not kept; every request stands by itself. */
import { createMcpHandler } from "@modelcontextprotocol/server";
import { BOUNDS } from "../edges/basics.ts";
import { mcpServer, type ServerOptions } from "./server.ts";

export interface McpHttp {
  readonly fetch: (request: Request) => Promise<Response>;
  /** Ends what is answered at the moment. */
  close(): Promise<void>;
}

export function mcpOverHttp(options: ServerOptions): McpHttp {
  const { fetch, close } = createMcpHandler(() => mcpServer(options), {
    maxRequestBodySize: BOUNDS.mcpMessageBytes,
    onerror: () => undefined, // the caller is told
  });
  return { fetch: (request) => fetch(request), close };
}
