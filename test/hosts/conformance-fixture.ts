/** What the protocol's conformance suite asks a server for, mounted on our own HTTP entry. */
import { createMcpHandler, McpServer } from "@modelcontextprotocol/server";
import * as z from "zod";
import { gateFor } from "../../src/http/gate.ts";
import { type HttpServer, serveHttp } from "../../src/http/server.ts";

const TOKEN = "the-suite-sends-no-token-so-the-fixture-adds-it";
/** One red pixel, and a tenth of a second of silence. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=";

const text = (said: string) => ({ content: [{ type: "text" as const, text: said }] });
const resource = {
  type: "resource" as const,
  resource: { uri: "test://embedded-resource", mimeType: "text/plain", text: "This is an embedded resource content." },
};

function fixture(): McpServer {
  const server = new McpServer({ name: "lockyard-fixture", version: "1.0.0" }, { capabilities: { tools: {} } });
  const tool = (name: string, run: () => object) =>
    server.registerTool(name, { description: name }, async () => run() as ReturnType<typeof text>); // what each scenario asks for
  tool("test_simple_text", () => text("This is a simple text response for testing."));
  tool("test_image_content", () => ({ content: [{ type: "image", data: PNG, mimeType: "image/png" }] }));
  tool("test_audio_content", () => ({ content: [{ type: "audio", data: WAV, mimeType: "audio/wav" }] }));
  tool("test_embedded_resource", () => ({ content: [resource] }));
  tool("test_multiple_content_types", () => ({
    content: [
      { type: "text", text: "Multiple content types test:" },
      { type: "image", data: PNG, mimeType: "image/png" },
      {
        ...resource,
        resource: {
          uri: "test://mixed-content-resource",
          mimeType: "application/json",
          text: '{"test":"data","value":123}',
        },
      },
    ],
  }));
  tool("test_error_handling", () => ({
    ...text("This tool intentionally returns an error for testing"),
    isError: true,
  }));
  server.registerTool("test_tool_with_progress", { description: "progress" }, async ({ mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken === undefined) continue;
      const params = { progressToken, progress, total: 100, message: `Completed step ${progress} of 100` };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return text(String(progressToken));
  });
  server.registerTool(
    "json_schema_2020_12_tool",
    { description: "schema", inputSchema: z.object({ name: z.string().optional() }) },
    async () => text("ok"),
  );
  return server;
}

/** Our gate judges everything; only the token, which the suite cannot send, is added to what it judges. */
export function serveFixture(): Promise<HttpServer> {
  const handler = createMcpHandler(fixture);
  return serveHttp({
    port: 0,
    gateFor: (port) => {
      const gate = gateFor({ port, token: TOKEN });
      return (request) => gate({ ...request, headers: { ...request.headers, authorization: [`Bearer ${TOKEN}`] } });
    },
    routes: { "/mcp": (request) => handler.fetch(request) },
    onBug: (error) => {
      throw error;
    },
  });
}
