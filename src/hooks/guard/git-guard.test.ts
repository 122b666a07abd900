import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { virtualClock } from "../../clock/virtual-clock.ts";
import type { FileVersion, Session } from "../../core/session-book.ts";
import { ownIdentity } from "../../process/identity.ts";
import { MemoryBook } from "../../stores/memory/memory-book.ts";
import { gitOf } from "../shell/git.ts";
import { readShell } from "../shell/read-shell.ts";
import { commitFinding } from "./commit-check.ts";
import { gitRefusal } from "./git-guard.ts";
import { liveSessions } from "./live-sessions.ts";
import { realGit } from "./uncommitted.ts";

let repo = "";
let book = new MemoryBook();
const clock = virtualClock();

beforeEach(() => {
  repo = realpathSync(mkdtempSync(join(tmpdir(), "lockyard-guard-")));
  book = new MemoryBook();
  git("init", "-q", "-b", "main");
  for (const name of ["src/a.ts", "src/b.ts", "docs/api.md"]) put(name, "1\n");
  git("add", ".");
  git("commit", "-qm", "first");
});
afterEach(() => rmSync(repo, { recursive: true, force: true }));

/** A second for each thing that is done: commits are told apart from edits by their time. */
let second = 1_800_000_000;

function git(...args: string[]): string {
  const date = `${++second} +0000`;
  const env = { ...process.env, GIT_COMMITTER_DATE: date, GIT_AUTHOR_DATE: date };
  return execFileSync("git", ["-c", "user.name=x", "-c", "user.email=x@x", ...args], {
    cwd: repo,
    encoding: "utf8",
    env,
  });
}

function put(name: string, text: string): void {
  mkdirSync(dirname(join(repo, name)), { recursive: true });
  writeFileSync(join(repo, name), text);
}

function session(id: string, over: Partial<Session> = {}): void {
  const process = ownIdentity();
  const place = { cwd: repo, root: repo, repository: "", branch: "main" };
  const times = { startedWallMs: 1, seenWallMs: clock.wallMs(), turnWallMs: 1, shellWallMs: 0 };
  const session: Session = {
    sessionId: id,
    host: "claude",
    name: id,
    hasPromptName: true,
    ...place,
    process,
    ...times,
    tellsReads: true,
    hasEnded: false,
    ...over,
  };
  book.write([{ type: "session", session }]);
}

let texts = 0;

/** A session edits a file, and the book knows. */
function edits(sessionId: string, name: string): void {
  put(name, `by ${sessionId}, ${++texts}\n`);
  const version: FileVersion = {
    sessionId,
    subagent: "",
    path: join(repo, name),
    hash: "x",
    lines: null,
    seenWallMs: 2,
    wroteHash: "x",
    wroteWallMs: ++second * 1_000,
    isPending: false,
  };
  book.write([{ type: "version", version }]);
}

function refusal(command: string, { by = "me", cwd = repo } = {}): Promise<string | null> {
  const reading = readShell(command, { cwd, home: null });
  if (reading === null) throw new Error("not readable");
  return gitRefusal(gitOf(reading), { book, git: realGit, sessionId: by, isLive: liveSessions(clock) });
}

test("what would discard the edits of others is refused, with their files and names", async () => {
  session("me");
  session("add pagination");
  session("docs");
  edits("me", "src/b.ts");
  edits("add pagination", "src/a.ts");
  expect(await refusal("git stash")).toBe(
    'Not run: git stash would discard uncommitted edits of another session: src/a.ts ("add pagination"). Commit yours by path, use a worktree, or ask the user.',
  );
  edits("docs", "docs/api.md");
  for (const command of [
    "git reset --hard",
    "git checkout -- .",
    "git restore .",
    "git stash -u",
    "git checkout -f main",
  ]) {
    expect(await refusal(command)).toMatch(
      /^Not run: git .* would discard uncommitted edits of 2 other sessions: (?=.*src\/a\.ts \("add pagination"\))(?=.*docs\/api\.md \("docs"\)).*\. Commit yours by path, use a worktree, or ask the user\.$/,
    );
  }
});

test("only what the command reaches counts", async () => {
  session("me");
  session("other");
  edits("other", "src/a.ts");
  expect(await refusal("git checkout -- src/b.ts")).toBeNull();
  expect(await refusal("git checkout -- docs")).toBeNull();
  expect(await refusal("git clean -fd")).toBeNull();
  expect(await refusal("git checkout -- src")).toContain("src/a.ts");
  expect(await refusal("cd src && git restore a.ts")).toContain("src/a.ts");
  expect(await refusal("git restore ../src/a.ts", { cwd: join(repo, "docs") })).toContain("src/a.ts");
  expect(await refusal('git checkout -- "$FILES"')).toMatch(/could discard .*Name the paths plainly, commit/);
  expect(await refusal("git stash list")).toBeNull();
});

