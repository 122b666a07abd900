// Type-check, lint or tests with the repository's own tools. What a tool complains about is a finding of the audit, not a
// failure of the task; a repository without the tool is told so in the result.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { finish, listFiles, ROOT, report } from "./task.mjs";

const [what, folder = "."] = process.argv.slice(2);
const tool = await toolFor(what);

if (typeof tool === "string") finish({ outcome: "skipped", says: tool });
else {
  report({ progress: 0.1, detail: tool.name });
  const [program, ...args] = tool.argv;
  const env = { ...process.env, NO_COLOR: "1", CI: "1" };
  const run = spawnSync(program, args, { cwd: ROOT, env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  const lines = `${run.stdout ?? ""}\n${run.stderr ?? ""}`.split("\n").filter((line) => line.trim() !== "");
  const isClean = run.status === 0;
  const says = run.error ? `${tool.name} did not start: ${run.error.message}` : tool.says(lines, isClean);
  finish({ outcome: isClean ? "clean" : "findings", tool: tool.name, says, lines: isClean ? [] : lines.slice(0, 20) });
}

/** A tool, or a sentence why there is none. */
async function toolFor(check) {
  switch (check) {
    case "types":
      return typesTool();
    case "lint":
      return lintTool(await listFiles());
    case "tests":
      return testTool(await listFiles());
    default:
      throw new Error(`There is no check "${check}".`);
  }
}

function typesTool() {
  const tsc = inRepository("node_modules/typescript/bin/tsc");
  if (!fs.existsSync(path.join(ROOT, "tsconfig.json"))) return "no tsconfig.json: there is nothing to type-check";
  if (tsc === undefined) return "typescript is not installed in this repository";
  const says = (lines, isClean) =>
    isClean ? "no type errors" : `${lines.filter((line) => line.includes("error TS")).length} type errors`;
  return { name: "tsc", argv: [process.execPath, tsc, "--noEmit", "--pretty", "false"], says };
}

function lintTool(files) {
  const biome = inRepository("node_modules/@biomejs/biome/bin/biome");
  if (biome !== undefined && files.includes("biome.json")) {
    const says = (lines, isClean) =>
      isClean ? "no findings" : (lines.find((line) => line.startsWith("Found")) ?? "findings");
    return { name: "biome", argv: [process.execPath, biome, "lint", "--max-diagnostics=20"], says };
  }
  const eslint = inRepository("node_modules/eslint/bin/eslint.js");
  if (eslint !== undefined && files.some((file) => file.startsWith("eslint.config."))) {
    const says = (lines, isClean) => (isClean ? "no findings" : (lines.at(-1) ?? "findings"));
    return { name: "eslint", argv: [process.execPath, eslint, "."], says };
  }
  return syntaxTool(files) ?? "no linter, and neither JavaScript nor Python to check for syntax";
}

/** Without a linter: do the files parse at all? */
function syntaxTool(files) {
  const some = files.filter((file) => /\.(?:[cm]?js|py)$/.test(file)).slice(0, 200);
  if (some.length === 0) return undefined;
  const says = (lines, isClean) =>
    isClean ? (lines.at(-1) ?? "") : `${lines.length - 1} of ${some.length} do not parse`;
  return { name: "syntax", argv: [process.execPath, path.join(import.meta.dirname, "syntax.mjs"), ...some], says };
}

function testTool(files) {
  const inFolder = files.filter((file) => path.posix.dirname(file) === folder);
  const python = inFolder.filter((file) => /(^|\/)test_[^/]*\.py$/.test(file));
  if (python.length > 0) {
    const argv = ["python3", "-m", "unittest", "discover", "-s", folder, "-p", "test_*.py"];
    return { name: "unittest", argv, says: (lines) => lines.find((line) => line.startsWith("Ran ")) ?? "no test ran" };
  }
  const tests = inFolder.filter((file) => /\.(test|spec)\.[cm]?[jt]sx?$/.test(file));
  if (tests.length === 0) return "no tests found";
  const vitest = inRepository("node_modules/vitest/vitest.mjs");
  const count = (lines) =>
    lines
      .find((line) => /^\s*(?:Tests|# tests|. tests) /.test(line))
      ?.replace(/^\W+/, "")
      .replaceAll(/\s+/g, " ") ?? "it did not say how many";
  if (vitest !== undefined) return { name: "vitest", argv: [process.execPath, vitest, "run", ...tests], says: count };
  const script = tests.filter((file) => /\.[cm]?js$/.test(file));
  if (script.length === 0) return "tests, and no tool in this repository to run them with";
  return { name: "node --test", argv: [process.execPath, "--test", ...script], says: count };
}

function inRepository(file) {
  const full = path.join(ROOT, file);
  return fs.existsSync(full) ? full : undefined;
}
