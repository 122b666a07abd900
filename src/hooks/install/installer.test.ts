import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { HostName } from "../hook-call.ts";
import type { Scope } from "./host-settings.ts";
import { HOST_NAMES } from "./host-settings.ts";
import { HookInstaller } from "./installer.ts";

let base = "";
const at = (...parts: string[]) => join(base, ...parts);

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "lockyard-install-"));
  for (const folder of ["home", "repo", "bin"]) mkdirSync(at(folder));
  for (const name of ["node", "lockyard.js", "bin/claude"]) {
    writeFileSync(at(name), "");
    chmodSync(at(name), 0o755);
  }
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const program = () => ({ node: at("node"), script: at("lockyard.js") });

function installer() {
  return new HookInstaller({ env: { PATH: at("bin") }, home: at("home"), root: at("repo"), state: at("state") });
}

function install(host: HostName, { scope = "user" as Scope, node = at("node") } = {}): number {
  const changes = installer().install({ host, program: { ...program(), node }, ifGone: "pass" }, scope);
  for (const change of changes) installer().apply(change);
  return changes.length;
}

function remove(host: HostName): number {
  const changes = installer().remove(host);
  for (const change of changes) installer().apply(change);
  return changes.length;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Every file below the home and the repository, with its text. */
function tree(): Readonly<Record<string, string>> {
  const files = ["home", "repo"].flatMap((folder) =>
    readdirSync(at(folder), { recursive: true, withFileTypes: true }).map((entry) =>
      join(entry.parentPath, entry.name),
    ),
  );
  return Object.fromEntries(
    files.map((path) => [path, statSync(path).isFile() ? readFileSync(path, "utf8") : "directory"]),
  );
}

const cases = HOST_NAMES.flatMap((host) => (["user", "project"] as const).map((scope) => ({ host, scope })));

test.each(cases)("$host for the $scope: in, once, and out again without a trace", ({ host, scope }) => {
  const before = tree();
  expect(install(host, { scope })).toBe(host === "codex" && scope === "user" ? 2 : 1);
  expect(install(host, { scope })).toBe(0);
  const state = host === "codex" ? "untrusted" : "fits";
  expect(installer().status(host, program()).installed).toMatchObject([{ scope, state, program: program() }]);
  expect(remove(host)).toBeGreaterThan(0);
  expect(tree()).toEqual(before);
  expect(remove(host)).toBe(0);
});

const SETTINGS = '\uFEFF{\r\n\t"a": 1, // mine\r\n\t"hooks": {"Stop": []},\r\n}';

test.each<[HostName, string]>([
  ["claude", ".claude/settings.json"],
  ["gemini", ".gemini/settings.json"],
  ["codex", ".codex/hooks.json"],
])("a file of %s comes back byte for byte, after a second install with another Node, too", (host, name) => {
  write(at("home", name), SETTINGS);
  if (host === "codex") write(at("home", ".codex/config.toml"), 'model = "x"\n[tui]\na = 1');
  const before = tree();
  install(host);
  expect(tree()).not.toEqual(before);
  write(at("other", "node"), "");
  expect(install(host, { node: at("other", "node") })).toBe(1);
  expect(installer().status(host, program()).installed).toMatchObject([{ state: "other" }]);
  remove(host);
  expect(tree()).toEqual(before);
});

test("what somebody changed meanwhile stays", () => {
  const path = at("home/.claude/settings.json");
  write(path, '{\n  "a": 1\n}\n');
  install("claude");
  writeFileSync(path, readFileSync(path, "utf8").replace('"a": 1', '"a": 2'));
  expect(install("claude")).toBe(0);
  remove("claude");
  expect(readFileSync(path, "utf8")).toBe('{\n  "a": 2\n}\n');
});

test("a link stays a link, and rights stay rights", () => {
  const path = at("home/.claude/settings.json");
  write(at("dotfiles/claude.json"), "{}");
  chmodSync(at("dotfiles/claude.json"), 0o600);
  mkdirSync(dirname(path));
  symlinkSync(at("dotfiles/claude.json"), path);
  install("claude");
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(at("dotfiles/claude.json"), "utf8")).toContain("hook claude");
  remove("claude");
  expect(readFileSync(path, "utf8")).toBe("{}");
  expect(readdirSync(at("dotfiles"))).toEqual(["claude.json"]);
});

