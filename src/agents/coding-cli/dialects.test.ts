/** What real command lines printed (Claude Code 2.1.331, Codex 0.169.0, Gemini CLI 0.61.0, opencode 1.18.33), shortened. */
import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../core/task.ts";
import { type CodingCli, newAccount, type Wish } from "./dialect.ts";
import { DIALECTS } from "./dialects.ts";
import { passedNames } from "./environment.ts";
import { jsonInAnswer } from "./json.ts";

function heard(kind: CodingCli, events: readonly JsonObject[]) {
  const account = newAccount();
  const notices = events.map((event) => DIALECTS[kind].hear(event, account));
  return { account, notices: notices.filter((notice) => notice !== undefined).map(({ kind, text }) => [kind, text]) };
}

const WISH: Wish = {
  model: "some-model",
  permissions: "edits",
  maxCostUsd: undefined,
  schema: undefined,
  schemaFile: undefined,
  args: ["--more"],
};

describe("Claude Code", () => {
  const result = (more: JsonObject): JsonObject => ({
    type: "result",
    subtype: "success",
    is_error: false,
    result: "Finished.",
    total_cost_usd: 0.0016,
    modelUsage: {
      opus: { inputTokens: 200, outputTokens: 40, cacheReadInputTokens: 7, cacheCreationInputTokens: 3, costUSD: 1 },
      haiku: { inputTokens: 10, outputTokens: 2 },
    },
    permission_denials: [],
    ...more,
  });

  test("a turn that ends well: its answer, what it did, all its models' tokens, its cost, how to go on", () => {
    const { account, notices } = heard("claude-code", [
      { type: "system", subtype: "init", session_id: "s-1" },
      { type: "assistant", message: { content: [{ type: "text", text: "working" }] }, parent_tool_use_id: null },
      {
        type: "assistant",
        message: { content: [{ type: "tool_use", name: "Write", input: { file_path: "/r/new.txt", content: "x" } }] },
      },
      { type: "user", message: { role: "user", content: [{ type: "tool_result", content: "created" }] } },
      { type: "assistant", message: { content: [{ type: "text", text: "aside" }] }, parent_tool_use_id: "toolu_1" },
      result({}),
    ]);
    expect(account).toMatchObject({
      text: "Finished.",
      isOver: true,
      inputTokens: 220,
      outputTokens: 42,
      costUsd: 0.0016,
      resume: "claude --resume s-1",
      failure: undefined,
    });
    expect(notices.slice(0, 2)).toEqual([
      ["said", "working"],
      ["doing", "Write /r/new.txt"],
    ]);
  });

  test("a failed provider is a failure, although it calls it a success", () => {
    const said = "API Error: Request rejected (429)";
    const { account, notices } = heard("claude-code", [
      { type: "system", subtype: "api_retry", attempt: 1, retry_delay_ms: 1_044, error_status: 429 },
      result({ is_error: true, api_error_status: 429, result: said }),
    ]);
    expect(account.failure).toEqual({ message: said, status: 429 });
    expect(notices).toEqual([["retrying", "asks its provider again (429)"]]);
  });

  test("an answer in the shape that was asked for, and what it was not allowed", () => {
    const denial = { tool_name: "Bash", tool_input: { command: "rm -rf /" } };
    const { account } = heard("claude-code", [
      result({ structured_output: { n: 3 }, result: '{"n":3}', permission_denials: [denial] }),
    ]);
    expect(account.structured).toEqual({ n: 3 });
    expect(account.denied).toEqual(["Bash rm -rf /"]);
  });

  test("limits of turns and of cost are failures with a reason", () => {
    const limited = (subtype: string) => heard("claude-code", [result({ subtype, result: null })]).account.failure;
    expect(limited("error_max_turns")?.message).toBe("it reached its limit of turns");
    expect(limited("error_max_budget_usd")?.message).toBe("it reached the cost it was allowed");
    expect(limited("error_of_later_versions")?.message).toBe("it ended with error_of_later_versions");
  });

  test("how it is started", () => {
    const argv = DIALECTS["claude-code"].argv({ ...WISH, maxCostUsd: 2, schema: { type: "object" } });
    const line =
      '-p --output-format stream-json --verbose --permission-mode acceptEdits --model some-model --max-budget-usd 2 --json-schema {"type":"object"} --more';
    expect(argv.join(" ")).toBe(line);
  });
});

