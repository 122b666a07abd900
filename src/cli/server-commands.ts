/** The commands that serve others: mcp. See program.ts. */
import { InvalidArgumentError } from "commander";
import type { ControlWiring } from "./control-commands.ts";
import type { CommonOptions } from "./surroundings.ts";

export interface McpOptions extends CommonOptions {
  readonly locks?: boolean;
  readonly hooks?: boolean;
  readonly http?: boolean;
  readonly port: number;
}

/** Where it listens when nobody says otherwise. */
const PORT = 7340;

export function addServerCommands({ surroundings, done, command, example }: ControlWiring): void {
  command("mcp", "serve tasks to an AI host over the Model Context Protocol, on standard input and output")
    .option("--http", "serve over HTTP on 127.0.0.1 instead, to whoever has the token; until it is interrupted")
    .option("--port <n>", "of --http; 0 for any free one", port, PORT)
    .option("--locks", "also offer acquire_locks and release_locks, for hosts without hooks")
    .option("--hooks", "also answer hooks of Claude Code that call the tool `hook`, without a process for each")
    .addHelpText(
      "after",
      `${example(["claude mcp add lockyard -- lockyard mcp", "codex mcp add lockyard -- lockyard mcp", "lockyard mcp --http"])}

It ends with its host, and everything that was started through it ends with it.`,
    )
    .action(async (options: McpOptions) => {
      const { mcpCommand } = await import("./commands/mcp.ts");
      done(await mcpCommand(options, surroundings));
    });
}

function port(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number <= 65_535) return number;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}
