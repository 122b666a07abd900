import { expect, test } from "vitest";
import { type HookWorld, hookWorld, type TestSession } from "../../test/support/hook-world.ts";
import { EXCLUSIVE, resolvedClaim } from "../core/claims.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import type { HookAnswer } from "./hook-call.ts";

const A = "/shop/src/a.ts";
const B = "/shop/src/b.ts";
const PASS: HookAnswer = { type: "pass", note: null };

/** A whole edit: asked for, made, told. */
async function edit(world: HookWorld, session: TestSession, path: string, content: string): Promise<HookAnswer> {
  const answer = await session.call("before", "edit", [path]);
  if (answer.type !== "pass") return answer;
  world.files.set(path, content);
  return session.call("after", "edit", [path]);
}

async function named(world: HookWorld, id: string, prompt: string): Promise<TestSession> {
  const session = world.session(id);
  await session.call("turn-start", "other", [], { prompt });
  return session;
}

function reasonOf(answer: HookAnswer): string {
  return answer.type === "refuse" ? answer.reason : `(${answer.type})`;
}

test("an edit of a file that another session changed since it was read is refused, with who did it", async () => {
  const world = hookWorld();
  const one = await named(world, "one", "fix login");
  const two = await named(world, "two", "add pagination");
  world.files.set(A, "1\n2\n3\n");
  await one.call("before", "read", [A]);
  expect(await edit(world, two, A, "1\n2\nthree\nfour\n")).toEqual(PASS);
  await two.call("turn-end", "other");
  await world.clock.advance(9_000);
  const stale =
    'src/a.ts changed after you read it (2 lines, by "add pagination", 9s ago). Read it again, then make your edit.';
  expect(await one.call("before", "edit", [A])).toEqual({ type: "refuse", reason: stale });
  // Nothing but reading it helps.
  expect(reasonOf(await one.call("before", "edit", [A]))).toMatch(/Read it again/);
  await one.call("before", "read", [A]);
  expect(await edit(world, one, A, "mine\n")).toEqual(PASS);
});

test("a change by nobody we know is said to be one", async () => {
  const world = hookWorld();
  const one = world.session("one");
  world.files.set(A, "1\n");
  await one.call("before", "read", [A]);
  world.files.set(A, "2\n");
  expect(reasonOf(await one.call("before", "write", [A]))).toBe(
    "src/a.ts changed after you read it (1 line, by a person or a shell command). Read it again, then make your edit.",
  );
});

test("a session that does not tell what it reads is refused once for each change", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const two = world.session("two");
  expect(await edit(world, one, A, "1\n")).toEqual(PASS);
  await one.call("turn-end", "other");
  expect(await edit(world, two, A, "2\n")).toEqual(PASS);
  await two.call("turn-end", "other");
  expect(reasonOf(await one.call("before", "edit", [A]))).toMatch(/^src\/a\.ts changed after you read it/);
  expect(await edit(world, one, A, "3\n")).toEqual(PASS);
});

