/** Claude Code: `claude -p --output-format stream-json`. */
import type { JsonObject } from "../../core/task.ts";
import type { Account, Dialect, Notice } from "./dialect.ts";
import { at, countAt, listAt, numberAt, textAt } from "./json.ts";
import { named } from "./tool-line.ts";

const MODES = { plan: "plan", edits: "acceptEdits", full: "bypassPermissions" } as const;

export const claudeCode: Dialect = {
  title: "Claude Code",
  program: "claude",
  install: "npm install -g @anthropic-ai/claude-code",
  // Not CLAUDECODE and its like: they say that we run inside one, and it would refuse to start.
  passes: [
    "ANTHROPIC_*",
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_*",
    "CLAUDE_CODE_SKIP_*",
    "CLAUDE_CODE_MAX_*",
    "CLAUDE_CODE_DISABLE_*",
    "CLAUDE_CODE_SUBAGENT_MODEL",
    "AWS_*",
    "GOOGLE_*",
    "CLOUD_ML_REGION",
    "VERTEX_REGION_*",
    "API_TIMEOUT_MS",
    "BASH_DEFAULT_TIMEOUT_MS",
    "BASH_MAX_TIMEOUT_MS",
    "MAX_THINKING_TOKENS",
    "MCP_*",
    "DISABLE_*",
    "IS_SANDBOX",
  ],
  keepsTo: () => "text",
  hasCostLimit: true,
  // It ends the turn, and says what it has cost so far.
  polite: ["SIGINT"],
  argv: ({ model, permissions, maxCostUsd, schema, args }) => [
    "-p",
    ...["--output-format", "stream-json", "--verbose", "--permission-mode", MODES[permissions]],
    ...(model === undefined ? [] : ["--model", model]),
    ...(maxCostUsd === undefined ? [] : ["--max-budget-usd", String(maxCostUsd)]),
    ...(schema === undefined ? [] : ["--json-schema", JSON.stringify(schema)]),
    ...args,
  ],
  hear: (event, account) => {
    switch (textAt(event, "type")) {
      case "system":
        return heardSystem(event, account);
      case "assistant":
        return heardMessage(event, account);
      case "result":
        return heardResult(event, account);
      default:
        return undefined;
    }
  },
};

function heardSystem(event: JsonObject, account: Account): Notice | undefined {
  const session = textAt(event, "session_id");
  if (session !== "") account.resume = `claude --resume ${session}`;
  if (textAt(event, "subtype") !== "api_retry") return undefined;
  const status = numberAt(event, "error_status");
  return { kind: "retrying", text: `asks its provider again (${status ?? textAt(event, "error")})` };
}

function heardMessage(event: JsonObject, account: Account): Notice | undefined {
  const parts = listAt(event, "message", "content");
  const text = parts.map((part) => (textAt(part, "type") === "text" ? textAt(part, "text") : "")).join("");
  // What a subagent says is not the answer.
  const isOwn = at(event, "parent_tool_use_id") === null || at(event, "parent_tool_use_id") === undefined;
  if (text !== "" && isOwn) account.text = text;
  const call = parts.find((part) => textAt(part, "type") === "tool_use");
  if (call !== undefined) return { kind: "doing", text: named(textAt(call, "name"), at(call, "input")) };
  return text === "" ? undefined : { kind: "said", text };
}

function heardResult(event: JsonObject, account: Account): undefined {
  const models = Object.values((at(event, "modelUsage") ?? {}) as Record<string, unknown>);
  const sum = (...names: readonly string[]) =>
    models.reduce<number>((total, model) => total + names.reduce((part, name) => part + countAt(model, name), 0), 0);
  account.inputTokens = sum("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens");
  account.outputTokens = sum("outputTokens");
  account.costUsd = numberAt(event, "total_cost_usd");
  for (const denial of listAt(event, "permission_denials")) {
    account.denied.push(named(textAt(denial, "tool_name"), at(denial, "tool_input")));
  }
  const subtype = textAt(event, "subtype");
  const said = textAt(event, "result");
  account.isOver = true;
  // `success` with `is_error` is how it tells of a provider that failed.
  if (subtype === "success" && at(event, "is_error") !== true) {
    account.failure = undefined;
    account.structured = at(event, "structured_output") as Account["structured"]; // of a parsed line
    if (said !== "") account.text = said;
    return;
  }
  const errors = listAt(event, "errors").filter((error) => typeof error === "string");
  account.failure = {
    message: said || errors.join("; ") || (REASONS[subtype] ?? `it ended with ${subtype || "an error"}`),
    status: numberAt(event, "api_error_status"),
  };
}

const REASONS: Readonly<Record<string, string>> = {
  error_max_turns: "it reached its limit of turns",
  error_max_budget_usd: "it reached the cost it was allowed",
  error_max_structured_output_retries: "it did not manage to answer in the shape that was asked for",
};
