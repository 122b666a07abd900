// Gets the results of all other tasks as JSON on stdin and writes them down: report.md for people, results.json for programs.
import fs from "node:fs";
import path from "node:path";
import { finish, ROOT, readInput } from "./task.mjs";

const out = process.argv[2];
const results = Object.values(readInput().dependencies);
const measured = results
  .filter(({ taskId, success }) => success && taskId.startsWith("metrics"))
  .map(({ output }) => output);
const file = path.join(out, "report.md");

fs.mkdirSync(out, { recursive: true });
fs.writeFileSync(file, [...head(), ...checks(), ...sizes(), ...longest(), ...notes(), ...times()].join("\n"));
fs.writeFileSync(path.join(out, "results.json"), JSON.stringify(results));
finish({ file, says: `${results.length} results written down` });

function head() {
  const bad = results.filter(({ success }) => !success);
  const names = bad.map(({ taskId, error }) => `${taskId} (${error.code})`).join(", ");
  return [
    `# Audit of ${path.basename(ROOT)}`,
    "",
    bad.length === 0 ? "Every task succeeded." : `Did not succeed: ${names}.`,
    "",
  ];
}

function checks() {
  const rows = results.filter(({ taskId }) => /^(?:types|lint|tests|serve|flaky|broken)/.test(taskId));
  return [
    "## Checks",
    "",
    ...table(
      ["task", "outcome", "says"],
      rows.map((each) => [each.taskId, each.output?.outcome ?? each.status, saysOf(each)]),
    ),
  ];
}

function sizes() {
  if (measured.length === 0) return ["## Sizes", "", "There are no files.", ""];
  const columns = ["files", "lines", "code", "imports", "functions", "duplicated"];
  const rows = measured.map((each) => [each.part, ...columns.map((column) => each[column])]);
  const total = columns.map((column) => measured.reduce((sum, each) => sum + each[column], 0));
  return ["## Sizes", "", ...table(["part", ...columns], [...rows, ["all", ...total]])];
}

function longest() {
  const functions = measured.flatMap(({ longestFunctions }) => longestFunctions).sort((a, b) => b.lines - a.lines);
  if (functions.length === 0) return [];
  const rows = functions.slice(0, 10).map(({ name, file: where, line, lines }) => [name, `${where}:${line}`, lines]);
  return ["## Longest functions", "", ...table(["function", "where", "lines"], rows)];
}

/** What two tasks wrote into one file, one after the other. */
function notes() {
  const written = path.join(out, "notes.md");
  return fs.existsSync(written) ? [fs.readFileSync(written, "utf8").trimEnd(), ""] : [];
}

function times() {
  const rows = results.map((each) => [
    each.taskId,
    each.status,
    each.attempts,
    Math.round(each.executionTimeMs),
    Math.round(each.lockWaitMs),
  ]);
  return ["## Times in milliseconds", "", ...table(["task", "status", "attempts", "ran", "waited for locks"], rows)];
}

function saysOf({ output, errorMessage }) {
  return output?.says ?? errorMessage ?? "";
}

function table(columns, rows) {
  const line = (cells) =>
    `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line), ""];
}
