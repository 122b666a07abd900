#!/usr/bin/env node
// Installs the real programs that test/hosts drives, pinned, from npm into a cache outside the repository:
// `node scripts/hosts.mjs [NAME ... | --all | --list]`. A folder that exists there is complete.
// No dependencies; must run on Node 18.
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { DevError, npm } from "./nodes.mjs";
import { withLock } from "./once.mjs";

/** Always with a version: without one npm silently takes the newest whose `engines` fit the Node at hand. */
const PROGRAMS = {
  "claude-code": { package: "@anthropic-ai/claude-code", version: "2.1.331", binary: "claude" },
  codex: { package: "@openai/codex", version: "0.169.0", binary: "codex" },
  "gemini-cli": { package: "@google/gemini-cli", version: "0.61.0", binary: "gemini", onRequest: true },
  opencode: { package: "opencode-ai", version: "1.18.33", binary: "opencode", onRequest: true },
  conformance: { package: "@modelcontextprotocol/conformance", version: "0.1.16", binary: "conformance" },
  "conformance-next": {
    package: "@modelcontextprotocol/conformance",
    version: "0.2.0-alpha.12",
    binary: "conformance",
  },
  inspector: { package: "@modelcontextprotocol/inspector", version: "2.12.0", binary: "mcp-inspector" },
};

/** What CI always has; with `LOCKYARD_HOSTS=all` everything. */
export function wantedPrograms() {
  const all = process.env.LOCKYARD_HOSTS === "all";
  return Object.keys(PROGRAMS).filter((name) => all || !PROGRAMS[name].onRequest);
}

/** Where a program is, or would be: `{ name, version, binary }`. */
export function program(name) {
  const { package: packageName, version, binary } = specOf(name);
  const folder = path.join(hostsCache(), `${name}@${version}`);
  return { name, version, packageName, folder, binary: path.join(folder, "node_modules", ".bin", binary) };
}

export function isInstalled(name) {
  return fs.existsSync(program(name).binary);
}

/** Installs one; the binary's path. Throws a DevError that says what to do when npm cannot bring it. */
export async function installProgram(name) {
  const { version, packageName, folder, binary } = program(name);
  if (fs.existsSync(binary)) return binary;
  const place = path.dirname(folder);
  const work = () => {
    if (fs.existsSync(binary)) return;
    process.stderr.write(`hosts: fetching ${packageName}@${version} from npm into ${folder} (once)\n`);
    // Installed beside its place and renamed: a folder that exists is complete, also after Ctrl-C.
    const staging = `${folder}.${process.pid}`;
    fs.rmSync(staging, { recursive: true, force: true });
    fs.mkdirSync(staging, { recursive: true });
    fs.writeFileSync(path.join(staging, "package.json"), '{"private":true}\n');
    npm(["install", "--prefix", staging, "--no-save", `${packageName}@${version}`], staging);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(staging, folder);
  };
  await withLock(`${name}@${version}`, work, place);
  if (fs.existsSync(binary)) return binary;
  throw new DevError(`${packageName}@${version} has no program ${path.basename(binary)}. Correct scripts/hosts.mjs.`);
}

function hostsCache() {
  const named = process.env.LOCKYARD_HOSTS_CACHE;
  return path.resolve(named || path.join(os.homedir(), ".cache", "lockyard-hosts"));
}

function specOf(name) {
  const spec = PROGRAMS[name];
  if (spec !== undefined) return spec;
  throw new DevError(`There is no program "${name}". Known: ${Object.keys(PROGRAMS).join(", ")}.`);
}

async function main(args) {
  if (args.includes("--list")) {
    for (const name of Object.keys(PROGRAMS)) print(name, isInstalled(name) ? program(name).binary : "not installed");
    return;
  }
  const names = args.includes("--all") ? Object.keys(PROGRAMS) : args;
  for (const name of names.length > 0 ? names : wantedPrograms()) {
    try {
      print(name, await installProgram(name));
    } catch (error) {
      if (!(error instanceof DevError)) throw error;
      process.stderr.write(`hosts: ${name} is missing. ${error.message}\n`);
      process.exitCode = 1;
    }
  }
}

function print(name, where) {
  process.stdout.write(`${name} ${specOf(name).version} ${where}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv.slice(2));
