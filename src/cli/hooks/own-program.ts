/** The Node and the script that a host is to start: by absolute paths, and checked. */
import { realpathSync } from "node:fs";
import { LockyardError } from "../../edges/basics.ts";
import { fittingNode } from "../exec/fitting-node.ts";
import { isFitting } from "../exec/fitting-version.ts";
import type { Environment } from "../terminal/capabilities.ts";

export interface OwnProgram {
  readonly node: string;
  readonly script: string;
  /** What a person should know about it. */
  readonly notes: readonly string[];
}

/** Throws NODE_TOO_OLD when no Node of this machine can share a store. */
export async function ownProgram(env: Environment): Promise<OwnProgram> {
  const script = realpathSync(process.argv[1] ?? "");
  const isPassing = script.includes("/_npx/");
  const notes = isPassing
    ? ["This copy of Lockyard is in npm's cache, which npm may clear: npm i -g lockyard, and install again."]
    : [];
  if (isFitting(process.versions.node)) return { node: process.execPath, script, notes };
  const better = await fittingNode(env);
  if (better === null) {
    throw new LockyardError(
      "NODE_TOO_OLD",
      `Node ${process.versions.node} cannot share locks between processes (needs 22.23, 24.15 or 26).`,
      { hint: "nvm install 24, and install again." },
    );
  }
  const found = `Node ${process.versions.node} cannot share locks; the hooks use v${better.version} in ${better.place}.`;
  return { node: better.program, script, notes: [...notes, found] };
}
