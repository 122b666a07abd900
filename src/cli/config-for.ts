/**
 * The configuration every command goes by: the user's own file, and the `lockyard.yaml` that was found above a directory.
 *
 * What holds without being trusted: numbers of capacities, pools and rates, rules and limits of a found file, for they
 * only restrict and the user's own file overrules them. What does not: agents and whatever else starts a process
 * (run/trust.ts).
 */
import type { Config } from "../config/config.ts";
import { configHere, findOptions } from "../config/config-here.ts";
import { findConfigFiles } from "../config/find-files.ts";
import { LockyardError } from "../edges/basics.ts";
import type { Surroundings } from "./surroundings.ts";

/** Why a plan or a configuration could not be loaded, with the lines of the file shown. */
export class PlanFault extends Error {
  readonly details: string;
  constructor(cause: unknown, details: string) {
    super(details, { cause });
    this.details = details;
  }
}

/** See `configHere`. Throws PlanFault. */
export async function configFor(
  here: Pick<Surroundings, "cwd" | "env">,
  kept?: Readonly<Record<string, string>>,
): Promise<Config> {
  try {
    return await configHere(here, kept);
  } catch (error) {
    const { files } = findConfigFiles(findOptions(here, kept));
    throw await withLines(error, Object.fromEntries(files.map(({ path, text }) => [path, text])));
  }
}

/** A fault with the lines of its files shown. */
export async function withLines(error: unknown, texts: Readonly<Record<string, string>>): Promise<unknown> {
  if (!(error instanceof LockyardError) || error.faults.length === 0) return error;
  const { formatFaults } = await import("../plan/faults.ts");
  return new PlanFault(error, formatFaults(error, texts));
}
