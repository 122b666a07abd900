// Every example runs to its end, offline, and prints what its last lines say it prints. `…` stands for what varies.
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const MAX_LINES = 60;
/** A hang is a failure; nothing here takes more than two seconds of an idle machine. */
const LIMIT_MS = 30_000;

interface Example {
  readonly name: string;
  readonly lines: readonly string[];
  /** Undefined for a file that others import. */
  readonly prints: readonly string[] | undefined;
}

const examples = readdirSync(join(ROOT, "examples"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .sort()
  .map(readExample);
const programs = examples.filter(({ prints }) => prints !== undefined);

function readExample(name: string): Example {
  const lines = readFileSync(join(ROOT, "examples", name), "utf8")
    .trimEnd()
    .split("\n");
  const at = lines.indexOf("// Prints:");
  return { name, lines, prints: at < 0 ? undefined : lines.slice(at + 1).map((line) => line.replace(/^\/\/ {3}/, "")) };
}

let home = "";
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "lockyard-examples-"));
  // Examples import the package by its own name, which leads to dist.
  await run([join(ROOT, "scripts", "build.mjs"), "--if-stale"], ROOT);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("an example prints what it says", () => {
  test.each(programs.map((example) => [example.name, example] as const))("%s", async (name, { prints }) => {
    const { stdout, stderr } = await run([join(ROOT, "examples", name)], home);
    const expected = (prints ?? []).join("\n");
    expect(withoutVarying(stdout.trimEnd(), expected)).toBe(expected);
    expect(stderr).toBe("");
  });
});

test("every example is short", () => {
  const long = examples.filter(({ lines }) => lines.length > MAX_LINES);
  expect(long.map(({ name, lines }) => `${name} has ${lines.length} lines of ${MAX_LINES}`)).toEqual([]);
});

test("a file that prints nothing is imported by one that does", () => {
  const text = examples.map(({ lines }) => lines.join("\n")).join("\n");
  const unused = examples.filter(
    ({ name, prints }) => prints === undefined && !text.includes(`/${name.split("/").at(-1)}"`),
  );
  expect(unused.map(({ name }) => name)).toEqual([]);
});

/** Rejects when it ends with another code than 0, or not at all. */
function run(args: readonly string[], cwd: string): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const env = { ...process.env, HOME: home, XDG_STATE_HOME: join(home, "state"), NODE_OPTIONS: "" };
  const options = { cwd, env, timeout: args[0]?.endsWith("build.mjs") ? 4 * LIMIT_MS : LIMIT_MS };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, options, (error, stdout, stderr) => {
      if (error === null) resolve({ stdout, stderr });
      else reject(new Error(`${error.message}\n${stdout}\n${stderr}`));
    });
  });
}

/** Puts `…` where the expected text has it, so that a difference is shown line by line. */
function withoutVarying(text: string, expected: string): string {
  const wanted = expected.split("\n");
  return text
    .split("\n")
    .map((line, index) => {
      const pattern = (wanted[index] ?? "").split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      return new RegExp(`^${pattern.join(".+?")}$`).test(line) ? wanted[index] : line;
    })
    .join("\n");
}
