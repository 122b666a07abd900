/** Codex: `codex exec --json`. */
import { BOUNDS } from "../../core/bounds.ts";
import type { JsonObject } from "../../core/task.ts";
import type { Account, Dialect, Failure, Notice } from "./dialect.ts";
import { at, countAt, eventIn, listAt, textAt } from "./json.ts";
import { named, oneLine } from "./tool-line.ts";

const SANDBOXES = { plan: "read-only", edits: "workspace-write", full: "danger-full-access" } as const;

export const codex: Dialect = {
  title: "Codex",
  program: "codex",
  install: "npm install -g @openai/codex",
  passes: ["CODEX_HOME", "CODEX_API_KEY", "OPENAI_*", "AZURE_OPENAI_*"],
  keepsTo: (schema) => (isStrict(schema) ? "file" : "words"),
  hasCostLimit: false,
  // By TERM it would leave its shells behind.
  polite: ["SIGINT"],
  argv: ({ model, permissions, schemaFile, args }) => [
    ...["exec", "--json", "--skip-git-repo-check", "--color", "never"],
    // Nobody is there to be asked: what the sandbox refuses stays refused.
    ...["-c", 'approval_policy="never"', "-s", SANDBOXES[permissions]],
    ...(model === undefined ? [] : ["-m", model]),
    ...(schemaFile === undefined ? [] : ["--output-schema", schemaFile]),
    ...args,
    "-",
  ],
  hear: (event, account) => {
    switch (textAt(event, "type")) {
      case "thread.started":
        account.resume = `codex exec resume ${textAt(event, "thread_id")}`;
        return undefined;
      case "item.started":
      case "item.completed":
        return heardItem(event, account);
      case "turn.completed":
        account.isOver = true;
        account.failure = undefined;
        account.inputTokens = countAt(event, "usage", "input_tokens");
        account.outputTokens = countAt(event, "usage", "output_tokens");
        return undefined;
      case "turn.failed":
        account.failure = failureIn(textAt(event, "error", "message"));
        return undefined;
      case "error":
        return heardError(textAt(event, "message"), account);
      default:
        return undefined;
    }
  },
};

function heardItem(event: JsonObject, account: Account): Notice | undefined {
  const { item } = event;
  const isDone = textAt(event, "type") === "item.completed";
  switch (textAt(item, "type")) {
    case "agent_message":
      account.text = textAt(item, "text");
      return isDone ? { kind: "said", text: account.text } : undefined;
    case "command_execution":
      return isDone ? undefined : { kind: "doing", text: named("shell", item) };
    case "file_change": {
      const files = listAt(item, "changes").map((change) => textAt(change, "path"));
      return isDone ? { kind: "doing", text: oneLine(`patch ${files.join(" ")}`) } : undefined;
    }
    case "mcp_tool_call":
      return isDone ? undefined : { kind: "doing", text: oneLine(`${textAt(item, "server")} ${textAt(item, "tool")}`) };
    default:
      // An item of type error is a warning.
      return undefined;
  }
}

function heardError(message: string, account: Account): Notice | undefined {
  if (message.startsWith("Reconnecting")) return { kind: "retrying", text: oneLine(message) };
  account.failure ??= failureIn(message);
  return undefined;
}

/** What a request was refused with comes as it was sent, JSON in a text; all else in words, after it asked again. */
function failureIn(message: string): Failure {
  const sent = eventIn(message);
  if (sent !== undefined)
    return { message: textAt(sent, "error", "message") || textAt(sent, "detail") || message, status: 400 };
  const status = /status:? (\d{3})\b/.exec(message)?.[1];
  return {
    message: message || "its turn failed without a reason",
    ...(status === undefined ? undefined : { status: Number(status) }),
  };
}

/** Its provider takes only objects that name and require all they may hold; others it refuses altogether. */
function isStrict(schema: unknown, depth = 0): boolean {
  if (depth > BOUNDS.contextDepth) return false;
  if (Array.isArray(schema)) return schema.every((part) => isStrict(part, depth + 1));
  if (typeof schema !== "object" || schema === null) return true;
  const properties = at(schema, "properties");
  if (typeof properties === "object" && properties !== null) {
    const required = new Set(listAt(schema, "required"));
    if (!Object.keys(properties).every((name) => required.has(name))) return false;
  }
  if (at(schema, "type") === "object" && at(schema, "additionalProperties") !== false) return false;
  return Object.values(schema).every((part) => isStrict(part, depth + 1));
}
