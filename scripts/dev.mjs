#!/usr/bin/env node
// Every npm script of this repository goes through this file: `node scripts/dev.mjs TASK [args]`.
// It makes a fresh clone work on a machine whose Node is too old: a fitting Node comes from npm into .cache/, the
// dependencies are installed and dist is built when the task needs them. No dependencies; must run on Node 18.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { DevError, findNode, NODE_RANGE, npm } from "./nodes.mjs";
import { fingerprintOf, ROOT, readIfThere, withLock } from "./once.mjs";

/** `needs`: what must be true before the task starts ("modules" installed, "dist" built; dist includes modules). */
const TASKS = {
  build: { help: "compile the library, bundle the command line", needs: "modules", script: "scripts/build.mjs" },
  check: {
    help: "format, lint, types, unit tests, unused code, short simulation",
    needs: "modules",
    script: "scripts/check.mjs",
  },
  test: {
    help: "check plus every suite; ends with `N passed, N failed`",
    needs: "modules",
    script: "scripts/test.mjs",
  },
  unit: {
    help: "vitest with its own arguments: unit -- src/core",
    needs: "modules",
    script: "node_modules/vitest/vitest.mjs",
    args: ["run"],
  },
  format: {
    help: "write the house's format and safe lint fixes",
    needs: "modules",
    script: "node_modules/@biomejs/biome/bin/biome",
    args: ["check", "--write"],
  },
  types: {
    help: "type-check everything",
    needs: "modules",
    script: "node_modules/typescript/bin/tsc",
    args: ["--noEmit", "-p", "tsconfig.json"],
  },
  bench: {
    help: "bench -- NAME [--data DIR] [--rounds N] [--write], or --list",
    needs: "modules",
    script: "scripts/bench.mjs",
  },
  sim: { help: "seeded simulation: sim -- --seeds N --seed S", needs: "modules", script: "scripts/sim.mjs" },
  prove: {
    help: "storms, histories, clocks, namespaces, programs: prove -- [--long] [FILE...]",
    needs: "modules",
    script: "scripts/prove.mjs",
  },
  demo: { help: "a real plan over a real repository: demo -- [PATH]", needs: "dist", script: "scripts/demo.mjs" },
  package: {
    help: "pack, lint the package, install and run it on every supported Node",
    needs: "dist",
    script: "scripts/package-check.mjs",
  },
  node: { help: "run any file on the right Node: node -- file.ts [args]", needs: "modules" },
  setup: { help: "only fetch Node, install, and print the Node's path", needs: "modules" },
};

const say = (line) => process.stderr.write(`dev: ${line}\n`);

async function main() {
  const [task, ...rest] = process.argv.slice(2);
  if (task === undefined || task === "--help" || task === "-h" || task === "help") {
    process.stdout.write(usage());
    process.exitCode = task === undefined ? 2 : 0;
    return;
  }
  const spec = TASKS[task];
  if (spec === undefined) throw new DevError(`There is no task "${task}". Tasks: ${Object.keys(TASKS).join(", ")}.`);
  const args = rest[0] === "--" ? rest.slice(1) : rest;
  const node = await findNode();
  const env = environmentFor(node);
  await installModules(env);
  if (spec.needs === "dist") buildWhenStale(node, env);
  if (task === "setup") {
    process.stdout.write(`${node}\n`);
    return;
  }
  await runTask(node, spec.script ? [path.join(ROOT, spec.script), ...(spec.args ?? []), ...args] : args, env, task);
}

function usage() {
  const width = Math.max(...Object.keys(TASKS).map((name) => name.length)) + 2;
  const lines = Object.entries(TASKS).map(([name, { help }]) => `  ${name.padEnd(width)}${help}`);
  return `Usage: node scripts/dev.mjs TASK [args]

Runs a task of this repository on a Node that fits ${NODE_RANGE}, with dependencies installed.

Tasks:
${lines.join("\n")}

Environment:
  LOCKYARD_DEV_NODE  path of the Node to use instead of looking for one
`;
}

// --- What a task needs ------------------------------------------------------------------------------------------------

function environmentFor(node) {
  const bin = path.join(ROOT, "node_modules", ".bin");
  return { ...process.env, PATH: [path.dirname(node), bin, process.env.PATH ?? ""].join(path.delimiter) };
}

async function installModules(env) {
  const lockFile = fs.existsSync(path.join(ROOT, "package-lock.json")) ? "package-lock.json" : "package.json";
  const stampFile = path.join(ROOT, "node_modules", ".lockyard-install");
  const isInstalled = () => readIfThere(stampFile) === fingerprintOf([lockFile]);
  if (isInstalled()) return;
  await withLock("install", () => {
    if (isInstalled()) return;
    const verb = lockFile === "package-lock.json" ? "ci" : "install";
    say(`installing dependencies (npm ${verb})`);
    // Said aloud: with NODE_ENV=production npm would leave the tools out.
    npm([verb, "--include=dev"], ROOT, env);
    fs.writeFileSync(stampFile, fingerprintOf([lockFile]));
  });
}

function buildWhenStale(node, env) {
  const run = spawnSync(node, [path.join(ROOT, "scripts", "build.mjs"), "--if-stale"], {
    cwd: ROOT,
    env,
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) throw new DevError("The build failed; its errors are above.");
}

// --- Running ----------------------------------------------------------------------------------------------------------

function runTask(node, args, env, task) {
  if (task !== "node" && !fs.existsSync(args[0])) {
    throw new DevError(`Task "${task}" needs ${path.relative(ROOT, args[0])}, which does not exist.`);
  }
  // Arbitrary files are found from where the caller stands; the repository's own tasks run at its root.
  const child = spawn(node, args, { cwd: task === "node" ? process.cwd() : ROOT, env, stdio: "inherit" });
  const forward = (signal) => child.kill(signal);
  process.on("SIGTERM", forward).on("SIGHUP", forward);
  // A terminal sends Ctrl-C to the whole group: the child has it already, this process only must outlive it.
  process.on("SIGINT", () => {});
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      process.exitCode = code ?? 128 + ({ SIGINT: 2, SIGKILL: 9, SIGTERM: 15 }[signal] ?? 1);
      process.removeAllListeners("SIGINT");
      resolve();
    });
  });
}

main().catch((error) => {
  say(error instanceof DevError ? error.message : error.stack);
  process.exitCode = 1;
});
