/** Responses, as Codex speaks it, and chat completions, as opencode does. */
import { type Dialect, event, field, lastRun, list, type Reply, roundsOf, text, textOf, toolNames } from "./script.ts";

const MODELS = { object: "list", data: [{ id: "lab", object: "model" }], models: [] };
const failure = (status: number) => ({ error: { type: `scripted_${status}`, message: `scripted ${status}` } });
const other = (_method: string, path: string) => (path.endsWith("/models") ? MODELS : undefined);

const CALLS = new Set(["function_call", "custom_tool_call", "local_shell_call"]);
const OUTPUTS = new Set(["function_call_output", "custom_tool_call_output", "local_shell_call_output"]);
const USAGE = {
  input_tokens: 100,
  input_tokens_details: { cached_tokens: 0 },
  output_tokens: 20,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: 120,
};

export const responses: Dialect = {
  parse: (path, body) => {
    if (!path.endsWith("/responses")) return undefined;
    const items = list(field(body, "input"));
    const typeOf = (item: unknown) => text(field(item, "type"));
    return {
      round: roundsOf(items, (item) => CALLS.has(typeOf(item))),
      results: lastRun(items, (item) => OUTPUTS.has(typeOf(item))).map((item) => ({
        id: text(field(item, "call_id")),
        text: textOf(field(item, "output")) || JSON.stringify(field(item, "output")),
        isError: false,
      })),
      said: saidIn(items),
      system: text(field(body, "instructions")),
      tools: toolNames(field(body, "tools")),
      model: text(field(body, "model")),
      streams: true,
    };
  },
  other,
  stream: (reply) => [
    event("response.created", { response: { id: `resp_${reply.id}` } }),
    ...itemsOf(reply).map((item, index) => event("response.output_item.done", { output_index: index, item })),
    event("response.completed", { response: { id: `resp_${reply.id}`, usage: USAGE } }),
  ],
  whole: (reply) => ({ id: `resp_${reply.id}`, object: "response", output: itemsOf(reply), usage: USAGE }),
  failure,
};

/** `apply_patch` is a tool of free text in this protocol; all others take JSON. */
function itemsOf(reply: Reply): readonly object[] {
  const calls = reply.calls.map(({ id, server, tool, input }) => {
    if (tool === "apply_patch") return { type: "custom_tool_call", id: `ct_${id}`, call_id: id, name: tool, input };
    const namespace = server === undefined ? {} : { namespace: `mcp__${server}` };
    const args = JSON.stringify(input);
    return { type: "function_call", id: `fc_${id}`, call_id: id, name: tool, ...namespace, arguments: args };
  });
  if (reply.text === "") return calls;
  const content = [{ type: "output_text", text: reply.text }];
  return [{ type: "message", role: "assistant", id: reply.id, content }, ...calls];
}

export const chat: Dialect = {
  parse: (path, body) => {
    if (!path.endsWith("/chat/completions")) return undefined;
    const messages = list(field(body, "messages"));
    return {
      round: messages.filter((message) => list(field(message, "tool_calls")).length > 0).length,
      results: lastRun(messages, (message) => field(message, "role") === "tool").map((message) => ({
        id: text(field(message, "tool_call_id")),
        text: textOf(field(message, "content")),
        isError: false,
      })),
      said: saidIn(messages),
      system: textOf(field(messages[0], "content")),
      tools: toolNames(field(body, "tools")),
      model: text(field(body, "model")),
      streams: field(body, "stream") === true,
    };
  },
  other,
  stream: (reply, asked) => {
    const chunk = { id: reply.id, object: "chat.completion.chunk", created: 1, model: asked.model };
    const choice = (delta: object, reason: string | null) => [{ index: 0, delta, finish_reason: reason }];
    return [
      data({ ...chunk, choices: choice(messageOf(reply), null) }),
      data({ ...chunk, choices: choice({}, reasonOf(reply)), usage: CHAT_USAGE }),
      "data: [DONE]\n\n",
    ];
  },
  whole: (reply, asked) => ({
    id: reply.id,
    object: "chat.completion",
    created: 1,
    model: asked.model,
    choices: [{ index: 0, message: messageOf(reply), finish_reason: reasonOf(reply) }],
    usage: CHAT_USAGE,
  }),
  failure,
};

const CHAT_USAGE = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };

function messageOf(reply: Reply): object {
  const calls = reply.calls.map(({ id, server, tool, input }, index) => {
    const name = server === undefined ? tool : `${server}_${tool}`;
    return { index, id, type: "function", function: { name, arguments: JSON.stringify(input) } };
  });
  return { role: "assistant", content: reply.text, ...(calls.length > 0 ? { tool_calls: calls } : {}) };
}

function reasonOf(reply: Reply): string {
  return reply.calls.length > 0 ? "tool_calls" : "stop";
}

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function saidIn(messages: readonly unknown[]): string {
  const user = messages.filter((message) => field(message, "role") === "user");
  return user.map((message) => textOf(field(message, "content"))).join("\n");
}
