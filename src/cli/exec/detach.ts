/** `exec --detach`: the same command line in a session of its own, its output in a file; `lockyard wait ID` asks after it. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { chooseStore } from "../../config/store-choice.ts";
import { LockyardError } from "../../edges/basics.ts";
import { storeFile } from "../../edges/store.ts";
import { EXIT } from "../exit-codes.ts";
import type { Surroundings } from "../surroundings.ts";

export interface Detached {
  /** What was typed after `lockyard`. */
  readonly typed: readonly string[];
  readonly command: readonly string[];
  readonly workflowId: string;
  readonly store: string | undefined;
  readonly isJson: boolean;
  readonly surroundings: Surroundings;
}

/** Prints the id, and ends at once: whether it is admitted, and how it ends, `wait` tells. */
export function detach({ typed, command, workflowId, store, isJson, surroundings }: Detached): number {
  const { out, env, cwd } = surroundings;
  const file = outputFile(workflowId, store, surroundings);
  const options = typed.slice(0, typed.length - command.length).filter((word) => word !== "--detach" && word !== "--");
  const [name = "exec", ...rest] = options;
  const output = openOutput(file);
  try {
    const child = spawn(
      process.execPath,
      [process.argv[1] ?? "", name, "--id", workflowId, ...rest, "--", ...command],
      { cwd, env: { ...env }, detached: true, stdio: ["ignore", output, output] },
    );
    // That it could not start is in nobody's interest later: say it now.
    child.on("error", (error) => surroundings.err.line(`lockyard: could not be started: ${error.message}`));
    child.unref();
  } finally {
    closeSync(output);
  }
  if (isJson) out.json({ type: "detached", id: workflowId, output: file });
  else {
    out.line(workflowId);
    surroundings.err.line(
      `lockyard: runs in the background; its output goes to ${file}. Then: lockyard wait ${workflowId}`,
    );
  }
  return EXIT.ok;
}

/** Beside the store, for this user alone. */
export function outputFile(
  workflowId: string,
  store: string | undefined,
  { env, cwd }: Pick<Surroundings, "env" | "cwd">,
): string {
  const choice = chooseStore(store, { env, cwd });
  const file = choice.kind === "sqlite" && choice.file !== undefined ? choice.file : storeFile().file;
  return join(dirname(file), "output", `${workflowId}.log`);
}

function openOutput(file: string): number {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    return openSync(file, "a", 0o600);
  } catch (error) {
    throw new LockyardError("STORE_UNAVAILABLE", `The output cannot be written to ${file}.`, { cause: error });
  }
}
