/** `lockyard each GLOB -- COMMAND`: the same command for each file, as many at once as their claims allow. No plan needed. */
import { join } from "node:path";
import { LockyardError } from "../../edges/basics.ts";
import { configFor, PlanFault } from "../config-for.ts";
import { type ClaimOptions, claimsOf } from "../exec/claims.ts";
import type { ExitCode } from "../exit-codes.ts";
import { tellFailure } from "../failure.ts";
import { planOf } from "../plan-file.ts";
import type { EachOptions } from "../program.ts";
import { runPlan } from "../run/run-plan.ts";
import type { Surroundings } from "../surroundings.ts";
import type { Environment } from "../terminal/capabilities.ts";

export async function eachCommand(
  words: readonly string[],
  options: EachOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { cwd, env } = surroundings;
  const json = options.json === true || options.ui === "json";
  try {
    const text = JSON.stringify(planFor(splitAtDashes(words, process.argv), options, env), null, 2);
    const config = await configFor({ cwd, env });
    const loaded = await planOf({ path: join(cwd, "each.json"), shown: "each", text, config, only: undefined });
    if (loaded.expanded.tasks.length === 0) {
      throw new LockyardError("INVALID_OPTION", `No file matches ${words[0] ?? ""}.`, {
        hint: "Quote the pattern, so that the shell does not expand it: lockyard each 'docs/**/*.md' -- …",
      });
    }
    return await runPlan({ loaded, around: { ...surroundings, options } });
  } catch (error) {
    if (error instanceof PlanFault) return tellFailure(error.cause, surroundings, { json, details: error.details });
    return tellFailure(error, surroundings, { json });
  }
}

interface Typed {
  /** One pattern, or the files a shell made of it. */
  readonly files: readonly string[];
  readonly command: readonly string[];
}

/** What stands before `--` and what behind it: the parser of options does not tell. */
export function splitAtDashes(words: readonly string[], typed: readonly string[]): Typed {
  const dashes = typed.indexOf("--");
  const behind = dashes < 0 ? 0 : typed.length - dashes - 1;
  const files = words.slice(0, words.length - behind);
  const command = words.slice(words.length - behind);
  if (files.length > 0 && command.length > 0) return { files, command };
  throw new LockyardError(
    "INVALID_OPTION",
    files.length === 0 ? "each was given no pattern." : "each was given no command.",
    {
      hint: "lockyard each 'docs/**/*.md' --write {} -- npx prettier --write {}",
    },
  );
}

/** The plan a person would write for it. */
export function planFor({ files, command }: Typed, options: EachOptions, env: Environment): object {
  const [pattern = ""] = files;
  const max = files.length > 1 ? {} : { max: 10_000 };
  return {
    name: "each",
    ...(options.concurrency === undefined ? {} : { concurrency: options.concurrency }),
    tasks: {
      [nameOf(command)]: {
        run: command.map(withFile),
        forEach: { ...(files.length > 1 ? { list: files } : { glob: pattern }), as: "file", ...max },
        claims: claimsOf(templates(options)),
        // As a shell would run it: with the whole environment.
        env: Object.fromEntries(
          Object.keys(env)
            .filter(isHandedOn)
            .map((name) => [name, null]),
        ),
        identify: "off",
        ...(options.retry === undefined ? {} : { retry: options.retry }),
        ...(options.timeout === undefined ? {} : { timeout: `${options.timeout}ms` }),
      },
    },
  };
}

function isHandedOn(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !name.startsWith("LOCKYARD_");
}

function templates(options: EachOptions): ClaimOptions {
  const each = (texts: readonly string[] | undefined) => texts?.map(withFile);
  const { write, read, observe, use, lock, shared } = options;
  return Object.fromEntries(
    Object.entries({ write, read, observe, use, lock, shared })
      .filter(([, texts]) => texts !== undefined)
      .map(([verb, texts]) => [verb, each(texts)]),
  );
}

/** `{}` is the file; all else is as it was typed, even where a plan would read more into it. */
function withFile(text: string): string {
  return text.replaceAll("{{", "\\{{").replaceAll("{}", "{{file}}");
}

function nameOf([program = ""]: readonly string[]): string {
  const name = (program.split("/").at(-1) ?? "").replaceAll(/[^\w-]+/g, "-").replaceAll(/^-+|-+$/g, "");
  return /^[A-Za-z]/.test(name) ? name.slice(0, 40) : "each";
}
