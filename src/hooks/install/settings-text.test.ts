import { expect, test } from "vitest";
import type { HostName } from "../hook-call.ts";
import { commandsIn, type HookWish, hasHooks, withHooks, withoutHooks } from "./settings-text.ts";

const PROGRAM = { node: "/opt/node 24/bin/node", script: "/usr/lib/it's/lockyard/bin/lockyard.js" };

function wish(host: HostName = "claude", more: Partial<HookWish> = {}): HookWish {
  return { host, program: PROGRAM, ifGone: "pass", ...more };
}

const install = (text: string, wished = wish()) => withHooks(text, { wish: wished, file: "settings.json" });
const remove = (text: string, host: HostName = "claude") => withoutHooks(text, { host, file: "settings.json" });

const FULL = `{
  // The model that I like.
  "model": "opus", /* for now */
  "hooks": {
    "PreToolUse": [
      { "matcher": "Bash", "hooks": [{ "type": "command", "command": "my-guard" }] }, // mine
    ],
    "Stop": [],
  },
  "unknownKey": { "of": ["another", "version"] },
}
`;

test.each([
  ["nothing", ""],
  ["an empty object", "{}"],
  ["comments and unknown keys", FULL],
  [
    "one line",
    '{"model":"opus","hooks":{"PreToolUse":[{"matcher":"Bash","hooks":[{"type":"command","command":"x"}]}]}}',
  ],
  ["tabs", '{\n\t"model": "opus"\n}\n'],
  ["a mark at the beginning", '\uFEFF{\n  "model": "opus"\n}\n'],
  ["a mark alone", "\uFEFF"],
  ["lines that end with CR and LF", '{\r\n    "model": "opus"\r\n}\r\n'],
])("%s: hooks come, once, and go", (_, text) => {
  const installed = install(text);
  expect(commandsIn(installed, { host: "claude", file: "f" })).toHaveLength(10);
  expect(hasHooks(installed, { wish: wish(), file: "f" })).toBe(true);
  expect(install(installed)).toBe(installed);
  expect(installed.startsWith("\uFEFF")).toBe(text.startsWith("\uFEFF"));
  expect(/[^\r]\n/.test(installed)).toBe(!text.includes("\r") && !text.startsWith('{"'));
  for (const line of text.split("\n").filter((each) => /\/\/|\/\*|unknown|my-guard/.test(each))) {
    expect(installed).toContain(line.trim().replace(/,$/, ""));
  }
  const removed = remove(installed);
  expect(commandsIn(removed, { host: "claude", file: "f" })).toEqual([]);
  expect(remove(removed)).toBe(removed);
  for (const part of ["// The model that I like.", "/* for now */", "// mine", "my-guard", "unknownKey"])
    expect(removed.includes(part)).toBe(text.includes(part));
});

test("another Node, or another answer when it is gone, takes the place of the old", () => {
  const old = install(FULL);
  const other = wish("claude", { program: { ...PROGRAM, node: "/other/node" }, ifGone: "refuse" });
  const fresh = install(old, other);
  expect(hasHooks(fresh, { wish: wish(), file: "f" })).toBe(false);
  expect(hasHooks(fresh, { wish: other, file: "f" })).toBe(true);
  expect(commandsIn(fresh, { host: "claude", file: "f" })).toHaveLength(10);
});

test("where an edit is refused when Lockyard is gone, Claude refuses what its hook does not answer", () => {
  const blocks = (ifGone: "pass" | "refuse") =>
    install("", wish("claude", { ifGone })).split('"onFailure": "block"').length - 1;
  expect([blocks("pass"), blocks("refuse")]).toEqual([0, 2]);
});

test("hooks of one host are not those of another", () => {
  const both = install(install(FULL), wish("gemini"));
  expect(commandsIn(both, { host: "gemini", file: "f" })).toHaveLength(8);
  expect(commandsIn(remove(both, "gemini"), { host: "claude", file: "f" })).toHaveLength(10);
});

test("ours is taken out of a list that somebody put more into", () => {
  const [command = ""] = commandsIn(install(""), { host: "claude", file: "f" });
  const text = JSON.stringify({
    hooks: {
      Stop: [
        {
          hooks: [
            { type: "command", command },
            { type: "command", command: "theirs" },
          ],
        },
      ],
    },
  });
  expect(JSON.parse(remove(text))).toEqual({ hooks: { Stop: [{ hooks: [{ type: "command", command: "theirs" }] }] } });
});

test.each([
  ["{", "settings.json:1:2 close brace expected"],
  ['{\n  "a": 1\n  "b": 2\n}', "settings.json:3:3 comma expected"],
  ["[]", "settings.json:1:1 it is no object"],
  ['{"hooks": []}', 'settings.json:1:11 "hooks" is no object'],
  ['{"hooks": {"Stop": {}}}', 'settings.json:1:20 "Stop" is no list'],
  ['{"hooks": {}, "hooks": {}}', 'settings.json:1:15 "hooks" stands there twice'],
])("%j is left untouched, and told", (text, message) => {
  for (const change of [install, remove]) {
    expect(() => change(text)).toThrow(
      expect.objectContaining({ code: "INVALID_CONFIG", message: `${message}. Nothing was changed.` }),
    );
  }
});

test("through the session's own server, each tool has a hook that names it, and the rest stays a process", () => {
  const through = wish("claude", { isThroughServer: true });
  const installed = install(FULL, through);
  expect(hasHooks(installed, { wish: through, file: "f" })).toBe(true);
  expect(hasHooks(installed, { wish: wish(), file: "f" })).toBe(false);
  const { hooks } = JSON.parse(install("", through)) as {
    hooks: Record<string, { matcher?: string; hooks: unknown[] }[]>;
  };
  expect(hooks.PreToolUse?.map(({ matcher }) => matcher)).toEqual([
    "Edit",
    "MultiEdit",
    "Write",
    "NotebookEdit",
    "Bash",
    "Read",
  ]);
  expect(hooks.PreToolUse?.[0]?.hooks).toEqual([
    {
      type: "mcp_tool",
      server: "lockyard",
      tool: "hook",
      input: {
        hook_event_name: "PreToolUse",
        tool_name: "Edit",
        session_id: "$" + "{session_id}",
        agent_id: "$" + "{agent_id}",
        tool_use_id: "$" + "{tool_use_id}",
        tool_input: "$" + "{tool_input}",
      },
      timeout: 60,
    },
  ]);
  expect(hooks.Stop?.[0]?.hooks).toMatchObject([{ type: "command" }]);
  // One way takes the place of the other, and nothing is left of either.
  expect(hasHooks(install(installed), { wish: wish(), file: "f" })).toBe(true);
  expect(remove(installed)).not.toContain("lockyard");
});
