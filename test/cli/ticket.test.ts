import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

const CLAIMS = ["--use", "build", "--write", "src"];

test("what one process waited for, another takes over, and nobody gets in between", async () => {
  const here = directory();
  const ticket = (await here.run(["exec", ...CLAIMS, "--take-ticket", "--", "npm", "test"])).stdout.trim();
  expect(ticket).toMatch(/^exec-\w{6}\/npm-test\/\d+\.\d+$/);
  const other = here.start(["exec", ...CLAIMS, "--", "sh", "-c", "echo second >> order"]);
  await other.until(/waiting for /);
  const first = await here.run([
    "exec",
    ...CLAIMS,
    "--ticket",
    ticket,
    "--",
    "sh",
    "-c",
    "echo first >> order; touch up",
  ]);
  expect(first.code).toBe(0);
  expect((await other.finished).code).toBe(0);
  expect(here.read("order")).toBe("first\nsecond\n");
});

test("the ticket goes when the command has what it held", async () => {
  const here = directory();
  const ticket = (await here.run(["exec", ...CLAIMS, "--take-ticket", "--", "npm", "test"])).stdout.trim();
  const script = "touch up; while [ ! -e go ]; do sleep 0.02; done";
  const command = here.start(["exec", ...CLAIMS, "--ticket", ticket, "--", "sh", "-c", script]);
  await here.appeared("up");
  const wait = await here.run(["wait", ticket.split("/")[0] ?? ""]);
  expect(`${wait.code} ${wait.stdout}${wait.stderr}`).toMatch(/^0 /);
  expect(await here.run(["exec", "--no-wait", "--use", "build", "--", "true"])).toMatchObject({ code: 75 });
  here.write("go", "");
  expect((await command.finished).code).toBe(0);
  expect(await here.run(["exec", "--no-wait", ...CLAIMS, "--", "true"])).toMatchObject({ code: 0 });
});

test("a ticket that lapsed, or never was, costs its place and nothing else", async () => {
  const here = directory();
  const unknown = "exec-nobody/npm-test/7.1767225600000001";
  expect(await here.run(["exec", ...CLAIMS, "--ticket", unknown, "--", "echo", "ran"])).toMatchObject({
    code: 0,
    stdout: "ran\n",
  });
  const wrong = await here.run(["exec", "--ticket", "junk", "--", "true"]);
  expect(wrong.code).toBe(125);
  expect(wrong.stderr).toMatch(/--ticket junk: that is no ticket\./);
});
