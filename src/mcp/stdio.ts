/** On standard input and output: one host, which is gone when its end of the pipe is. */
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio";
import { BOUNDS } from "../edges/basics.ts";
import { mcpServer, type ServerOptions } from "./server.ts";

/** Serves until the host is gone or `signal` aborts. */
export async function serveOnStdio(options: ServerOptions, signal: AbortSignal): Promise<void> {
  const transport = new StdioServerTransport(process.stdin, process.stdout, { maxBufferSize: BOUNDS.mcpMessageBytes });
  let leave: () => void = () => undefined;
  const gone = new Promise<void>((resolve) => {
    leave = resolve;
  });
  process.stdin.once("end", leave).once("close", leave).once("error", leave);
  process.stdout.once("error", leave);
  signal.addEventListener("abort", leave, { once: true });
  if (signal.aborted) leave();
  const handle = serveStdio(() => mcpServer(options), { transport, onerror: () => undefined });
  try {
    await gone;
  } finally {
    signal.removeEventListener("abort", leave);
    await handle.close();
  }
}
