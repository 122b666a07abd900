// Checks what users install: packs the built package, lints it, installs the tarball into an empty project and runs it on
// every supported Node. Reports each check as a test; optional argument: the path of the report.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { nodeOf, npm, versionOf } from "./nodes.mjs";
import { ROOT } from "./once.mjs";
import { reportOf, writeReport } from "./steps.mjs";

const MAX_PACKED_BYTES = 600 * 1000;
const NODE_MAJORS = [20, 22, 24, 26];

/** Runs inside the empty project: two tasks that only end when both run, so a queue of one would hang and be stopped. */
const LIBRARY_PROGRAM = `
import { createTaskCall, defineAgents, functionAgent, MCPIntegrationLayer } from "lockyard";
let running = 0;
let open;
const bothRun = new Promise((resolve) => { open = resolve; });
const agents = defineAgents({
  worker: functionAgent(async (task) => {
    running += 1;
    if (running === 2) open();
    await bothRun;
    return { double: task.contextData.number * 2 };
  }),
});
const layer = new MCPIntegrationLayer({ workflowId: "package-check", agents });
const calls = [1, 2].map((number) => createTaskCall({
  agentId: "worker_" + number, taskType: "check", description: "double a number", contextData: { number },
}));
const results = await layer.executeMultipleTaskCalls(calls);
await layer.close();
const line = results.map((result) => result.status + " " + result.output?.double).join(", ");
if (line !== "succeeded 2, succeeded 4") throw new Error("expected two results, got: " + line);
for (const name of ["lockyard/sqlite", "lockyard/testing", "lockyard/schema/plan.schema.json"]) import.meta.resolve(name);
`;

class CheckError extends Error {}

const cases = [];
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), "lockyard-package-"));

async function main() {
  let tarball;
  await check("npm pack gives a tarball of at most 600 kB", () => {
    npm(["pack", "--ignore-scripts", "--pack-destination", scratch], ROOT);
    tarball = path.join(
      scratch,
      fs.readdirSync(scratch).find((file) => file.endsWith(".tgz")),
    );
    const bytes = fs.statSync(tarball).size;
    console.log(`packed: ${(bytes / 1000).toFixed(0)} kB`);
    if (bytes > MAX_PACKED_BYTES) throw new CheckError(`It has ${bytes} bytes; the limit is ${MAX_PACKED_BYTES}.`);
  });
  if (tarball === undefined) return;
  await check("publint finds nothing", () => tool("publint", "src/cli.js", tarball, "--strict"));
  await check("every entry point resolves with its types", () => {
    tool("@arethetypeswrong/cli", "dist/index.js", tarball, "--profile", "esm-only", "--format", "ascii");
  });
  const project = path.join(scratch, "project");
  await check("it installs into an empty project without scripts", () => {
    fs.mkdirSync(project);
    fs.writeFileSync(path.join(project, "package.json"), '{"private":true,"type":"module"}\n');
    fs.writeFileSync(path.join(project, "use.mjs"), LIBRARY_PROGRAM);
    npm(["install", "--ignore-scripts", "--prefix", project, tarball], project);
  });
  for (const major of NODE_MAJORS) {
    const node = await nodeOf(major);
    if (node === undefined) {
      console.log(`not on this platform: Node ${major} (npm has none)`);
      continue;
    }
    const version = versionOf(node);
    await check(`two tasks run at once on Node ${version}`, () => run(node, ["use.mjs"], project));
    await check(`the command tells its version on Node ${version}`, () => {
      const command = path.join("node_modules", "lockyard", "bin", "lockyard.js");
      const wanted = JSON.parse(fs.readFileSync(path.join(ROOT, "package.json"), "utf8")).version;
      const said = run(node, [command, "--version"], project).trim();
      if (!said.includes(wanted)) throw new CheckError(`It says "${said}", not ${wanted}.`);
      run(node, [command, "--help"], project);
    });
    await check(`exec takes its turn, or says that it does not, on Node ${version}`, () => {
      const command = path.join("node_modules", "lockyard", "bin", "lockyard.js");
      // A PATH with nothing else on it: no other Node is to be found.
      const exec = (...claims) =>
        run(node, [command, "exec", ...claims, "--", "/bin/echo", "it ran"], project, { PATH: "/nowhere" });
      if (!exec("--use", "build").includes("it ran")) throw new CheckError("The command did not run.");
      const [, minor = 0] = version.split(".").map(Number);
      const isShared = major > 24 || (major === 24 && minor >= 15) || (major === 22 && minor >= 23);
      let isLocked = true;
      try {
        exec("--write", "src");
      } catch (error) {
        isLocked = false;
        if (isShared || !error.message.includes("NODE_TOO_OLD")) throw error;
      }
      if (isLocked !== isShared) throw new CheckError("It pretended to lock what it cannot lock.");
    });
  }
}

async function check(title, work) {
  try {
    await work();
    cases.push({ title });
    console.log(`ok      ${title}`);
  } catch (error) {
    cases.push({ title, message: error.message });
    console.log(`FAILED  ${title}\n${error.message.replaceAll(/^/gm, "        ")}`);
  }
}

function run(node, args, cwd, more = {}) {
  // A home of its own: a check never touches the user's state, and the compile cache stays out of the way.
  const env = { ...process.env, HOME: scratch, XDG_STATE_HOME: path.join(scratch, "state"), NODE_OPTIONS: "", ...more };
  const child = spawnSync(node, args, { cwd, env, encoding: "utf8", timeout: 60_000 });
  if (child.status === 0) return child.stdout;
  const ending =
    child.error?.code === "ETIMEDOUT" ? "was stopped after 60 s" : `ended with ${child.status ?? child.signal}`;
  throw new CheckError(`${path.basename(args[0])} ${ending}\n${child.stdout ?? ""}${child.stderr ?? ""}`.trim());
}

function tool(name, file, ...args) {
  run(process.execPath, [path.join(ROOT, "node_modules", name, file), ...args], ROOT);
}

try {
  await main();
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
  writeReport("package-check", cases, process.argv[2] ?? reportOf("package-check"));
  process.exitCode = cases.some(({ message }) => message !== undefined) ? 1 : 0;
}
