/** What real hosts were seen to send, one of each kind: every sample is understood, or is known to be none of ours. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { HookCall } from "../hook-call.ts";
import { hookHost } from "./hosts.ts";

const SAMPLES = new URL("../../../test/hosts/samples/", import.meta.url);

function calls(folder: string, host: string): Readonly<Record<string, HookCall | null>> {
  const directory = new URL(`${folder}/`, SAMPLES);
  const names = readdirSync(directory).filter((name) => name.endsWith(".json"));
  return Object.fromEntries(
    names.map((name) => [
      name.replace(".json", ""),
      hookHost(host)?.read(JSON.parse(readFileSync(new URL(name, directory), "utf8")), "/here") ?? null,
    ]),
  );
}

const brief = (call: HookCall | null | undefined) =>
  call && [call.event, call.tool, call.subagent !== null, ...call.paths.map((path) => path.split("/").at(-1))];

test("Claude Code 2.1.331", () => {
  const seen = calls("claude-code-2.1.331", "claude");
  expect(brief(seen["PreToolUse-Edit-subagent"])).toEqual(["before", "edit", true, "b.txt"]);
  expect(brief(seen["PostToolUse-Write"])?.slice(0, 3)).toEqual(["after", "write", false]);
  expect(brief(seen["PreToolUse-Read"])?.slice(0, 3)).toEqual(["before", "read", false]);
  expect(brief(seen["SubagentStop-subagent"])).toEqual(["turn-end", "other", true]);
  expect(brief(seen.Stop)).toEqual(["turn-end", "other", false]);
  expect(brief(seen["PreToolUse-Agent"])).toEqual(["before", "other", false]);
  expect(seen["PostToolUseFailure-Bash"]).toMatchObject({ event: "after", tool: "shell", hasFailed: true });
  expect(seen.UserPromptSubmit?.prompt).toEqual(expect.any(String));
  expect(Object.entries(seen).flatMap(([name, call]) => (call === null ? [name] : []))).toEqual([
    "SubagentStart-subagent",
  ]);
});

test("Codex 0.169.0", () => {
  const seen = calls("codex-0.169.0", "codex");
  expect(brief(seen["PreToolUse-apply_patch"])).toEqual(["before", "edit", false, "a.txt", "new2.txt"]);
  expect(brief(seen["PostToolUse-apply_patch"])?.slice(0, 2)).toEqual(["after", "edit"]);
  expect(seen["PreToolUse-Bash"]).toMatchObject({ tool: "shell", command: expect.any(String) });
  expect(Object.values(seen)).not.toContain(null);
});

test("Gemini CLI 0.61.0", () => {
  const seen = calls("gemini-cli-0.61.0", "gemini");
  expect(brief(seen["BeforeTool-replace"])).toEqual(["before", "edit", false, "a.txt"]);
  expect(brief(seen["AfterTool-write_file"])?.slice(0, 2)).toEqual(["after", "write"]);
  expect(seen["AfterTool-replace"]?.hasFailed).toBe(false);
  expect(brief(seen["BeforeTool-read_file"])).toEqual(["before", "read", false, "a.txt"]);
  expect(seen["BeforeTool-run_shell_command"]).toMatchObject({ tool: "shell", command: expect.any(String) });
  expect(seen.BeforeAgent).toMatchObject({ event: "turn-start", prompt: expect.any(String) });
});