test("a session of a host that never tells what it reads is refused once what another wrote since it began", async () => {
  const world = hookWorld();
  const [mute, other] = [world.session("mute"), await named(world, "other", "add pagination")];
  const write = (path: string) => mute.call("before", "write", [path], { host: "codex" });
  await mute.call("session-start", "other", [], { host: "codex" });
  await world.clock.advance(1_000);
  expect(await edit(world, other, A, "1\n")).toEqual(PASS);
  await other.call("turn-end", "other");
  expect(reasonOf(await write(A))).toMatch(/^src\/a\.ts changed after you read it \(by "add pagination"/);
  expect(await write(A)).toEqual(PASS);
  // What was written before it began, it can only have seen as it is.
  world.files.set(B, "old\n");
  expect(await write(B)).toEqual(PASS);
});

test("a file is held for 90 seconds after its last edit, and who waits 20 seconds is told to do something else", async () => {
  const world = hookWorld();
  const one = await named(world, "one", "add pagination");
  const two = world.session("two");
  await edit(world, one, A, "1\n");
  await world.clock.advance(14_000);
  const startMs = world.clock.nowMs();
  const answer = await world.clock.run(two.call("before", "edit", [A]));
  expect(world.clock.nowMs() - startMs).toBeLessThan(21_000);
  expect(reasonOf(answer)).toBe(
    'src/a.ts is being edited by "add pagination" (Claude Code, last edit 34s ago). Waited 20s. Do another part first and try again; details: lockyard why src/a.ts',
  );
  await world.clock.advance(57_000);
  expect(await world.clock.run(two.call("before", "edit", [A]))).toEqual(PASS);
});

test("a file that changed while its edit waited is refused once it is free, and is not held then", async () => {
  const world = hookWorld();
  const one = await named(world, "one", "add pagination");
  const two = world.session("two");
  world.files.set(A, "0\n");
  expect(await one.call("before", "edit", [A])).toEqual(PASS);
  const waits = two.call("before", "edit", [A]);
  await world.clock.advance(2_000);
  world.files.set(A, "1\n");
  await one.call("after", "edit", [A]);
  await one.call("turn-end", "other");
  expect(reasonOf(await world.clock.run(waits))).toMatch(/changed after you read it \(1 line, by "add pagination"/);
  expect(world.store.view((view) => view.holds({}))).toEqual([]);
});

test("the end of a turn lets go of everything, the end of an edit of hot files", async () => {
  const world = hookWorld();
  const one = world.session("one");
  await edit(world, one, A, "1\n");
  await edit(world, one, "/shop/package.json", "{}\n");
  const held = async () => (await world.store.view((view) => view.holds({}))).map(({ claim }) => claim.node);
  expect(await held()).toEqual([`f:${A}`]);
  expect(await one.call("before", "edit", [B, "/shop/CHANGELOG.md"])).toEqual(PASS);
  expect((await held()).toSorted()).toEqual(["f:/shop/CHANGELOG.md", `f:${A}`, `f:${B}`]);
  await one.call("after", "edit", [B, "/shop/CHANGELOG.md"]);
  expect((await held()).toSorted()).toEqual([`f:${A}`, `f:${B}`]);
  await one.call("turn-end", "other");
  expect(await held()).toEqual([]);
});

test("`hold: edit` keeps nothing after the edit, `hold: turn` keeps it for the turn", async () => {
  const world = hookWorld({ config: { hold: "edit" } });
  const one = world.session("one");
  await edit(world, one, A, "1\n");
  expect(await world.store.view((view) => view.holds({}))).toEqual([]);
  world.config.hold = "turn";
  await edit(world, one, A, "2\n");
  await world.clock.advance(600_000);
  await world.store.turn([]);
  expect(await world.store.view((view) => view.holds({}).length)).toBe(1);
});

test("crossing edits of two sessions are refused at once, with what each holds", async () => {
  const world = hookWorld();
  const one = await named(world, "one", "fix login");
  const two = await named(world, "two", "add pagination");
  await edit(world, one, A, "1\n");
  await edit(world, two, B, "1\n");
  const waits = one.call("before", "edit", [B]);
  await world.clock.advance(1_000);
  const startMs = world.clock.nowMs();
  expect(reasonOf(await two.call("before", "edit", [A]))).toBe(
    'DEADLOCK: src/a.ts was not edited, because both would wait for ever: "fix login" (Claude Code) holds src/a.ts and waits for src/b.ts, which you hold. Finish or undo what you began there and end your turn, or do another part; then try again.',
  );
  expect(world.clock.nowMs()).toBe(startMs);
  await two.call("turn-end", "other");
  expect(reasonOf(await world.clock.run(waits))).toBe("(pass)");
});

test("several files of one edit are held together or not at all", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const two = world.session("two");
  await edit(world, one, A, "1\n");
  expect(reasonOf(await world.clock.run(two.call("before", "edit", [B, A])))).toMatch(/^src\/a\.ts is being edited/);
  expect((await world.store.view((view) => view.holds({}))).map(({ claim }) => claim.node)).toEqual([`f:${A}`]);
});

test("a session never blocks itself, and what it keeps never its subagents; subagents block each other", async () => {
  const world = hookWorld();
  const main = world.session("one");
  const first = world.session("one", { subagent: "first" });
  const second = world.session("one", { subagent: "second" });
  await edit(world, main, A, "1\n");
  expect(await edit(world, main, A, "2\n")).toEqual(PASS);
  expect(await edit(world, first, B, "1\n")).toEqual(PASS);
  expect(await first.call("before", "edit", [A])).toEqual(PASS);
  expect(reasonOf(await world.clock.run(second.call("before", "edit", [B])))).toMatch(
    /being edited by "shop" \(Claude Code, a subagent, last edit/,
  );
  await first.call("turn-end", "other");
  expect(reasonOf(await second.call("before", "edit", [B]))).toBe("(pass)");
});

test("a hook inside a task is never in its own task's way", async () => {
  const world = hookWorld();
  await world.store.join(newOwner(), () => undefined);
  const row = newRow({ claims: [resolvedClaim("f:/shop/src", EXCLUSIVE)], holder: "owned" });
  const [, admitted] = await world.store.turn([{ type: "submit", row }]);
  if (admitted?.type !== "admitted") throw new Error("not admitted");
  const { key, fence, workflowId, taskId } = admitted.row;
  const inside = world.session("one", { inside: { key, fence, workflowId, taskId } });
  expect(await edit(world, inside, A, "1\n")).toEqual(PASS);
  const outside = world.session("two");
  expect(reasonOf(await world.clock.run(outside.call("before", "edit", [B])))).toBe(
    "src/b.ts is being edited by a task (held for 20s). Waited 20s. Do another part first and try again; details: lockyard why src/b.ts",
  );
});

test("an edit whose end is never told is its session's own change, until somebody else was there", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const two = world.session("two");
  world.files.set(A, "0\n");
  for (const content of ["1\n", "2\n"]) {
    expect(await one.call("before", "edit", [A])).toEqual(PASS);
    world.files.set(A, content);
  }
  await one.call("turn-end", "other");
  expect(await two.call("before", "edit", [A])).toEqual(PASS);
  world.files.set(A, "3\n");
  await two.call("turn-end", "other");
  expect(reasonOf(await one.call("before", "edit", [A]))).toMatch(/^src\/a\.ts changed after you read it/);
});

test("who wrote over a change while its approval took too long is told", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const two = await named(world, "two", "add pagination");
  world.files.set(A, "0\n");
  expect(await one.call("before", "edit", [A])).toEqual(PASS);
  await world.clock.advance(91_000);
  await edit(world, two, A, "theirs\n");
  world.files.set(A, "mine\n");
  expect(reasonOf(await one.call("after", "edit", [A]))).toMatch(
    /^src\/a\.ts was changed by "add pagination" while your edit waited to be approved\./,
  );
});

test("a failed edit is no change, and lets go of a hot file", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const file = "/shop/package.json";
  world.files.set(file, "{}\n");
  await one.call("before", "edit", [file]);
  await one.call("after", "edit", [file], { hasFailed: true });
  expect(await world.store.view((view) => view.holds({}))).toEqual([]);
  expect(await world.store.book.look((view) => view.versionsOf(file))).toMatchObject([
    { wroteHash: "", isPending: false },
  ]);
});

test("the end of a session leaves nothing held, and a later call goes on as if nothing was", async () => {
  const world = hookWorld();
  const one = world.session("one");
  await edit(world, one, A, "1\n");
  await one.call("session-end", "other");
  expect(await world.store.view((view) => [view.holds({}), view.owners()])).toEqual([[], []]);
  expect(await edit(world, one, A, "2\n")).toEqual(PASS);
});
