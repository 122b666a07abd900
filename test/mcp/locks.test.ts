import { expect, test } from "vitest";
import { useCommandLine } from "../cli/harness.ts";
import { agents, script, useHosts } from "./harness.ts";

const { directory } = useCommandLine();
const host = useHosts();
const locking = { args: ["--locks"] };

test("what a host locks is nobody else's until it lets go, and is in nobody's way among its own tasks", async () => {
  const here = directory();
  agents(here, { writer: script(here, "writer.cjs", 'say("wrote");') });
  const [one, two] = [await host(here, locking), await host(here, { ...locking, era: "legacy" })];
  const { data: held } = await one.call("acquire_locks", { write: "src", lock: "release" });
  expect(held.resources).toEqual(["file:src", "release"]);
  expect(Date.parse(String(held.until)) - Date.now()).toBeGreaterThan(9 * 60_000);
  const { data: refused } = await two.call("acquire_locks", { write: "src/api", seconds: 0 });
  expect(refused).toMatchObject({ held: false, next: expect.stringContaining("why names who holds it") });
  const why = await here.run(["why", "./src", "--json"]);
  expect(JSON.parse(why.stdout).holders).toMatchObject([
    { owner: expect.stringContaining("mcp test-host"), holder: "guest" },
  ]);
  const own = await one.call("run_task", { agent: "writer", description: "w", write: "src/api" });
  expect(own.data.tasks).toMatchObject([{ output: "wrote" }]);
  expect((await one.call("acquire_locks", { renew: held.id })).data.id).toBe(held.id);
  const waiting = two.call("acquire_locks", { write: "src/api" });
  await one.call("release_locks", { id: held.id });
  expect((await waiting).data.resources).toEqual(["file:src/api"]);
  const late = await one.call("acquire_locks", { renew: held.id });
  expect(late.data.error?.message).toMatch(/is held any more/);
});

test("two hosts that wait for each other are told at once", async () => {
  const here = directory();
  const [one, two] = [await host(here, locking), await host(here, locking)];
  await one.call("acquire_locks", { lock: "a" });
  await two.call("acquire_locks", { lock: "b" });
  const waiting = one.call("acquire_locks", { lock: "b", seconds: 20 });
  // It may still wait when its host goes.
  waiting.catch(() => undefined);
  let other = await two.call("acquire_locks", { lock: "a", seconds: 20 });
  // Whoever asked second closed the circle.
  if (!other.isError) other = await waiting;
  expect(other.data.error?.code).toBe("DEADLOCK");
  await one.close();
  await two.close();
});

test("what a host held is free as soon as the host is gone", async () => {
  const here = directory();
  const { call, close } = await host(here, locking);
  await call("acquire_locks", { write: "src" });
  await close();
  expect((await here.run(["exec", "--write", "src", "--timeout", "20s", "--", "true"])).code).toBe(0);
});

test("without --locks there are no such tools", async () => {
  const { client } = await host(directory());
  const { tools } = await client.listTools();
  expect(tools.map(({ name }) => name).filter((name) => name.includes("lock"))).toEqual([]);
});
