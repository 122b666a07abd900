/** opencode: `opencode run --format json`. */
import type { JsonObject } from "../../core/task.ts";
import type { Account, Dialect, Permissions } from "./dialect.ts";
import { at, countAt, numberAt, textAt } from "./json.ts";
import { named } from "./tool-line.ts";

/** It has no words of its own for this but a configuration. */
const RULES: Readonly<Record<Permissions, Readonly<Record<string, string>>>> = {
  plan: { edit: "deny", bash: "deny" },
  edits: { edit: "allow", bash: "deny" },
  full: { edit: "allow", bash: "allow", webfetch: "allow", external_directory: "allow" },
};

export const opencode: Dialect = {
  title: "opencode",
  program: "opencode",
  install: "npm install -g opencode-ai",
  passes: [
    "OPENCODE_*",
    "ANTHROPIC_*",
    "OPENAI_*",
    "GEMINI_*",
    "GOOGLE_*",
    "AZURE_*",
    "AWS_*",
    "OPENROUTER_API_KEY",
    "DEEPSEEK_API_KEY",
    "GROQ_API_KEY",
    "MISTRAL_API_KEY",
    "XAI_API_KEY",
  ],
  keepsTo: () => "words",
  hasCostLimit: false,
  // The first one is not heard while a tool runs.
  polite: ["SIGINT", "SIGINT"],
  argv: ({ model, args }) => [
    ...["run", "--format", "json"],
    ...(model === undefined ? [] : ["--model", model]),
    ...args,
  ],
  env: ({ permissions }) => ({ OPENCODE_PERMISSION: JSON.stringify(RULES[permissions]) }),
  hear: (event, account) => {
    const part = at(event, "part");
    const session = textAt(event, "sessionID");
    if (session !== "") account.resume = `opencode --session ${session}`;
    switch (textAt(event, "type")) {
      case "step_start":
        account.isOver = false;
        return undefined;
      case "text":
        account.text = textAt(part, "text");
        return { kind: "said", text: account.text };
      case "tool_use":
        return { kind: "doing", text: named(textAt(part, "tool"), at(part, "state", "input")) };
      case "step_finish":
        heardStep(part, account);
        return undefined;
      case "error":
        heardError(event, account);
        return undefined;
      default:
        return undefined;
    }
  },
};

function heardStep(part: unknown, account: Account): void {
  const reason = textAt(part, "reason");
  account.isOver = reason === "stop";
  if (reason === "length") account.failure = { message: "it reached its limit of tokens" };
  account.inputTokens +=
    countAt(part, "tokens", "input") +
    countAt(part, "tokens", "cache", "read") +
    countAt(part, "tokens", "cache", "write");
  account.outputTokens += countAt(part, "tokens", "output") + countAt(part, "tokens", "reasoning");
  account.costUsd = (account.costUsd ?? 0) + countAt(part, "cost");
}

function heardError(event: JsonObject, account: Account): void {
  const error = at(event, "error");
  const after = Number(textAt(error, "data", "responseHeaders", "retry-after"));
  account.failure = {
    message: textAt(error, "data", "message") || textAt(error, "name") || "it ended with an error",
    status: numberAt(error, "data", "statusCode"),
    ...(after > 0 ? { retryAfterMs: after * 1_000 } : undefined),
  };
}
