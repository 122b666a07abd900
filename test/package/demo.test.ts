// The demo, on repositories made for it: it adapts to what is there, and what fails is said.
import { execFile, execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

interface Outcome {
  readonly exitCode: number;
  readonly report: string;
  readonly summary: { readonly total: number; readonly succeeded: number; readonly failed: number };
  readonly results: readonly {
    readonly taskId: string;
    readonly status: string;
    readonly attempts: number;
    readonly output: { readonly says: string };
  }[];
}

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "lockyard-demo-"));
  execFileSync(process.execPath, [join(ROOT, "scripts", "build.mjs"), "--if-stale"], { cwd: ROOT, stdio: "ignore" });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("a small repository is audited: what it has is measured, what it lacks is said, one task is tried again", async () => {
  const { code, outcome } = await demo("small", {
    "lib/add.js": "function add(a, b) {\n  return a + b;\n}\nmodule.exports = { add };\n",
    "tool.py": "def main():\n    return 1\n",
    "odd {{name}} $x/[1].txt": "text\n",
  });
  expect(code).toBe(0);
  expect(outcome.summary.succeeded).toBe(outcome.summary.total);
  expect(saysOf(outcome, "types")).toContain("no tsconfig.json");
  expect(saysOf(outcome, "lint")).toBe("2 files looked at");
  expect(saysOf(outcome, "metrics[lib]")).toBe("1 file, 4 lines, 1 function");
  expect(saysOf(outcome, "metrics[odd {{name}} $x]")).toBe("1 file, 1 line, 0 functions");
  expect(outcome.results.find(({ taskId }) => taskId === "flaky")?.attempts).toBe(2);
  expect(readFileSync(outcome.report, "utf8")).toContain("| main | tool.py:1 | 2 |");
});

test("an empty repository is audited, too", async () => {
  const { code, outcome } = await demo("empty", {});
  expect(code).toBe(0);
  expect(saysOf(outcome, "tests")).toBe("no tests found");
  expect(readFileSync(outcome.report, "utf8")).toContain("There are no files.");
});

test("with --fail one task fails, the others do not notice, and the report says so", async () => {
  const { code, outcome } = await demo("failing", { "a.js": "1;\n" }, "--fail");
  expect(code).toBe(1);
  expect(outcome.summary.failed).toBe(1);
  expect(outcome.summary.succeeded).toBe(outcome.summary.total - 1);
  expect(readFileSync(outcome.report, "utf8")).toContain("Did not succeed: broken (AGENT_EXITED).");
});

function saysOf({ results }: Outcome, taskId: string): string | undefined {
  return results.find((result) => result.taskId === taskId)?.output.says;
}

async function demo(
  name: string,
  files: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<{ readonly code: number; readonly outcome: Outcome }> {
  const repository = join(folder, name);
  mkdirSync(repository);
  execFileSync("git", ["init", "--quiet"], { cwd: repository });
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repository, file)), { recursive: true });
    writeFileSync(join(repository, file), text);
  }
  const args = [join(ROOT, "scripts", "demo.mjs"), repository, "--json", "--to", join(folder, `${name}.out`), ...flags];
  // As scripts/dev.mjs does: the plan's commands find this Node.
  const env = { ...process.env, HOME: folder, PATH: `${dirname(process.execPath)}:${process.env.PATH}` };
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env, timeout: 60_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code;
      if (typeof code !== "number" || stdout === "") reject(new Error(`ended with ${code}\n${stdout}\n${stderr}`));
      else resolve({ code, outcome: JSON.parse(stdout) as Outcome });
    });
  });
}
