/** The commands that serve others: mcp. See program.ts. */
import type { ControlWiring } from "./control-commands.ts";
import type { CommonOptions } from "./surroundings.ts";

export interface McpOptions extends CommonOptions {
  readonly locks?: boolean;
}

export function addServerCommands({ surroundings, done, command, example }: ControlWiring): void {
  command("mcp", "serve tasks to an AI host over the Model Context Protocol, on standard input and output")
    .option("--locks", "also offer acquire_locks and release_locks, for hosts without hooks")
    .addHelpText(
      "after",
      `${example(["claude mcp add lockyard -- lockyard mcp", "codex mcp add lockyard -- lockyard mcp"])}

It ends with its host, and everything that was started through it ends with it.`,
    )
    .action(async (options: McpOptions) => {
      const { mcpCommand } = await import("./commands/mcp.ts");
      done(await mcpCommand(options, surroundings));
    });
}