describe("Codex", () => {
  const item = (type: string, more: JsonObject): JsonObject => ({ type: "item.completed", item: { type, ...more } });

  test("a turn that ends well; an item of type error is a warning", () => {
    const { account, notices } = heard("codex", [
      { type: "thread.started", thread_id: "t-1" },
      item("error", { message: "Model metadata for `lab` not found." }),
      { type: "turn.started" },
      { type: "item.started", item: { type: "command_execution", command: "/bin/bash -lc 'echo x'" } },
      item("command_execution", { command: "/bin/bash -lc 'echo x'", exit_code: 0 }),
      item("file_change", { changes: [{ path: "b.txt", kind: "add" }] }),
      item("agent_message", { text: "Finished." }),
      { type: "turn.completed", usage: { input_tokens: 200, cached_input_tokens: 50, output_tokens: 40 } },
    ]);
    expect(account).toMatchObject({ text: "Finished.", isOver: true, inputTokens: 200, outputTokens: 40 });
    expect(account.failure).toBeUndefined();
    expect(account.costUsd).toBeUndefined();
    expect(account.resume).toBe("codex exec resume t-1");
    expect(notices).toEqual([
      ["doing", "shell /bin/bash -lc 'echo x'"],
      ["doing", "patch b.txt"],
      ["said", "Finished."],
    ]);
  });

  test("what its provider said is taken out of the JSON it came in, with its status", () => {
    const sent = JSON.stringify({ error: { type: "invalid", message: "no such model" } });
    const failed = { type: "turn.failed", error: { message: sent } };
    expect(heard("codex", [{ type: "error", message: sent }, failed]).account.failure).toEqual({
      message: "no such model",
      status: 400,
    });
    const message = "exceeded retry limit, last status: 429 Too Many Requests";
    expect(heard("codex", [{ type: "turn.failed", error: { message } }]).account.failure?.status).toBe(429);
    const refused = "unexpected status 401 Unauthorized: no key";
    expect(heard("codex", [{ type: "error", message: refused }]).account.failure?.status).toBe(401);
  });

  test("reconnecting is told, and forgotten when the turn ends well after all", () => {
    const { account, notices } = heard("codex", [
      { type: "error", message: "Reconnecting... 1/2 (429 Too Many Requests)" },
      { type: "error", message: "stream disconnected" },
      { type: "turn.completed", usage: {} },
    ]);
    expect(notices).toEqual([["retrying", "Reconnecting... 1/2 (429 Too Many Requests)"]]);
    expect(account.failure).toBeUndefined();
  });

  test("only a schema its provider takes is handed to it", () => {
    const strict: JsonObject = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
    expect(DIALECTS.codex.keepsTo({ ...strict, additionalProperties: false })).toBe("file");
    expect(DIALECTS.codex.keepsTo(strict)).toBe("words");
    expect(DIALECTS.codex.keepsTo({ ...strict, additionalProperties: false, required: [] })).toBe("words");
  });

  test("how it is started: nobody is asked, the prompt comes on stdin", () => {
    expect(DIALECTS.codex.argv({ ...WISH, schemaFile: "/s.json" }).join(" ")).toBe(
      'exec --json --skip-git-repo-check --color never -c approval_policy="never" -s workspace-write -m some-model --output-schema /s.json --more -',
    );
  });
});

