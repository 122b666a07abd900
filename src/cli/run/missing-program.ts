import { missingAcpAgent, missingCodingCli } from "../../edges/run.ts";
import type { PlanAgent } from "../../plan/plan.ts";

/** What an agent needs that is not installed here, and how to get it; undefined when nothing is missing. */
export function missingProgram({ kind, env, command }: PlanAgent): ReturnType<typeof missingCodingCli> {
  switch (kind) {
    case "claude-code":
    case "codex":
    case "gemini":
    case "opencode":
      return missingCodingCli(kind, env.PATH ?? process.env.PATH);
    case "command":
    case "thread":
      return undefined;
    case "acp":
      return command !== undefined && "argv" in command
        ? missingAcpAgent(command.argv, env.PATH ?? process.env.PATH)
        : undefined;
  }
}