test("what is remembered is for the user's eyes only", () => {
  write(at("home/.claude/settings.json"), '{"env": {"SECRET": "x"}}');
  install("claude");
  for (const name of readdirSync(at("state/settings")))
    expect(statSync(at("state/settings", name)).mode & 0o777).toBe(0o600);
});

test("a file that changed between looking and writing is not written", () => {
  write(at("home/.claude/settings.json"), "{}");
  const [change] = installer().install({ host: "claude", program: program(), ifGone: "pass" }, "user");
  write(at("home/.claude/settings.json"), '{"a": 1}');
  expect(() => change && installer().apply(change)).toThrow(/changed meanwhile/);
  expect(readFileSync(at("home/.claude/settings.json"), "utf8")).toBe('{"a": 1}');
});

test("what cannot be read or written is told, and nothing is left behind", () => {
  mkdirSync(at("home/.claude/settings.json"), { recursive: true });
  expect(() => install("claude")).toThrow(/settings\.json cannot be read \(EISDIR\)\. Nothing was changed/);
  write(at("home/.gemini"), "a file");
  expect(() => install("gemini")).toThrow(/cannot be written \(EN?OTDIR|EEXIST\)/);
});

test("a broken file is left untouched, and status says what is wrong", () => {
  write(at("home/.claude/settings.json"), '{\n  "a": \n}');
  expect(() => install("claude")).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
  expect(() => remove("claude")).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
  expect(readFileSync(at("home/.claude/settings.json"), "utf8")).toBe('{\n  "a": \n}');
  const { installed, isFound } = installer().status("claude", program());
  expect(installed).toMatchObject([
    { state: "broken", fault: expect.stringContaining("settings.json:3:1 value expected") },
  ]);
  expect(isFound).toBe(true);
});

test("hooks whose Node or script is gone are told", () => {
  install("claude");
  rmSync(at("node"));
  expect(installer().status("claude", program()).installed).toMatchObject([{ state: "gone" }]);
  expect(installer().status("codex", program())).toMatchObject({ isFound: false, installed: [] });
});

test("a plugin that is not ours is not touched", () => {
  write(at("home/.config/opencode/plugin/lockyard.js"), "export const Mine = 1;\n");
  expect(() => install("opencode")).toThrow(/was not written by Lockyard/);
  expect(remove("opencode")).toBe(0);
});

test("a list of writable places that is there already is the user's to change", () => {
  write(at("home/.codex/config.toml"), '[sandbox_workspace_write]\nwritable_roots = ["/x"]\n');
  expect(install("codex")).toBe(1);
  expect(installer().notes("codex").join(" ")).toContain(`add "${at("state")}" to writable_roots`);
  write(at("home/.codex/config.toml"), `[sandbox_workspace_write]\nwritable_roots = ["/x", "${at("state")}"]\n`);
  expect(installer().notes("codex").join(" ")).not.toContain("writable_roots");
  expect(existsSync(at("home/.codex/hooks.json"))).toBe(true);
});

test("Codex counts as guarded when it trusts every hook of the file", () => {
  install("codex");
  const path = at("home/.codex/hooks.json");
  const trust = (count: number, more = "") =>
    Array.from(
      { length: count },
      (_, i) => `[hooks.state."${path}:event_${i}:0:0"]\ntrusted_hash = "sha256:00"\n${more}`,
    ).join("\n");
  const stateWith = (config: string) => {
    write(at("home/.codex/config.toml"), config);
    return installer().status("codex", program()).installed[0]?.state;
  };
  expect(stateWith('model = "x"\n')).toBe("untrusted");
  expect(stateWith(trust(7))).toBe("untrusted");
  expect(stateWith(trust(8))).toBe("fits");
  expect(stateWith(trust(8, "enabled = false\n"))).toBe("untrusted");
  expect(stateWith(trust(8).replaceAll(path, "/other/hooks.json"))).toBe("untrusted");
});