describe("Gemini CLI", () => {
  const say = (content: string): JsonObject => ({ type: "message", role: "assistant", content, delta: true });

  test("the answer is what it says after its last tool, in pieces", () => {
    const { account, notices } = heard("gemini", [
      { type: "init", session_id: "g" },
      { type: "message", role: "user", content: "go" },
      say("working"),
      { type: "tool_use", tool_name: "write_file", parameters: { file_path: "/r/new.txt", content: "x" } },
      { type: "tool_result", status: "success" },
      say("Fini"),
      say("shed."),
      { type: "result", status: "success", stats: { total_tokens: 240, input_tokens: 200, output_tokens: 40 } },
    ]);
    expect(account).toMatchObject({ text: "Finished.", isOver: true, inputTokens: 200, outputTokens: 40 });
    expect(notices[1]).toEqual(["doing", "write_file /r/new.txt"]);
  });

  test("an error of its provider is told with its code", () => {
    const message = '[API Error: {"error":{"code":429,"message":"slow down","status":"RESOURCE_EXHAUSTED"}}]';
    const { account } = heard("gemini", [{ type: "result", status: "error", error: { type: "unknown", message } }]);
    expect(account.failure).toEqual({ message: "slow down", status: 429 });
  });
});

describe("opencode", () => {
  const step = (reason: string): JsonObject => ({
    type: "step_finish",
    sessionID: "ses_1",
    part: { reason, tokens: { input: 100, output: 20, reasoning: 1, cache: { read: 5, write: 2 } }, cost: 0.25 },
  });

  test("tokens and cost of all steps; it is over with the step that stops", () => {
    const events: JsonObject[] = [
      { type: "step_start", sessionID: "ses_1", part: {} },
      { type: "tool_use", part: { tool: "write", state: { input: { filePath: "/r/new.txt" } } } },
      step("tool-calls"),
    ];
    expect(heard("opencode", events).account.isOver).toBe(false);
    const { account } = heard("opencode", [...events, { type: "text", part: { text: "Finished." } }, step("stop")]);
    expect(account).toMatchObject({
      text: "Finished.",
      isOver: true,
      inputTokens: 214,
      outputTokens: 42,
      costUsd: 0.5,
      resume: "opencode --session ses_1",
    });
  });

  test("an error of its provider is told with its status and how long to wait", () => {
    const data = { message: "slow down", statusCode: 429, responseHeaders: { "retry-after": "3" } };
    const { account } = heard("opencode", [{ type: "error", error: { name: "APIError", data } }]);
    expect(account.failure).toEqual({ message: "slow down", status: 429, retryAfterMs: 3_000 });
  });

  test("what it may do is told by a variable", () => {
    expect(DIALECTS.opencode.env?.({ ...WISH, permissions: "plan" })).toEqual({
      OPENCODE_PERMISSION: '{"edit":"deny","bash":"deny"}',
    });
  });
});

test("events of later versions, and broken ones, change nothing", () => {
  const strange: JsonObject[] = [
    {},
    { type: 7 },
    { type: "result", modelUsage: 3, permission_denials: "x", usage: null },
    { type: "assistant", message: { content: [null, 3, { type: "text" }] } },
    { type: "item.completed", item: null },
    { type: "turn.completed" },
    { type: "step_finish", part: [] },
    { type: "message", role: "assistant", content: { a: 1 } },
    { type: "error", message: null },
  ];
  for (const kind of Object.keys(DIALECTS) as CodingCli[]) {
    const { account } = heard(kind, strange);
    expect(account.inputTokens + account.outputTokens).toBe(0);
  }
});

test("a coding agent gets the keys and proxies it needs, not the rest, and not what says that we run inside one", () => {
  const names = ["ANTHROPIC_API_KEY", "HTTPS_PROXY", "CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT", "DATABASE_PASSWORD"];
  const env = Object.fromEntries(names.map((name) => [name, "x"]));
  expect(passedNames(DIALECTS["claude-code"], env)).toEqual(["ANTHROPIC_API_KEY", "HTTPS_PROXY"]);
});

test("JSON is found in an answer that is only JSON, and in its last fence", () => {
  expect(jsonInAnswer('{"n":1}')).toEqual({ n: 1 });
  expect(jsonInAnswer('Here:\n```json\n{"n":1}\n```\nor rather\n```\n{"n":2}\n```\n')).toEqual({ n: 2 });
  expect(jsonInAnswer("nothing of the kind")).toBeUndefined();
});
