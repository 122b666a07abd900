import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

const CONFIG = "agents:\n  writer: { kind: command, run: sh -c 'echo hello' }\n";
const PLAN = "name: letters\ntasks:\n  one: { agent: writer, description: a letter }\n";

function repository() {
  const here = directory();
  here.write(".git/HEAD", "ref: refs/heads/main\n");
  here.write("lockyard.yaml", CONFIG);
  here.write("plan.yaml", PLAN);
  return here;
}

test("a found agent starts after it was approved by its key, and not after it changed or was revoked", async () => {
  const here = repository();
  const refused = await here.run(["run", "plan.yaml", "--json"]);
  expect(refused.code).toBe(2);
  expect(refused.stdout).toContain('"TRUST_REQUIRED"');
  const shown = await here.run(["trust"]);
  expect(shown.code).toBe(1);
  expect(shown.stdout).toContain("writer (command): sh -c 'echo hello'");
  const key = /--key ([0-9a-f]{32})/.exec(shown.stdout)?.[1] ?? "";
  expect((await here.run(["trust", "--key", key])).code).toBe(0);
  expect((await here.run(["run", "plan.yaml"])).code).toBe(0);
  here.write("lockyard.yaml", CONFIG.replace("hello", "other"));
  expect((await here.run(["run", "plan.yaml"])).code).toBe(2);
  const stale = await here.run(["trust", "--key", key]);
  expect(stale).toMatchObject({ code: 2 });
  expect(stale.stderr).toContain("are not those of the key");
  here.write("lockyard.yaml", CONFIG);
  expect((await here.run(["trust", "--revoke"])).code).toBe(0);
  expect((await here.run(["run", "plan.yaml"])).code).toBe(2);
});

test("without a terminal nothing is asked and nothing is approved", async () => {
  const here = repository();
  const told = await here.run(["trust", "--json"]);
  expect(JSON.parse(told.stdout)).toMatchObject({
    type: "trust",
    isTrusted: false,
    agents: ["writer (command): sh -c 'echo hello'"],
  });
  expect((await here.run(["run", "plan.yaml"])).code).toBe(2);
});

test("where nothing names agents there is nothing to approve", async () => {
  const here = directory();
  expect(await here.run(["trust"])).toMatchObject({ code: 0, stdout: expect.stringContaining("Nothing here needs") });
});
