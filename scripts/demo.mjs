// `npm run demo -- [PATH] [--fail] [--json] [--to FOLDER]`: audits a git repository with a real plan, run by the real
// command line. What it makes lies in one folder: the plan, its task modules, the report, and a store of its own.
import { spawn } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DemoError, inspect } from "../demo/inspect.mjs";
import { planFor } from "../demo/plan.mjs";
import { CACHE, ROOT } from "./once.mjs";

const DEFAULT_FOLDER = path.join(CACHE, "demo");
const USAGE = `Usage: npm run demo -- [PATH] [--fail] [--json] [--to FOLDER]

Audits the git repository at PATH (default: this one) with a plan it writes for it.

  --fail   adds a task that fails: the others go on, the report says so, the exit code is 1
  --json   prints one JSON document instead of the live view
  --to     where plan and report go (default: .cache/demo)
`;

async function main() {
  const options = readArguments(process.argv.slice(2));
  if (options === undefined) return process.stdout.write(USAGE);
  const repository = inspect(fromCaller(options.path ?? ROOT));
  const plan = await writePlan(repository, options);
  const folder = path.dirname(plan);
  const say = (line) => options.json || process.stdout.write(`${line}\n`);
  say(`Audits ${repository.root}: ${repository.files} files.`);
  say(`Plan   ${shown(plan)}\n`);
  const run = await runPlan(plan, options.json);
  const report = path.join(folder, "out", "report.md");
  const results = readResults(folder);
  if (options.json) {
    const document = { repository: repository.root, plan, report, exitCode: run.code, ...run.finished };
    process.stdout.write(`${JSON.stringify(document)}\n`);
  } else if (results.length > 0) {
    say("");
    for (const line of tableOf(results)) say(line);
    say(`\nReport ${shown(report)}`);
  }
  process.exitCode = run.code;
}

function readArguments(args) {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length > 1) throw new DemoError(`One path is enough; ${positionals[1]} is one too many.`);
  return { path: positionals[0], fails: values.fail, json: values.json, folder: fromCaller(values.to) };
}

function parse(args) {
  const flag = { type: "boolean", default: false };
  const options = {
    help: { ...flag, short: "h" },
    fail: flag,
    json: flag,
    to: { type: "string", default: DEFAULT_FOLDER },
  };
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new DemoError(`${error.message}\n\n${USAGE.trimEnd()}`);
  }
}

/** npm starts scripts at the repository's root; paths are meant from where the person stands. */
function fromCaller(given) {
  return path.resolve(process.env.INIT_CWD ?? process.cwd(), given);
}

/** The folder holds all a run needs, so that `lockyard run plan.yaml` works there by hand, too. */
async function writePlan(repository, { fails, folder }) {
  fs.rmSync(path.join(folder, "out"), { recursive: true, force: true });
  fs.cpSync(path.join(ROOT, "demo", "tasks"), path.join(folder, "tasks"), { recursive: true });
  const file = path.join(folder, "plan.yaml");
  // Three servers, two ports: one of them waits.
  fs.writeFileSync(
    file,
    planFor(repository, {
      fails,
      ports: [await freePort(), await freePort()],
      builds: Math.max(2, Math.floor(os.availableParallelism() / 4)),
    }),
  );
  return file;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** With `isQuiet` the events are read instead of shown. @returns {Promise<{ code: number, finished?: object }>} */
function runPlan(plan, isQuiet) {
  const store = path.join(path.dirname(plan), "store.db");
  const args = [path.join(ROOT, "bin", "lockyard.js"), "run", plan, "--store", store, ...(isQuiet ? ["--json"] : [])];
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ["inherit", isQuiet ? "pipe" : "inherit", "inherit"],
  });
  // A terminal sends Ctrl-C to both; the run decides what it means.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  let last = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => {
    // Only the last line is wanted, and it may come in pieces.
    last = (last + text).slice(Math.max(0, (last + text).trimEnd().lastIndexOf("\n") + 1));
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, ...(isQuiet ? { finished: finishedIn(last) } : {}) }));
  });
}

function finishedIn(line) {
  try {
    const { workflowId, summary, results } = JSON.parse(line);
    return { workflowId, summary, results };
  } catch {
    return {};
  }
}

function readResults(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, "out", "results.json"), "utf8"));
  } catch {
    // The run was stopped before its last task.
    return [];
  }
}

/** What each task said, and what running at once gained: the time of all of them against the time that passed. */
function tableOf(results) {
  const rows = results.map((each) => [
    each.taskId,
    each.status,
    `${(each.executionTimeMs / 1000).toFixed(1)} s`,
    each.lockWaitMs < 50 ? "" : `${(each.lockWaitMs / 1000).toFixed(1)} s`,
    (each.output?.says ?? each.errorMessage ?? "").split("\n")[0].slice(0, 76),
  ]);
  const all = [["task", "status", "ran", "waited", "says"], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  const lines = all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join("  ")
      .trimEnd(),
  );
  const ran = results.filter(({ startedAt }) => startedAt !== null);
  const runMs = ran.reduce((sum, { executionTimeMs }) => sum + executionTimeMs, 0);
  const passedMs =
    Math.max(...ran.map(({ finishedAt }) => Date.parse(finishedAt))) -
    Math.min(...ran.map(({ startedAt }) => Date.parse(startedAt)));
  const gained = `${(runMs / 1000).toFixed(1)} s of work in ${(passedMs / 1000).toFixed(1)} s: ${(runMs / passedMs).toFixed(1)} times as fast as one after another`;
  return [...lines, "", gained];
}

function shown(file) {
  const near = path.relative(process.env.INIT_CWD ?? process.cwd(), file);
  return near.startsWith("..") ? file : near;
}

main().catch((error) => {
  process.stderr.write(`demo: ${error instanceof DemoError ? error.message : error.stack}\n`);
  process.exitCode = error instanceof DemoError ? 2 : 1;
});
