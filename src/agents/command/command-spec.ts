/** How a command is written down, by a person or by a plan. */
import { LockyardError } from "../../core/errors.ts";

/** What to start. Exactly one of `argv` and `shell`. */
export interface CommandSpec {
  /** Program and arguments; no shell reads them. */
  readonly argv?: readonly string[];
  /** A script for `sh -c`. Only what a person wrote: hand values over as variables or on stdin. */
  readonly shell?: string;
  /** Variables for the child, besides a short allow-list (PATH, HOME, LANG, LC_*, TERM, TMPDIR, SHELL, USER, LOGNAME, TZ). */
  readonly env?: Readonly<Record<string, string>>;
  /** Names of our own variables that are passed on too. */
  readonly passEnv?: readonly string[];
  /** Default: our own working directory. */
  readonly cwd?: string;
}

/** A spec that was checked. With `shell`, `argv[0]` is the script. */
export interface Command extends Pick<CommandSpec, "env" | "passEnv" | "cwd"> {
  readonly argv: readonly string[];
  readonly shell: boolean;
}

/** Variables and directory without the command: a spec with `shell` must not meet an agent's `argv`. */
export function surroundingsOf({ env, passEnv, cwd }: CommandSpec): CommandSpec {
  return {
    ...(env === undefined ? undefined : { env }),
    ...(passEnv === undefined ? undefined : { passEnv }),
    ...(cwd === undefined ? undefined : { cwd }),
  };
}

/** The one way to start it that a spec names. Throws INVALID_OPTION when it names none or two. */
export function checkedSpec(spec: CommandSpec): Command {
  const { argv, shell } = spec;
  if (shell !== undefined && argv === undefined && typeof shell === "string" && shell !== "") {
    return { ...surroundingsOf(spec), argv: [shell], shell: true };
  }
  if (argv !== undefined && shell === undefined && Array.isArray(argv) && argv.length > 0) {
    return { ...surroundingsOf(spec), argv, shell: false };
  }
  throw new LockyardError(
    "INVALID_OPTION",
    "A command agent needs either argv, a list of strings, or shell, a script.",
    {
      hint: 'commandAgent({ argv: ["npm", "test"] }), or commandAgent({ shell: "npm test | tee log" }).',
    },
  );
}
