/** Messages, as Claude Code speaks it. */
import {
  type Asked,
  type Dialect,
  event,
  field,
  lastRun,
  list,
  type Reply,
  text,
  textOf,
  toolNames,
} from "./script.ts";

const USAGE = { input_tokens: 100, output_tokens: 20, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 };

export const anthropic: Dialect = {
  parse: (path, body) => {
    if (!path.endsWith("/v1/messages")) return undefined;
    const messages = list(field(body, "messages"));
    const partsOf = (message: unknown, type: string) =>
      list(field(message, "content")).filter((part) => field(part, "type") === type);
    return {
      round: messages.filter((message) => partsOf(message, "tool_use").length > 0).length,
      // What hooks add comes in further messages behind the results.
      results: lastRun(messages, (message) => field(message, "role") !== "assistant")
        .flatMap((message) => partsOf(message, "tool_result"))
        .map((part) => ({
          id: text(field(part, "tool_use_id")),
          text: textOf(field(part, "content")),
          isError: field(part, "is_error") === true,
        })),
      said: messages
        .filter((message) => field(message, "role") === "user")
        .map((message) => textOf(field(message, "content")))
        .join("\n"),
      system: textOf(field(body, "system")),
      tools: toolNames(field(body, "tools")),
      model: text(field(body, "model")),
      streams: field(body, "stream") === true,
    };
  },
  other: (method, path) => {
    if (path.endsWith("/count_tokens")) return { input_tokens: 100 };
    return method === "HEAD" ? {} : undefined;
  },
  stream: (reply, asked) => [
    event("message_start", {
      message: { ...shell(reply, asked), content: [], stop_reason: null, usage: { ...USAGE, output_tokens: 1 } },
    }),
    ...blocksOf(reply).flatMap((block, index) => [
      event("content_block_start", { index, content_block: emptied(block) }),
      event("content_block_delta", { index, delta: deltaOf(block) }),
      event("content_block_stop", { index }),
    ]),
    event("message_delta", {
      delta: { stop_reason: stopOf(reply), stop_sequence: null },
      usage: { output_tokens: USAGE.output_tokens },
    }),
    event("message_stop", {}),
  ],
  whole: (reply, asked) => ({
    ...shell(reply, asked),
    content: blocksOf(reply),
    stop_reason: stopOf(reply),
    usage: USAGE,
  }),
  failure: (status) => ({
    type: "error",
    error: { type: TYPES[status] ?? "api_error", message: `scripted ${status}` },
  }),
};

const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  429: "rate_limit_error",
  529: "overloaded_error",
};

type Block =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tool_use"; readonly id: string; readonly name: string; readonly input: unknown };

function shell({ id }: Reply, asked: Asked): object {
  return { id, type: "message", role: "assistant", model: asked.model, stop_sequence: null };
}

function blocksOf(reply: Reply): readonly Block[] {
  const calls = reply.calls.map(({ id, server, tool, input }): Block => {
    return { type: "tool_use", id, name: server === undefined ? tool : `mcp__${server}__${tool}`, input };
  });
  return reply.text === "" ? calls : [{ type: "text", text: reply.text }, ...calls];
}

function emptied(block: Block): object {
  return block.type === "text" ? { ...block, text: "" } : { ...block, input: {} };
}

function deltaOf(block: Block): object {
  return block.type === "text"
    ? { type: "text_delta", text: block.text }
    : { type: "input_json_delta", partial_json: JSON.stringify(block.input) };
}

function stopOf(reply: Reply): string {
  return reply.calls.length > 0 ? "tool_use" : "end_turn";
}
