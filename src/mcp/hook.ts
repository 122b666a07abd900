/** The tool that hooks of Claude Code call on the session's own server. For the host, not for its model. */
import type { JsonObject } from "../index.ts";
import { hookPayload } from "./schemas.ts";
import { defineTool, type Tool } from "./tool.ts";

/** Answers a hook's payload; null when there is nothing to say. */
export type AnswerHook = (payload: Readonly<Record<string, unknown>>) => Promise<JsonObject | null>;

export function hookTool(answer: AnswerHook): Tool {
  return defineTool({
    name: "hook",
    title: "For hooks",
    description: "Called by the hooks of this host. Never call it yourself.",
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    input: hookPayload,
    run: async (given) => {
      const told = (await answer(payloadOf(given))) ?? {};
      // The host reads the text as it reads the output of a process.
      return { structured: told, text: JSON.stringify(told) };
    },
  });
}

/** As a process would get it: placeholders of the host that it did not know stay as they are written, and mean nothing. */
function payloadOf(given: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  const known = Object.entries(given).filter(([, value]) => value !== "" && !/^\$\{[^}]*\}$/.test(value));
  const payload: Record<string, unknown> = Object.fromEntries(known);
  if (typeof payload.tool_input === "string") payload.tool_input = parsed(payload.tool_input);
  return payload;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What it is about cannot be told: the desk has nothing to say to a tool without a file.
    return {};
  }
}
