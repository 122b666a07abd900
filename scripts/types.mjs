// Type-checks the whole project once and reports it as tests: one for the project and one for every `*.test-d.ts`, whose
// `@ts-expect-error` lines are its assertions. Argument: the path of the report.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { ROOT } from "./once.mjs";
import { reportOf, writeReport } from "./steps.mjs";

const tsc = path.join(ROOT, "node_modules", "typescript", "bin", "tsc");
const run = spawnSync(process.execPath, [tsc, "--noEmit", "--pretty", "false", "-p", "tsconfig.json"], {
  cwd: ROOT,
  encoding: "utf8",
  maxBuffer: 64 * 1024 * 1024,
});
process.stdout.write(run.stdout + run.stderr);

const typeTests = ["src", "test"]
  .filter((folder) => fs.existsSync(path.join(ROOT, folder)))
  .flatMap((folder) => fs.readdirSync(path.join(ROOT, folder), { recursive: true }).map((file) => `${folder}/${file}`))
  .filter((file) => file.endsWith(".test-d.ts"))
  .sort();

/** Diagnostics by file; what has no file (a broken configuration, a crash) belongs to the project. */
const faults = new Map();
for (const line of run.stdout.split("\n")) {
  const file = /^(\S[^(]*)\(\d+,\d+\): error /.exec(line)?.[1] ?? (line.startsWith("error ") ? "project" : undefined);
  if (file === undefined) continue;
  const owner = typeTests.includes(file) ? file : "project";
  faults.set(owner, `${faults.get(owner) ?? ""}${line}\n`);
}
if (run.status !== 0 && faults.size === 0) faults.set("project", `tsc ended with ${run.status ?? run.signal}`);

const cases = ["project", ...typeTests].map((title) => ({ title, message: faults.get(title) }));
writeReport("types", cases, process.argv[2] ?? reportOf("types"));
process.exitCode = faults.size === 0 ? 0 : 1;
