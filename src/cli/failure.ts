/** How a command that could not do its work says so. */
import { type Fault, neutralise } from "../edges/basics.ts";
import { type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Surroundings } from "./surroundings.ts";

interface Told {
  readonly code: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly faults: readonly Fault[];
}

/** Faults listed without a source to show; the rest is counted. */
const SHOWN = 20;

/** Tells of an error and answers with the exit code. A bug is told with its stack; everything else is a sentence. */
export function tellFailure(
  error: unknown,
  { out, err }: Surroundings,
  options: { readonly json: boolean /** The faults as text, with source lines. */; readonly details?: string },
): ExitCode {
  const told = toldBy(error);
  if (options.json) {
    const { code = "BUG", message, hint, faults } = told;
    out.json({ type: "error", code, message, ...(hint === undefined ? {} : { hint }), faults });
    return exitCodeOf(told.code);
  }
  const { style } = err;
  const head = style.red("error:");
  if (told.code === undefined || told.code === "BUG") {
    err.line(`${head} ${neutralise(error instanceof Error ? (error.stack ?? error.message) : String(error))}`);
    err.line("This is a bug in Lockyard; please report it with the command you typed.");
    return exitCodeOf(told.code);
  }
  if (options.details !== undefined) err.line(`${head} ${options.details}`);
  else if (told.faults.length > 1) {
    err.line(`${head} ${told.faults.length} faults`);
    for (const { where, what, hint } of told.faults.slice(0, SHOWN)) {
      err.line(`  ${neutralise(`${where} ${what}${hint === undefined ? "" : `: ${hint}`}`)}`);
    }
    if (told.faults.length > SHOWN) err.line(`  and ${told.faults.length - SHOWN} more`);
  } else {
    err.line(`${head} ${neutralise(told.message)}`);
    if (told.hint !== undefined) err.line(`${style.dim("hint:")} ${neutralise(told.hint)}`);
  }
  return exitCodeOf(told.code);
}

/** By shape: two copies of the package may meet in one process. */
function toldBy(error: unknown): Told {
  const fields = typeof error === "object" && error !== null ? (error as Readonly<Record<string, unknown>>) : {}; // read by shape below
  return {
    code: typeof fields.code === "string" ? fields.code : undefined,
    message: typeof fields.message === "string" ? fields.message : String(error),
    hint: typeof fields.hint === "string" ? fields.hint : undefined,
    faults: Array.isArray(fields.faults) ? (fields.faults as readonly Fault[]) : [], // ours when it carries a code
  };
}
