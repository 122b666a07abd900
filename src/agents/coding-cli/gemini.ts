/** Gemini CLI: `gemini -o stream-json`. */

import { BOUNDS } from "../../core/bounds.ts";
import type { JsonObject } from "../../core/task.ts";
import type { Account, Dialect, Notice } from "./dialect.ts";
import { at, countAt, eventIn, numberAt, textAt } from "./json.ts";
import { named } from "./tool-line.ts";

const MODES = { plan: "plan", edits: "auto_edit", full: "yolo" } as const;

export const gemini: Dialect = {
  title: "Gemini CLI",
  program: "gemini",
  install: "npm install -g @google/gemini-cli",
  passes: ["GEMINI_*", "GOOGLE_*", "CLOUDSDK_*"],
  keepsTo: () => "words",
  hasCostLimit: false,
  // It starts itself a second time, and only a signal to both ends it.
  polite: [],
  argv: ({ model, permissions, args }) => [
    ...["-o", "stream-json", "--approval-mode", MODES[permissions], "--skip-trust"],
    ...(model === undefined ? [] : ["-m", model]),
    ...args,
  ],
  hear: (event, account) => {
    switch (textAt(event, "type")) {
      case "message":
        return heardMessage(event, account);
      case "tool_use":
        // What was said before a tool is not the answer.
        account.text = "";
        return { kind: "doing", text: named(textAt(event, "tool_name"), at(event, "parameters")) };
      case "result":
        heardResult(event, account);
        return undefined;
      default:
        return undefined;
    }
  },
};

function heardMessage(event: JsonObject, account: Account): Notice | undefined {
  const text = textAt(event, "content");
  if (textAt(event, "role") !== "assistant" || text === "") return undefined;
  // It comes in pieces.
  account.text = `${account.text}${text}`.slice(0, BOUNDS.contextBytes);
  return { kind: "said", text };
}

function heardResult(event: JsonObject, account: Account): void {
  account.isOver = true;
  account.inputTokens = countAt(event, "stats", "input_tokens");
  account.outputTokens = countAt(event, "stats", "output_tokens");
  if (textAt(event, "status") === "success") return;
  const message = textAt(event, "error", "message");
  // `[API Error: {"error":{"code":429,…}}]`
  const sent = eventIn(/^\[API Error: (\{.*\})\]$/s.exec(message)?.[1] ?? "");
  account.failure = {
    message: textAt(sent, "error", "message") || message || "it ended with an error",
    status: numberAt(sent, "error", "code"),
  };
}
