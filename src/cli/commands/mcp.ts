/** `lockyard mcp`: tasks and locks for AI hosts, until the host is gone. */
import { join } from "node:path";
import { errorCode, stateDirectory, systemClock } from "../../edges/basics.ts";
import { newSecret } from "../../edges/http.ts";
import type { Door } from "../../hooks/door.ts";
import type { JsonObject } from "../../index.ts";
import type { ServerOptions } from "../../mcp/server.ts";
import type { Tool, Tooling } from "../../mcp/tool.ts";
import { isFitting } from "../exec/fitting-version.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import type { McpOptions } from "../server-commands.ts";
import type { Surroundings } from "../surroundings.ts";
import { version } from "../version.ts";

/** What a supervisor or a closed terminal sends; a host that ends says it by the pipe as well. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export async function mcpCommand(options: McpOptions, surroundings: Surroundings): Promise<ExitCode> {
  if (!isFitting(process.versions.node)) {
    const { fittingNode, runUnder } = await import("../exec/fitting-node.ts");
    const better = await fittingNode(surroundings.env);
    if (better !== null) return (await runUnder(better.program)) === 0 ? EXIT.ok : EXIT.failed;
  }
  const clock = systemClock();
  // A host waits for the list of tools; what does the work is loaded after that, or by the first call.
  const desk = once(async () => (await import("../mcp/open-desk.ts")).openDesk(options, surroundings, clock));
  const door = once(async () => (await import("../../hooks/door.ts")).hookDoor({ ...surroundings, clock }));
  const early = clock.setTimer(LOAD_MS, () => desk.get().catch(() => undefined), { background: true });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ENDING) process.on(signal, onSignal);
  try {
    const newMark = () => `=== ${newSecret().slice(0, 12)} ===`;
    const tools = await toolsFor(options, { desk: desk.get, clock, newMark }, door.get);
    const serving = { version: version(), tools, onBug: (error: unknown) => tellBug(error, surroundings) };
    if (options.http === true) {
      await serveOverHttp(serving, { port: options.port, signal: stop.signal, surroundings });
    } else {
      const { serveOnStdio } = await import("../../mcp/stdio.ts");
      await serveOnStdio(serving, stop.signal);
    }
    return EXIT.ok;
  } finally {
    early.cancel();
    await Promise.all([desk.close(), door.close()]);
    for (const signal of ENDING) process.removeListener(signal, onSignal);
  }
}

/** Milliseconds in which a host that just started us asks for the tools. */
const LOAD_MS = 500;

interface Closeable {
  close(): Promise<void>;
}

/** Made when first asked for, and closed if it was. */
function once<T extends Closeable>(make: () => Promise<T>): { readonly get: () => Promise<T>; close(): Promise<void> } {
  let made: Promise<T> | null = null;
  return {
    get: () => {
      made ??= make();
      return made;
    },
    close: async () => (await made)?.close(),
  };
}

interface HttpServing {
  readonly port: number;
  readonly signal: AbortSignal;
  readonly surroundings: Surroundings;
}

/** Until it is told to end. */
async function serveOverHttp(serving: ServerOptions, { port, signal, surroundings }: HttpServing): Promise<void> {
  const [{ serveHttp }, { gateFor }, { readOrMakeToken }, { mcpOverHttp }] = await Promise.all([
    import("../../http/server.ts"),
    import("../../http/gate.ts"),
    import("../../http/token-file.ts"),
    import("../../mcp/http.ts"),
  ]);
  const file = join(stateDirectory(), "http-token");
  const token = readOrMakeToken(file);
  const mcp = mcpOverHttp(serving);
  const server = await serveHttp({
    port,
    gateFor: (bound) => gateFor({ port: bound, token }),
    routes: { "/mcp": mcp.fetch },
    onBug: serving.onBug,
  });
  surroundings.err.line(
    `lockyard mcp: http://127.0.0.1:${server.port}/mcp (Authorization: Bearer …, the token is in ${file})`,
  );
  try {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  } finally {
    await mcp.close();
    await server.close();
  }
}

async function toolsFor(
  { locks, hooks }: McpOptions,
  tooling: Tooling,
  door: () => Promise<Door>,
): Promise<readonly Tool[]> {
  const { taskTools } = await import("../../mcp/tools.ts");
  const tools = [...taskTools(tooling)];
  if (locks === true) tools.push(...(await import("../../mcp/locks.ts")).lockTools(tooling));
  if (hooks !== true) return tools;
  const { hookTool } = await import("../../mcp/hook.ts");
  // Made of texts and lists of texts by whoever answers.
  tools.push(hookTool(async (payload) => (await (await door()).answer(payload)) as JsonObject | null));
  return tools;
}

/** The host hears of it as well; on standard error it has its stack. */
function tellBug(error: unknown, { err }: Surroundings): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.line(`lockyard mcp: ${errorCode(error) ?? "BUG"} ${text}`);
}
