// How a command of a plan talks to Lockyard: the task comes as JSON on stdin, reports go out as lines on stdout.
import fs from "node:fs";

/** `{ task, dependencies, attempt, workflowId }`. */
export function readInput() {
  return JSON.parse(fs.readFileSync(0, "utf8"));
}

export function report(fields) {
  process.stdout.write(`::lockyard ${JSON.stringify(fields)}\n`);
}

/** The result of the task, and in `says` one sentence for people. */
export function finish(result) {
  report({ result });
}

/** The repository that is audited. */
export const ROOT = process.env.AUDIT_ROOT ?? process.cwd();

/** Its files, relative to the root. */
export async function listFiles() {
  const { spawnSync } = await import("node:child_process");
  const args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const { stdout } = spawnSync("git", args, { cwd: ROOT, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  return [...new Set((stdout ?? "").split("\0"))].filter((file) => file !== "");
}

/** The text of a file, undefined when it is missing, large or not text. */
export function readText(file) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat?.isFile() !== true || stat.size > 1024 * 1024) return undefined;
  const bytes = fs.readFileSync(file);
  return bytes.subarray(0, 8_192).includes(0) ? undefined : bytes.toString("utf8");
}
