/**
 * Another Node of this machine, for when the one that runs us cannot share a store: never pretended, so it is looked for
 * where version managers put them (M13).
 */
import { execFile } from "node:child_process";
import { readdirSync } from "node:fs";
import os from "node:os";
import { delimiter, join } from "node:path";
import { systemClock } from "../../edges/basics.ts";
import { newMarker, spawnForeground } from "../../edges/run.ts";
import type { Environment } from "../terminal/capabilities.ts";
import { codeOfExit, codeOfSignal, endAs } from "./codes.ts";
import { isFitting } from "./fitting-version.ts";
import { groupFor, Signals, terminalStreams } from "./signals.ts";

export interface FoundNode {
  readonly program: string;
  readonly version: string;
  /** For people: `~/.nvm`. */
  readonly place: string;
}

/** Programs asked for their version; what lies beyond is not looked at. */
const ASKED = 40;
const ASK_LIMIT_MS = 3_000;
/** Set for the Node we start, so that two that do not fit never start each other. */
const GUARD = "LOCKYARD_NODE_CHOSEN";

export async function fittingNode(env: Environment): Promise<FoundNode | null> {
  if (env[GUARD] !== undefined) return null;
  const home = env.HOME ?? os.homedir();
  for (const { program, place } of candidates(env, home).slice(0, ASKED)) {
    const version = await versionOf(program);
    if (version !== null && isFitting(version)) return { program, version, place };
  }
  return null;
}

function candidates(env: Environment, home: string): readonly { readonly program: string; readonly place: string }[] {
  const managers: readonly (readonly [string, string, ...string[]])[] = [
    ["~/.nvm", join(env.NVM_DIR ?? join(home, ".nvm"), "versions/node"), "bin/node"],
    ["fnm", join(env.FNM_DIR ?? join(home, ".local/share/fnm"), "node-versions"), "installation/bin/node"],
    ["volta", join(env.VOLTA_HOME ?? join(home, ".volta"), "tools/image/node"), "bin/node"],
    ["mise", join(home, ".local/share/mise/installs/node"), "bin/node"],
    ["asdf", join(env.ASDF_DATA_DIR ?? join(home, ".asdf"), "installs/nodejs"), "bin/node"],
    ["n", join(env.N_PREFIX ?? "/usr/local", "n/versions/node"), "bin/node"],
  ];
  const managed = managers.flatMap(([place, folder, inside = ""]) =>
    // Newest first, as their names sort.
    list(folder)
      .toSorted((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .map((name) => ({ place, program: join(folder, name, inside) })),
  );
  const onPath = (env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => folder.startsWith("/"))
    .map((folder) => ({ place: folder, program: join(folder, "node") }));
  return [...managed, ...onPath].filter(({ program }) => program !== process.execPath);
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function versionOf(program: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(program, ["--version"], { timeout: ASK_LIMIT_MS, env: {} }, (error, stdout) => {
      const found = /^v(\d+\.\d+\.\d+)/.exec(stdout);
      resolve(error === null && found !== null ? (found[1] ?? null) : null);
    });
  });
}

/** The same command line under another Node, in our place. */
export async function runUnder(program: string): Promise<number> {
  const group = groupFor(terminalStreams());
  const signals = new Signals((signal) => process.exit(codeOfSignal(signal)));
  signals.listen();
  try {
    const child = await spawnForeground({
      argv: [program, ...process.argv.slice(1)],
      group,
      isNice: false,
      memoryBytes: null,
      ownEnv: { [GUARD]: program },
      marker: newMarker(systemClock()),
    });
    signals.passTo({ group, signal: child.signal });
    return endAs(codeOfExit(await child.exited));
  } finally {
    signals.close();
  }
}
