// Runs the steps of `npm run check`, `npm test` and `.ci/run`, and counts. Every step leaves one JSON report of vitest's
// shape in .cache/reports/; the final line is counted from those files alone, so a step that died without its report is
// a failure and never a silence.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { CACHE, ROOT } from "./once.mjs";

const REPORTS = path.join(CACHE, "reports");

/**
 * @typedef {object} Step
 * @property {string} name also the name of its report
 * @property {string[]} command arguments for this Node, relative to the root
 * @property {"own" | "exit"} report `own`: the command writes the report; `exit`: its exit code is the one result
 * @property {number} limitMs after this it is stopped and counts as failed
 */

/** One vitest project as a step; `files` narrows it. @returns {Step} */
export function suite(name, limitMs, files = []) {
  const report = `--outputFile.json=${reportOf(name)}`;
  const command = [
    "node_modules/vitest/vitest.mjs",
    "run",
    "--project",
    name,
    "--reporter=default",
    "--reporter=json",
    report,
  ];
  return { name, command: [...command, ...files], report: "own", limitMs };
}

/** A script that passes or fails as a whole. @returns {Step} */
export function script(name, limitMs, ...command) {
  return { name, command, report: "exit", limitMs };
}

/** A script that writes its report itself, to the path given as its last argument. @returns {Step} */
export function counted(name, limitMs, ...command) {
  return { name, command: [...command, reportOf(name)], report: "own", limitMs };
}

export function reportOf(name) {
  return path.join(REPORTS, `${name}.json`);
}

/** Whether a suite has files: a suite nobody wrote yet is not listed at all, rather than listed and skipped. */
export function hasTests(folder) {
  const full = path.join(ROOT, folder);
  return fs.existsSync(full) && fs.readdirSync(full, { recursive: true }).some((file) => file.endsWith(".test.ts"));
}

export function exists(file) {
  return fs.existsSync(path.join(ROOT, file));
}

/** Runs all steps, prints each outcome and the final count, sets the exit code. @param {readonly Step[]} steps */
export async function runSteps(steps) {
  fs.mkdirSync(REPORTS, { recursive: true });
  const isVerbose = process.argv.includes("--verbose");
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const step of steps) {
    const started = performance.now();
    fs.rmSync(reportOf(step.name), { force: true });
    const { output, fault } = await runCommand(step, isVerbose);
    if (step.report === "exit") writeReport(step.name, [{ title: step.name, message: fault }]);
    const count = countReport(step.name, fault);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    if (count.failed > 0 && !isVerbose) process.stdout.write(output);
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : "";
    const reason = count.reason === undefined ? "" : ` (${count.reason})`;
    const verdict = count.failed > 0 ? "FAILED" : "ok    ";
    console.log(
      `${verdict} ${step.name.padEnd(12)} ${count.passed} passed, ${count.failed} failed${skipped}  ${seconds} s${reason}`,
    );
    for (const key of Object.keys(total)) total[key] += count[key];
  }
  if (total.skipped > 0) console.log(`${total.skipped} skipped`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0;
}

/** Writes a report in vitest's shape; a case without a message passed. */
export function writeReport(name, cases, file = reportOf(name)) {
  const assertionResults = cases.map(({ title, message }) => ({
    title,
    fullName: title,
    status: message === undefined ? "passed" : "failed",
    failureMessages: message === undefined ? [] : [message],
  }));
  const failed = cases.filter(({ message }) => message !== undefined).length;
  const report = {
    numTotalTests: cases.length,
    numPassedTests: cases.length - failed,
    numFailedTests: failed,
    success: failed === 0,
    testResults: [{ name, status: failed === 0 ? "passed" : "failed", message: "", assertionResults }],
  };
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify(report));
}

/** What a report says. Whatever fails outside a test (a file that does not load, an unhandled error) counts as one. */
function countReport(name, fault) {
  const text = fs.existsSync(reportOf(name)) ? fs.readFileSync(reportOf(name), "utf8") : "";
  if (text === "") return { passed: 0, failed: 1, skipped: 0, reason: `no report: ${fault ?? "it wrote none"}` };
  const report = JSON.parse(text);
  const passed = report.numPassedTests;
  const brokenFiles = report.testResults.filter(({ status, assertionResults }) => {
    return status === "failed" && !assertionResults.some((test) => test.status === "failed");
  }).length;
  const failed = report.numFailedTests + brokenFiles;
  const skipped = (report.numPendingTests ?? 0) + (report.numTodoTests ?? 0);
  if (failed === 0 && fault !== undefined) return { passed, failed: 1, skipped, reason: fault };
  if (failed === 0 && passed === 0) return { passed, failed: 1, skipped, reason: "it ran no test" };
  return { passed, failed, skipped, reason: failed > 0 ? fault : undefined };
}

/** @returns {Promise<{ output: string, fault: string | undefined }>} */
function runCommand(step, isVerbose) {
  return new Promise((resolve) => {
    // A group of its own, so that a step past its limit is stopped with everything it started.
    const child = spawn(process.execPath, step.command, {
      cwd: ROOT,
      detached: true,
      stdio: isVerbose ? "inherit" : ["ignore", "pipe", "pipe"],
      env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : { NO_COLOR: "1" }) },
    });
    const chunks = [];
    child.stdout?.on("data", (chunk) => chunks.push(chunk));
    child.stderr?.on("data", (chunk) => chunks.push(chunk));
    let isLate = false;
    const stop = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It ended by itself meanwhile.
      }
    };
    const timer = setTimeout(() => {
      isLate = true;
      stop("SIGKILL");
    }, step.limitMs);
    const onSignal = (signal) => {
      stop("SIGKILL");
      process.exit(signal === "SIGINT" ? 130 : 143);
    };
    process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
    const finish = (fault) => {
      clearTimeout(timer);
      process.removeListener("SIGINT", onSignal).removeListener("SIGTERM", onSignal);
      // What a test left running may hold our pipes open; the step is over when its process is.
      child.stdout?.destroy();
      child.stderr?.destroy();
      resolve({ output: Buffer.concat(chunks).toString("utf8"), fault });
    };
    child.on("error", (error) => finish(error.message));
    child.on("exit", (code, signal) => {
      const late = isLate ? `stopped after ${step.limitMs / 1000} s` : undefined;
      // The pipes may hold output that was not read yet.
      setTimeout(() => finish(late ?? (code === 0 ? undefined : `exit ${code ?? signal}`)), 50);
    });
  });
}
