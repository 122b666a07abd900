import { expect, test } from "vitest";
import { hookWorld, type TestSession } from "../../test/support/hook-world.ts";
import type { HookAnswer, HostName } from "./hook-call.ts";

const RULES = [{ match: ["npm test*"], claims: [{ use: "build" }], declaredBy: "lockyard.yaml" }];

function run(session: TestSession, command: string, host: HostName = "claude"): Promise<HookAnswer> {
  return session.call("before", "shell", [], { command, host, input: { command, description: "d" } });
}

function commandOf(answer: HookAnswer): string {
  return answer.type === "rewrite" ? String(answer.input.command) : `(${answer.type})`;
}

test("a heavy command waits for its turn in the hook, and runs under the ticket it got", async () => {
  const world = hookWorld({ config: { rules: RULES } });
  const one = world.session("one");
  const two = world.session("two");
  const first = await run(one, "cd api && npm test -- --ui | tail -3");
  expect(commandOf(first)).toMatch(
    /^cd api && lockyard exec --use build --ticket exec-\w{6}\/npm-test[\w.-]*\/\d+\.\d+ -- npm test -- --ui \| tail -3$/,
  );
  expect(first).toMatchObject({ input: { description: "d" }, note: null });
  const startMs = world.clock.nowMs();
  // A ticket that nobody uses lapses.
  expect(commandOf(await world.clock.run(run(two, "npm test")))).toMatch(/^lockyard exec --use build --ticket /);
  expect(world.clock.nowMs() - startMs).toBeGreaterThan(9_000);
  expect(world.clock.nowMs() - startMs).toBeLessThan(12_000);
});

test("where the user's rules judge the command, it runs as written and its turn lasts until it has ended", async () => {
  const world = hookWorld({ config: { rules: RULES } });
  const [one, two] = [world.session("one"), world.session("two")];
  const asks = (toolUseId: string) => ({
    asksAfterwards: true,
    toolUseId,
    command: "npm test",
    input: { command: "npm test" },
  });
  expect(await one.call("before", "shell", [], asks("t1"))).toEqual({ type: "pass", note: null });
  const waits = two.call("before", "shell", [], asks("t2"));
  let isThrough = false;
  void waits.then(() => {
    isThrough = true;
  });
  await world.clock.advance(60_000);
  expect(isThrough).toBe(false);
  await one.call("after", "shell", [], asks("t1"));
  expect(await world.clock.run(waits)).toEqual({ type: "pass", note: null });
  // Never allowed, so never ended: the end of the turn ends it.
  await two.call("turn-end", "other", [], { asksAfterwards: true });
  expect(await world.clock.run(one.call("before", "shell", [], asks("t3")))).toEqual({ type: "pass", note: null });
  // The next command of the same session ends what came of the one before.
  expect(await world.clock.run(one.call("before", "shell", [], asks("t4")))).toEqual({ type: "pass", note: null });
  // In the background only a ticket tells how long it runs.
  await one.call("after", "shell", [], asks("t4"));
  const background = { ...asks("t5"), input: { command: "npm test", run_in_background: true } };
  expect(commandOf(await world.clock.run(one.call("before", "shell", [], background)))).toContain("--ticket");
});

test("what a session holds itself is not in the way of its own command", async () => {
  const rules = [{ match: ["make"], claims: [{ write: "src" }], declaredBy: "lockyard.yaml" }];
  const world = hookWorld({ config: { rules } });
  const one = world.session("one");
  await one.call("before", "edit", ["/shop/src/a.ts"]);
  expect(commandOf(await run(one, "make"))).toMatch(/^lockyard exec --write \/shop\/src --ticket /);
});

test("who is in line for nine minutes is told to ask again, and keeps the place", async () => {
  const world = hookWorld({ config: { rules: RULES } });
  const holder = world.session("one");
  const answer = await run(holder, "npm test");
  const key = Number(/\/(\d+)\.\d+ --/.exec(commandOf(answer))?.[1]);
  const row = (await world.store.view((view) => view.tasks({}))).find((each) => each.key === key);
  if (row === undefined) throw new Error("no ticket");
  await world.store.turn([{ type: "renew", key, fence: row.fence, leaseMs: 3_600_000 }]);
  const waits = await world.clock.run(run(world.session("two"), "npm test"));
  expect(waits).toEqual({
    type: "refuse",
    reason:
      "Still in line for build after 9m. Your place is kept for 3 minutes: run exactly the same command again. Do not start it another way; nothing hangs.",
  });
});

test("a host that would have to allow the command is told what to run instead, at once", async () => {
  const world = hookWorld({ config: { rules: RULES } });
  expect(await run(world.session("one"), "npm test", "codex")).toEqual({
    type: "refuse",
    reason:
      "This command takes turns with those of other sessions. Run exactly this instead; it waits for its turn and then runs the command as it is: lockyard exec --use build -- npm test",
  });
  expect(await run(world.session("one"), "lockyard exec --use build -- npm test", "codex")).toMatchObject({
    type: "pass",
  });
});

test("what a command plainly writes is judged as an edit", async () => {
  const world = hookWorld();
  const one = world.session("one");
  const two = world.session("two");
  world.files.set("/shop/a.ts", "1\n");
  await one.call("before", "read", ["/shop/a.ts"]);
  expect(await run(two, "sed -i s/1/2/ a.ts")).toMatchObject({ type: "pass" });
  world.files.set("/shop/a.ts", "2\n");
  expect(await world.clock.run(run(one, "echo 3 > a.ts"))).toMatchObject({
    type: "refuse",
    reason: expect.stringMatching(/^a\.ts changed after you read it/),
  });
  // What cannot be read is left alone.
  expect(await run(one, "echo 3 > $(ls | head -1")).toMatchObject({ type: "pass" });
});
