import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { hookCommand, isHookCommand, programOf, type WhenGone } from "./hook-command.ts";

let home = "";
const program = () => ({ node: join(home, "it's node"), script: join(home, "lockyard.js") });

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "lockyard-command-"));
  mkdirSync(home, { recursive: true });
  writeFileSync(program().node, '#!/bin/sh\nshift\nprintf "%s|" "$@"; cat; exit 7\n');
  chmodSync(program().node, 0o755);
  writeFileSync(program().script, "");
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function run(whenGone: WhenGone, { shell = "sh", env = {} }: { shell?: string; env?: Record<string, string> } = {}) {
  const command = hookCommand("claude", { program: program(), whenGone });
  const { stdout, stderr, status } = spawnSync(shell, ["-c", command], {
    input: "call",
    encoding: "utf8",
    env: { PATH: process.env.PATH, HOME: home, ...env },
  });
  return { stdout, stderr, status };
}

test.each(["sh", "bash"])("it hands the call to our script, and its answer to the host (%s)", (shell) => {
  expect(run("pass", { shell })).toEqual({ stdout: "hook|claude|call", stderr: "", status: 7 });
});

test("LOCKYARD=off passes without starting anything", () => {
  expect(run("refuse", { env: { LOCKYARD: "off" } })).toEqual({ stdout: "", stderr: "", status: 0 });
});

test.each(["node", "script"] as const)("without its %s it passes, tells or refuses, as it was written to", (what) => {
  rmSync(program()[what]);
  expect(run("pass")).toEqual({ stdout: "", stderr: "", status: 0 });
  const told = run("tell");
  expect(told.status).toBe(0);
  expect(JSON.parse(told.stdout)).toEqual({
    systemMessage:
      "Lockyard is gone from where it was installed: edits are not guarded. Install it again: lockyard hooks install claude",
  });
  expect(run("refuse")).toMatchObject({
    stdout: "",
    status: 2,
    stderr: expect.stringContaining("hooks install claude"),
  });
});

test("a command of ours is known again, and whose it is", () => {
  const command = hookCommand("codex", { program: program(), whenGone: "pass" });
  expect(isHookCommand(command, "codex")).toBe(true);
  expect(isHookCommand(command, "claude")).toBe(false);
  expect(isHookCommand("lockyard hook codex", "codex")).toBe(false);
  expect(isHookCommand(7, "codex")).toBe(false);
  expect(programOf(command)).toEqual(program());
});
