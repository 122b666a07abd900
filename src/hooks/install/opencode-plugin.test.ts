import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { isPlugin, pluginText, programOfPlugin } from "./opencode-plugin.ts";

type Hook = (input: unknown, output?: unknown) => Promise<void>;

let home = "";
const toasts: string[] = [];
const program = () => ({ node: join(home, 'no"de'), script: join(home, "lockyard.js") });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lockyard-plugin-"));
  toasts.length = 0;
  // Keeps what it was asked, and answers what it is told to.
  const script = `#!/bin/sh\necho "$2 $3" >> "${home}/asked"; cat >> "${home}/asked"; echo >> "${home}/asked"; cat "${home}/answer" 2>/dev/null\n`;
  writeFileSync(program().node, script);
  chmodSync(program().node, 0o755);
  writeFileSync(program().script, "");
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(home, { recursive: true, force: true });
});

let loads = 0;

async function plugin(ifGone: "pass" | "refuse" = "pass"): Promise<Record<string, Hook>> {
  // Modules are remembered by their address.
  const file = join(home, `plugin-${loads++}.mjs`);
  writeFileSync(file, pluginText({ program: program(), ifGone }));
  const loaded = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    Lockyard: (host: unknown) => Promise<Record<string, Hook>>;
  };
  const showToast = ({ body }: { body: { message: string } }) => Promise.resolve(toasts.push(body.message));
  return await loaded.Lockyard({ directory: "/repo", client: { tui: { showToast } } });
}

const answer = (value: unknown) => writeFileSync(join(home, "answer"), JSON.stringify(value));
const asked = () => readFileSync(join(home, "asked"), "utf8").trim().split("\n");
const EDIT = { tool: "edit", sessionID: "s1", callID: "c1" };

test("an edit is asked about, and goes its way when there is nothing to say", async () => {
  const hooks = await plugin();
  const args = { filePath: "/repo/a.ts" };
  await hooks["tool.execute.before"]?.(EDIT, { args });
  const [words, call = ""] = asked();
  expect(words).toBe("hook opencode");
  expect(JSON.parse(call)).toEqual({
    hook_event_name: "tool.execute.before",
    session_id: "s1",
    cwd: "/repo",
    tool_name: "edit",
    tool_use_id: "c1",
    tool_input: args,
  });
  expect(toasts).toEqual([]);
});

test("a refusal is thrown, a rewrite is taken over, a note is shown", async () => {
  const hooks = await plugin();
  answer({ decision: "deny", reason: "Read it again." });
  await expect(hooks["tool.execute.before"]?.(EDIT, { args: {} })).rejects.toThrow("Read it again.");
  answer({ tool_input: { command: "lockyard exec -- npm test" }, systemMessage: "It waited." });
  const output = { args: { command: "npm test", description: "x" } };
  await hooks["tool.execute.before"]?.({ ...EDIT, tool: "bash" }, output);
  expect(output.args).toEqual({ command: "lockyard exec -- npm test", description: "x" });
  expect(toasts).toEqual(["It waited."]);
});

test("a subagent is one of its session", async () => {
  const hooks = await plugin();
  const created = (info: object) => ({ event: { type: "session.created", properties: { info } } });
  await hooks.event?.(created({ id: "s1" }));
  await hooks.event?.(created({ id: "s2", parentID: "s1" }));
  await hooks["chat.message"]?.({ sessionID: "s2" }, { parts: [{ type: "text", text: "sub" }] });
  await hooks["chat.message"]?.(
    { sessionID: "s1" },
    { parts: [{ type: "text", text: "fix login" }, { type: "file" }] },
  );
  await hooks["tool.execute.after"]?.({ ...EDIT, sessionID: "s2", args: { filePath: "/repo/a" } });
  await hooks.event?.({ event: { type: "session.idle", properties: { sessionID: "s2" } } });
  const calls = asked()
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(
    calls.map(({ hook_event_name, session_id, agent_id, prompt }) => [hook_event_name, session_id, agent_id, prompt]),
  ).toEqual([
    ["session.created", "s1", undefined, undefined],
    ["chat.message", "s1", undefined, "fix login"],
    ["tool.execute.after", "s1", "s2", undefined],
    ["session.idle", "s1", "s2", undefined],
  ]);
});

test("an answer that is none, or a Lockyard that is gone, stops nothing", async () => {
  const hooks = await plugin();
  writeFileSync(join(home, "answer"), "{ half");
  await hooks["tool.execute.before"]?.(EDIT, { args: {} });
  rmSync(program().script);
  expect(await plugin()).toEqual({});
  expect(toasts.join()).toContain("Lockyard is gone");
});

test("one that was installed to refuse does so when it is gone, but lets read", async () => {
  rmSync(program().script);
  const hooks = await plugin("refuse");
  await expect(hooks["tool.execute.before"]?.(EDIT, { args: {} })).rejects.toThrow("Lockyard is gone");
  await hooks["tool.execute.before"]?.({ ...EDIT, tool: "read" }, { args: {} });
});

test("LOCKYARD=off leaves it without hooks", async () => {
  vi.stubEnv("LOCKYARD", "off");
  expect(await plugin()).toEqual({});
});

test("a plugin of ours is known again, and what it starts", () => {
  const text = pluginText({ program: program(), ifGone: "pass" });
  expect(isPlugin(text)).toBe(true);
  expect(isPlugin("export const Mine = 1;")).toBe(false);
  expect(programOfPlugin(text)).toEqual(program());
});
