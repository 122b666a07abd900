/** `lockyard mcp`: tasks and locks for AI hosts, until the host is gone. */
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import { chooseStore } from "../../config/store-choice.ts";
import { errorCode, stateDirectory, systemClock } from "../../edges/basics.ts";
import { randomPart, readToken } from "../../edges/run.ts";
import type { Clock, JsonObject } from "../../index.ts";
import type { ServerOptions } from "../../mcp/server.ts";
import type { Tool, Tooling } from "../../mcp/tool.ts";
import { fittingNode, isFitting, runUnder } from "../exec/fitting-node.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { ServerDesk } from "../mcp/desk.ts";
import type { McpOptions } from "../server-commands.ts";
import { runStore } from "../store/run-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { version } from "../version.ts";

/** What a supervisor or a closed terminal sends; a host that ends says it by the pipe as well. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export async function mcpCommand(options: McpOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { env, cwd, err } = surroundings;
  if (!isFitting(process.versions.node)) {
    const better = await fittingNode(env);
    if (better !== null) return (await runUnder(better.program)) === 0 ? EXIT.ok : EXIT.failed;
  }
  const clock = systemClock();
  const choice = chooseStore(options.store, { env, cwd });
  const say = (line: string) => err.line(line);
  const desk = new ServerDesk({
    cwd,
    env,
    clock,
    storeFor: ({ store: kept }: Config) => runStore({ choice, kept, say }),
    inside: readToken(env),
  });
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  for (const signal of ENDING) process.on(signal, onSignal);
  const door = await openDoor(options, surroundings, clock);
  try {
    const newMark = () => `=== ${randomPart(() => clock.random())} ===`;
    const tools = [...(await toolsFor(options, { desk, clock, newMark })), ...door.tools];
    const serving = { version: version(), tools, onBug: (error: unknown) => tellBug(error, surroundings) };
    if (options.http === true) {
      await serveOverHttp(serving, { port: options.port, signal: stop.signal, surroundings });
    } else {
      const { serveOnStdio } = await import("../../mcp/stdio.ts");
      await serveOnStdio(serving, stop.signal);
    }
    return EXIT.ok;
  } finally {
    await Promise.all([desk.close(), door.close()]);
    for (const signal of ENDING) process.removeListener(signal, onSignal);
  }
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

async function toolsFor({ locks }: McpOptions, tooling: Tooling): Promise<readonly Tool[]> {
  const { taskTools } = await import("../../mcp/tools.ts");
  if (locks !== true) return taskTools(tooling);
  const { lockTools } = await import("../../mcp/locks.ts");
  return [...taskTools(tooling), ...lockTools(tooling)];
}

interface OpenDoor {
  readonly tools: readonly Tool[];
  close(): Promise<void>;
}

/** The door for hooks, when somebody asked for it. */
async function openDoor({ hooks }: McpOptions, { env, cwd }: Surroundings, clock: Clock): Promise<OpenDoor> {
  if (hooks !== true) return { tools: [], close: async () => undefined };
  const [{ hookDoor }, { hookTool }] = await Promise.all([import("../../hooks/door.ts"), import("../../mcp/hook.ts")]);
  const door = hookDoor({ env, cwd, clock });
  // Made of texts and lists of texts by whoever answers.
  const answer = async (payload: Readonly<Record<string, unknown>>) =>
    (await door.answer(payload)) as JsonObject | null;
  return { tools: [hookTool(answer)], close: () => door.close() };
}

/** The host hears of it as well; on standard error it has its stack. */
function tellBug(error: unknown, { err }: Surroundings): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.line(`lockyard mcp: ${errorCode(error) ?? "BUG"} ${text}`);
}
