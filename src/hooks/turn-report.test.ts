import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../clock/system-clock.ts";
import { withoutFiles } from "../config/without-files.ts";
import { ownIdentity } from "../process/identity.ts";
import { openMemoryStore } from "../stores/memory/memory-store.ts";
import { HookDesk } from "./desk.ts";
import { realDisk } from "./files.ts";
import type { HookAnswer, HookCall } from "./hook-call.ts";

let base = "";
let repo = "";
const clock = systemClock();
let store = openMemoryStore({ clock });

beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-turn-")));
  repo = join(base, "main");
  store = openMemoryStore({ clock });
  mkdirSync(repo);
  git("init", "-q", "-b", "main");
  for (const name of ["src/a.ts", "src/b.ts", "src/c.ts"]) put(name, "1\n");
  git("add", ".");
  git("-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "first");
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

function git(...args: string[]): void {
  execFileSync("git", args, { cwd: repo });
}

function put(name: string, text: string): void {
  mkdirSync(dirname(join(repo, name)), { recursive: true });
  writeFileSync(join(repo, name), text);
  // Whatever the file system's clock thinks, it was after the hook.
  const later = clock.wallMs() / 1_000 + 5;
  utimesSync(join(repo, name), later, later);
}

function call(session: string, over: Partial<HookCall>): Promise<HookAnswer> {
  const desk = new HookDesk({
    store,
    clock,
    disk: realDisk(),
    inside: null,
    hostProcess: ownIdentity,
    configFor: async (cwd) => withoutFiles(cwd, { cores: 4, workspace: "w" }),
    lockyard: () => ["lockyard"],
    home: null,
  });
  return desk.decide({
    host: "claude",
    event: "before",
    session,
    subagent: null,
    cwd: repo,
    tool: "other",
    paths: [],
    command: null,
    prompt: null,
    toolUseId: null,
    asksAfterwards: false,
    input: {},
    hasFailed: false,
    ...over,
  });
}

async function edit(session: string, path: string, text: string): Promise<HookAnswer> {
  const answer = await call(session, { tool: "edit", paths: [path] });
  writeFileSync(path, text);
  await call(session, { event: "after", tool: "edit", paths: [path] });
  return answer;
}

test("what shell commands changed and no edit told of is told once, at the end of the turn", async () => {
  await call("two", { event: "turn-start", prompt: "add pagination" });
  await call("two", { tool: "read", paths: [join(repo, "src/b.ts")] });
  await call("one", { event: "turn-start", prompt: "fix login" });
  expect(await call("one", { tool: "shell", command: "./generate" })).toEqual({ type: "pass", note: null });
  put("src/b.ts", "2\n");
  put("src/new.ts", "2\n");
  await edit("one", join(repo, "src/a.ts"), "2\n");
  expect(await call("one", { event: "turn-end" })).toEqual({
    type: "pass",
    note: 'lockyard: shell commands of this turn changed what no edit told of: src/b.ts (seen by "add pagination"), src/new.ts. Nobody who works on it was asked.',
  });
  expect(await call("one", { event: "turn-end" })).toEqual({ type: "pass", note: null });
});

test("a turn without shell commands reports nothing, nor does one whose commands were recognised", async () => {
  await call("one", { event: "turn-start" });
  put("src/b.ts", "2\n");
  expect(await call("one", { event: "turn-end" })).toEqual({ type: "pass", note: null });
  await call("one", { event: "turn-start" });
  await call("one", { tool: "shell", command: "sed -i s/1/3/ src/c.ts" });
  put("src/c.ts", "3\n");
  utimesSync(join(repo, "src/b.ts"), 1, 1);
  expect(await call("one", { event: "turn-end" })).toEqual({ type: "pass", note: null });
});

test("a file that is changed in another worktree, too, is mentioned once to the second editor", async () => {
  const other = join(base, "other");
  git("worktree", "add", "-q", other);
  expect(readFileSync(join(other, "src/a.ts"), "utf8")).toBe("1\n");
  await call("one", { event: "turn-start", prompt: "fix login", cwd: other });
  const first = await call("one", { tool: "edit", paths: [join(other, "src/a.ts")], cwd: other });
  writeFileSync(join(other, "src/a.ts"), "2\n");
  await call("one", { event: "after", tool: "edit", paths: [join(other, "src/a.ts")], cwd: other });
  expect(first).toEqual({ type: "pass", note: null });
  expect(await edit("two", join(repo, "src/a.ts"), "3\n")).toEqual({
    type: "pass",
    note: `lockyard: src/a.ts is also changed in another worktree, by "fix login" in ${other}. Nothing is locked; expect to merge.`,
  });
  expect(await edit("two", join(repo, "src/a.ts"), "4\n")).toEqual({ type: "pass", note: null });
  expect(await edit("two", join(repo, "src/b.ts"), "4\n")).toEqual({ type: "pass", note: null });
});
