import fs from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

test("hooks come with one line, are shown, and go without a trace", async () => {
  const here = directory();
  const settings = '{\n  // mine\n  "model": "opus"\n}\n';
  here.write(".claude/settings.json", settings);
  const dry = await here.run(["hooks", "install", "claude", "--dry-run"]);
  expect(dry).toMatchObject({ code: 0, stderr: "" });
  expect(dry.stdout).toMatch(
    /settings\.json would change:\n {4}\{\n {6}\/\/ mine\n {2}- {3}"model": "opus"\n {2}\+ {3}"model": "opus",\n/,
  );
  expect(here.read(".claude/settings.json")).toBe(settings);

  const done = await here.run(["hooks", "install", "claude"]);
  expect(done.stdout).toContain(
    "Claude Code is guarded from its next session on. Undo: lockyard hooks remove claude\n",
  );
  const installed = here.read(".claude/settings.json");
  expect(installed).toContain("// mine");
  expect(installed).toContain("bin/lockyard.js hook claude");
  expect(installed).toContain(fs.realpathSync(process.execPath));
  expect((await here.run(["hooks", "install", "claude"])).stdout).toBe(
    "Claude Code is there already; nothing changes.\n",
  );

  const status = await here.run(["hooks", "status"]);
  expect(status).toMatchObject({ code: 0, stderr: "" });
  expect(status.stdout).toContain(
    `Claude Code: guarded (${join(here.path, ".claude/settings.json")}); no session seen yet\n`,
  );

  await here.run(["hooks", "remove", "claude"]);
  expect(here.read(".claude/settings.json")).toBe(settings);
  expect((await here.run(["hooks", "remove", "claude"])).stdout).toBe("Claude Code has no hooks of Lockyard.\n");
});

test("every host at once, for one repository, as JSON", async () => {
  const here = directory();
  const names = ["claude", "codex", "gemini", "opencode"];
  const { code, stdout } = await here.run(["hooks", "install", ...names, "--project", "--json"]);
  expect(code).toBe(0);
  const told = JSON.parse(stdout) as { hosts: { host: string; changes: { path: string }[] }[] };
  expect(told.hosts.map(({ host }) => host)).toEqual(names);
  expect(told.hosts.flatMap(({ changes }) => changes.map(({ path }) => path.slice(here.path.length + 1)))).toEqual([
    ".claude/settings.local.json",
    ".codex/hooks.json",
    ".gemini/settings.json",
    ".opencode/plugin/lockyard.js",
  ]);
  await here.run(["hooks", "remove", ...names]);
  expect(fs.readdirSync(here.path).filter((name) => name.startsWith(".") && name !== ".local")).toEqual([]);
});

test("a broken file is told with its place, and nothing changes", async () => {
  const here = directory();
  here.write(".gemini/settings.json", '{\n  "a": 1\n  "b": 2\n}');
  const { code, stderr } = await here.run(["hooks", "install", "gemini"]);
  expect(code).toBe(2);
  expect(stderr).toContain(".gemini/settings.json:3:3 comma expected. Nothing was changed.");
  expect(here.read(".gemini/settings.json")).toBe('{\n  "a": 1\n  "b": 2\n}');
  const status = await here.run(["hooks", "status"]);
  expect(status.code).toBe(1);
  expect(status.stdout).toContain("Gemini CLI: its settings cannot be read:");
});

test("with ifBroken: fail, an edit is refused when Lockyard is gone", async () => {
  const here = directory();
  here.write(".config/lockyard/config.yaml", "ifBroken: fail\n");
  await here.run(["hooks", "install", "claude"]);
  expect(here.read(".claude/settings.json")).toContain("exit 2");
});

test("a pause is told, and over when it is ended", async () => {
  const here = directory();
  expect((await here.run(["hooks", "pause", "30m"])).stdout).toBe(
    "Hooks pass for 30m, in every session of yours. Back on: lockyard hooks resume\n",
  );
  expect((await here.run(["hooks", "status"])).stdout).toMatch(/Paused for another (?:30m|29m\d\ds)\./);
  expect((await here.run(["hooks", "resume"])).stdout).toBe("Hooks work again.\n");
  expect((await here.run(["hooks", "resume"])).stdout).toBe("Hooks were not paused.\n");
});

test.each([
  [["hooks", "install"], "Which host?"],
  [["hooks", "install", "cluade"], 'No host named "cluade".'],
  [["hooks", "pause", "soon"], '"soon" is no time.'],
  [["hooks", "instal"], "instal"],
])("lockyard %j says what is wrong", async (args, text) => {
  const here = directory();
  const { code, stderr } = await here.run(args);
  expect(code).toBe(2);
  expect(stderr).toContain(text);
});