test("new files are in danger of those who clean up, and of nobody else", async () => {
  session("me");
  session("other");
  edits("other", "src/new.ts");
  expect(await refusal("git reset --hard")).toBeNull();
  expect(await refusal("git stash")).toBeNull();
  expect(await refusal("git stash -u")).toContain("src/new.ts");
  expect(await refusal("git clean -fd")).toContain("src/new.ts");
  expect(await refusal("cd docs && git clean -fd")).toBeNull();
  git("add", "src/new.ts");
  expect(await refusal("git reset --hard")).toContain("src/new.ts");
});

test("what is committed, one's own, or of somebody who is gone, may go", async () => {
  session("me");
  session("other");
  edits("me", "src/a.ts");
  expect(await refusal("git reset --hard")).toBeNull();
  edits("other", "src/b.ts");
  git("commit", "-qam", "second");
  expect(await refusal("git reset --hard")).toBeNull();
  edits("other", "src/b.ts");
  expect(await refusal("git reset --hard", { by: "other" })).toBeNull();
  session("other", { hasEnded: true });
  expect(await refusal("git reset --hard")).toBeNull();
  session("other", { process: { ...ownIdentity(), startTime: 1 } });
  expect(await refusal("git reset --hard")).toBeNull();
  session("other", { process: null });
  expect(await refusal("git reset --hard")).toContain("src/b.ts");
  session("other", { process: null, seenWallMs: clock.wallMs() - 3_600_000 });
  expect(await refusal("git reset --hard")).toBeNull();
});

test("what differs after its author committed is somebody else's", async () => {
  session("me");
  session("other");
  edits("other", "src/a.ts");
  git("commit", "-qam", "second");
  edits("me", "src/a.ts");
  expect(await refusal("git reset --hard")).toBeNull();
  expect(await refusal("git reset --hard", { by: "other" })).toContain('src/a.ts ("me")');
});

function finding(by: string | null): Promise<string | null> {
  return commitFinding({
    book,
    git: realGit,
    sessionId: by,
    isLive: liveSessions(clock),
    directory: join(repo, "src"),
  });
}

test("a commit that takes along what another session works on is refused to sessions, and told people", async () => {
  session("me");
  session("other");
  edits("me", "src/b.ts");
  edits("other", "src/a.ts");
  git("add", "src/b.ts");
  expect(await finding("me")).toBeNull();
  git("add", ".");
  expect(await finding("me")).toBe(
    'Not committed: this commit takes along edits of another session that still works: src/a.ts ("other"). Commit yours by path, or ask the user.',
  );
  expect(await finding(null)).toBe(
    'Note: this commit takes along edits of 2 other sessions that still work: src/a.ts ("other"), src/b.ts ("me").',
  );
  session("other", { hasEnded: true });
  expect(await finding("me")).toBeNull();
});

test("each worktree is judged by itself", async () => {
  const tree = `${repo}-tree`;
  git("worktree", "add", "-q", tree);
  try {
    session("me");
    session("other");
    edits("other", "src/a.ts");
    expect(await refusal("git reset --hard", { cwd: tree })).toBeNull();
    expect(await refusal(`git -C ${repo} reset --hard`, { cwd: tree })).toContain("src/a.ts");
    writeFileSync(join(tree, "src/b.ts"), "edited");
    const version = {
      sessionId: "other",
      subagent: "",
      path: join(tree, "src/b.ts"),
      hash: "x",
      lines: null,
      seenWallMs: 3,
      wroteHash: "x",
      wroteWallMs: ++second * 1_000,
      isPending: false,
    };
    book.write([{ type: "version", version }]);
    expect(await refusal(`git worktree remove --force ${tree}`)).toContain("src/b.ts");
    expect(await refusal(`git worktree remove ${tree}`)).toBeNull();
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
});

test("a way through a link leads to the same files", async () => {
  const link = `${repo}-link`;
  symlinkSync(repo, link);
  try {
    session("me");
    session("other");
    edits("other", "src/a.ts");
    expect(await refusal(`git checkout -- ${link}/src/a.ts`, { cwd: link })).toContain("src/a.ts");
  } finally {
    rmSync(link);
  }
});

test("outside of a repository there is nothing to guard, and long lists are cut", async () => {
  session("me");
  session("other");
  for (let i = 0; i < 9; i++) edits("other", `src/${i} [x]*.ts`);
  git("add", ".");
  expect(await refusal("git reset --hard")).toMatch(/\[x\]\*\.ts \("other"\) and 4 more\. Commit/);
  expect(await refusal("git reset --hard", { cwd: tmpdir() })).toBeNull();
  expect(await refusal("git reset --hard", { cwd: "/no/such/place" })).toBeNull();
});
