import { expect, test } from "vitest";
import { useCommandLine } from "./harness.ts";

const { directory } = useCommandLine();

test("each file gets its command, its claims, and the whole environment", async () => {
  const here = directory();
  for (const name of ["docs/a b.md", "docs/x/c.md", "docs/no.txt"]) here.write(name, "text");
  const { code, stdout } = await here.run(
    [
      "each",
      "docs/**/*.md",
      "--write",
      "{}",
      "--use",
      "build",
      "--json",
      "--",
      "sh",
      "-c",
      'echo "$0 {{x}} $FOO" >> out; exec cat "$0"',
      "{}",
    ],
    { FOO: "set" },
  );
  expect(code).toBe(0);
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const { summary, results } = events.at(-1);
  expect(summary).toMatchObject({ total: 2, succeeded: 2 });
  expect(results.map(({ taskId }: { taskId: string }) => taskId)).toEqual(["sh[docs/a b.md]", "sh[docs/x/c.md]"]);
  expect(here.read("out").trim().split("\n").toSorted()).toEqual(["docs/a b.md {{x}} set", "docs/x/c.md {{x}} set"]);
});

test("a pattern that the shell expanded is as good", async () => {
  const here = directory();
  for (const name of ["a.md", "b.md"]) here.write(name, "text");
  const { code, stdout } = await here.shell(
    `LOCKYARD_STORE=${here.path}/store.db $CLI each *.md --json -- test -f {} | tail -1`,
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout).summary).toMatchObject({ total: 2, succeeded: 2 });
});

test("one failure hurts nobody, and is told", async () => {
  const here = directory();
  for (const name of ["a.md", "b.md", "c.md"]) here.write(name, "text");
  const { code, stdout } = await here.run(["each", "*.md", "--", "sh", "-c", 'test "$0" != b.md', "{}"]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/1 failed/);
});

test("what makes no sense is refused, with an example, and nothing runs", async () => {
  const here = directory();
  here.write("a.md", "text");
  for (const args of [["--", "true"], ["*.md"], ["nothing*", "--", "true"], ["*.md", "--use", "biuld", "--", "true"]]) {
    const { code, stderr } = await here.run(["each", ...args]);
    expect(`${args.join(" ")}: ${code}`).toBe(`${args.join(" ")}: 2`);
    expect(stderr).toMatch(/^error: /);
  }
  expect(here.exists("store.db")).toBe(false);
});
