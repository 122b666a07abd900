/**
 * The commands and their options. What a command does is loaded when it is called, so that asking for help or completion
 * costs nothing of it.
 */
import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import { addControlCommands, addHistoryCommands } from "./control-commands.ts";
import type { ClaimOptions } from "./exec/claims.ts";
import { EXEC_BROKEN, EXIT } from "./exit-codes.ts";
import { addServerCommands } from "./server-commands.ts";
import { addSetUpCommands } from "./set-up-commands.ts";
import type { CommonOptions, Surroundings } from "./surroundings.ts";
import { parseDuration } from "./terminal/duration.ts";
import { Output } from "./terminal/output.ts";
import { version } from "./version.ts";

/** Runs one command. Resolves to the exit code; never rejects. */
export async function runCli(args: readonly string[]): Promise<number> {
  const { env } = process;
  const surroundings: Surroundings = {
    out: new Output(process.stdout, env),
    err: new Output(process.stderr, env),
    env,
    cwd: process.cwd(),
  };
  let exitCode: number = EXIT.ok;
  const program = programFor(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: "user" });
    return exitCode;
  } catch (error) {
    // The codes of `exec` below 125 are those of its command.
    const isExec = args[0] === "exec";
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : isExec ? EXEC_BROKEN : EXIT.usage;
    const { tellFailure } = await import("./failure.ts");
    const code = tellFailure(error, surroundings, { json: args.includes("--json") && !isExec });
    return isExec ? EXEC_BROKEN : code;
  }
}

type Done = (code: number) => void;

/** The tree of commands. `done` is told how a command ended. */
export function programFor(surroundings: Surroundings, done: Done): Command {
  const { out, err } = surroundings;
  const program = new Command("lockyard");
  program
    .description("Runs many agent tasks at once and admits each only when everything it declared is free.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [command]", "show the help of a command")
    .showSuggestionAfterError(true)
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => helpWidth(out),
      getErrHelpWidth: () => helpWidth(err),
      getOutHasColors: () => out.capabilities.hasColour,
      getErrHasColors: () => err.capabilities.hasColour,
    })
    .exitOverride()
    // What follows the command of `exec` belongs to that command.
    .enablePositionalOptions()
    .addHelpText("after", ROOT_NOTES);
  addExecCommands(program, surroundings, done);
  addPlanCommands(program, surroundings, done);
  addLookCommands(program, surroundings, done);
  const wiring = {
    surroundings,
    done,
    command: (usage: string, text: string) => command(program, usage, text),
    example,
    time,
  };
  addControlCommands(wiring);
  addHistoryCommands(wiring);
  addServerCommands(wiring);
  addSetUpCommands({ ...wiring, program, wholeNumber });
  return program;
}

function helpWidth(output: Output): number {
  return Math.min(100, Number.isFinite(output.columns()) ? output.columns() : 100);
}

const ROOT_NOTES = `
Example:
  $ lockyard exec --use build -- npm test   take a turn: the same line for you, your Makefile and your agents
  $ lockyard why build           who holds it, since when, who is next
  $ lockyard init                write a first plan from this repository's own scripts
  $ lockyard plan lockyard.plan.yaml
  $ lockyard run lockyard.plan.yaml

Environment:
  LOCKYARD_STORE  the store, when --store does not say it
  LOCKYARD=off    turns Lockyard off in this shell: nothing is shared with other processes
  NO_COLOR, FORCE_COLOR, CI, TERM=dumb are honoured

Exit codes: 0 ok, 1 something failed, 2 bad usage or plan, 3 deadline or budget, 4 store, 130 interrupted`;

function command(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option("--json", "print JSON, for programs")
    .option(
      "--store <file>",
      "the store: a file, or `memory` for this process alone (default: LOCKYARD_STORE, else yours)",
    );
}

function example(lines: readonly string[]): string {
  return `\nExample:\n${lines.map((line) => `  $ ${line}`).join("\n")}`;
}

function addExecCommands(program: Command, surroundings: Surroundings, done: Done): void {
  command(program, "exec [command...]", "run a command when everything it needs is free, as if we were not there")
    .usage("[options] -- <command> [arguments...]")
    .passThroughOptions()
    .option("--use <name[:units]>", "units of a declared capacity, pool or rate; may be repeated", collect)
    .option("--write <path>", "lock a path and all below it; may be repeated", append)
    .option("--read <path>", "lock a path against writers; may be repeated", append)
    .option("--observe <path>", "no lock: reported when it changed meanwhile; may be repeated", append)
    .option("--lock <name>", "lock a name; needs no declaration; may be repeated", append)
    .option("--shared <name>", "lock a name together with others that share it; may be repeated", append)
    .option("--timeout <time>", "leave the line after this long (exit code 75)", time)
    .option("--no-wait", "start now or not at all (exit code 75)")
    .option("--detach", "print an id and go on in the background; see `lockyard wait`")
    .option("--mem <size>", "memory it and all it starts may use, for example 4g (needs a control group)", size)
    .option("--no-nice", "run at the usual priority for processor and disk")
    .addOption(
      new Option("--leftovers <way>", "what becomes of processes that outlive the command")
        .choices(["keep", "wait", "kill"])
        .default("keep"),
    )
    .option("--grace <time>", "between asking to end and killing, when it is cancelled", time, 5_000)
    .addOption(
      new Option(
        "--if-broken <way>",
        "when Lockyard cannot work (default: run, but fail with --write, --read, --lock)",
      ).choices(["run", "fail"]),
    )
    .option("--ticket <ticket>", "take over what a hook waited for; lapses after 10s")
    // For hooks: waits in line, prints a ticket, and leaves what it got to whoever started it.
    .addOption(new Option("--take-ticket").hideHelp())
    .addOption(new Option("--id <id>").hideHelp())
    .addHelpText(
      "after",
      `${example(["lockyard exec --use build -- npm test", "lockyard exec --write src/api --timeout 10m -- npx codegen"])}

It ends with the code of the command. Codes of its own: 75 not admitted (the place in line is kept for 3 minutes),
125 Lockyard failed, 126 not executable, 127 not found.`,
    )
    .action(async (words: string[], options: ExecOptions) => {
      const { execCommand } = await import("./commands/exec.ts");
      done(await execCommand(words, options, surroundings));
    });
  command(program, "each [words...]", "run a command for each file, as many at once as their claims allow")
    .usage("<pattern> [options] -- <command> [arguments...]")
    .option("--use <name[:units]>", "what each takes of a declared capacity, pool or rate; may be repeated", collect)
    .option("--write <path>", "what each locks; {} is the file; may be repeated", append)
    .option("--read <path>", "what each locks against writers; may be repeated", append)
    .option("--lock <name>", "a name each locks; may be repeated", append)
    .option("--concurrency <n>", "commands at once", wholeNumber)
    .option("--retry <n>", "further attempts after a failure", wholeNumber)
    .option("--timeout <time>", "stop one that runs longer than this", time)
    .option("--no-keep-going", "after the first failure, start nothing more")
    .option("-v, --verbose", "also print what the commands print")
    .addOption(new Option("--ui <way>", "how to show it (default: what fits)").choices(["live", "stream", "json"]))
    .addHelpText(
      "after",
      `${example(["lockyard each 'docs/**/*.md' --write {} -- npx prettier --write {}", `lockyard each 'src/*' --use build -- npm test -w {}`])}

{} stands for the file, anywhere in the command and in the claims. Quote the pattern.
Exit codes: as \`lockyard run\``,
    )
    .action(async (words: string[], options: EachOptions) => {
      const { eachCommand } = await import("./commands/each.ts");
      done(await eachCommand(words, options, surroundings));
    });
  command(program, "wait <id>", "wait until a detached command, a task or a workflow has ended")
    .option("--timeout <time>", "answer after this long at the latest (exit code 75)", time, 45_000)
    .addHelpText(
      "after",
      `${example(["lockyard wait exec-k3f9x2"])}

It ends with the code of the command, or 75 while that is not over; for a workflow with 0 or 1.`,
    )
    .action(async (id: string, options: WaitOptions) => {
      const { waitCommand } = await import("./commands/wait.ts");
      done(await waitCommand(id, options, surroundings));
    });
}

function addPlanCommands(program: Command, surroundings: Surroundings, done: Done): void {
  command(program, "run <plan>", "run the tasks of a plan, as many at once as their claims allow")
    .option("--concurrency <n>", "tasks at once", wholeNumber)
    .option("--only <task>", "only this task and what it depends on; may be repeated", collect)
    .option("--dry", "show what would run and start nothing, as `lockyard plan`")
    .option("--deadline <time>", "stop everything after this long, for example 30m", time)
    .option("--no-keep-going", "after the first failure, start nothing more")
    .option("-v, --verbose", "also print what tasks print, and what they wait for")
    .addOption(
      new Option("--tier <tier>", "what is kept outlives every process, or the machine's power too").choices([
        "process",
        "power",
      ]),
    )
    .addOption(new Option("--ui <way>", "how to show it (default: what fits)").choices(["live", "stream", "json"]))
    .addHelpText(
      "after",
      `${example(["lockyard run plan.yaml --concurrency 4", "lockyard run plan.yaml --json | tail -1 | jq .summary"])}

Ctrl-C lets running tasks finish and starts no more; a second one stops them.
Exit codes: 0 all succeeded, 1 some task did not, 2 bad plan, 3 deadline or budget, 4 store, 130 interrupted`,
    )
    .action(async (plan: string, options: RunOptions) => {
      const { runCommand } = await import("./commands/run.ts");
      done(await runCommand(plan, options, surroundings));
    });
  command(program, "plan <plan>", "show what a plan would do: order, collisions, what bounds its time")
    .option("--concurrency <n>", "tasks at once", wholeNumber)
    .option("--only <task>", "only this task and what it depends on; may be repeated", collect)
    .option("-v, --verbose", "every task, every claim, every collision")
    .addHelpText("after", example(["lockyard plan plan.yaml"]))
    .action(async (plan: string, options: PlanOptions) => {
      const { planCommand } = await import("./commands/plan.ts");
      done(await planCommand(plan, options, surroundings));
    });
}

function addLookCommands(program: Command, surroundings: Surroundings, done: Done): void {
  command(program, "status", "who runs, who waits and for what, in every process of this machine")
    .option("--locks", "list the locks: resource, mode, holder, since when, fence")
    .option("--watch", "keep showing it until Ctrl-C")
    .addHelpText("after", example(["lockyard status --locks", "lockyard status --json | jq '.waiting[].reason'"]))
    .action(async (options: StatusOptions) => {
      const { statusCommand } = await import("./commands/status.ts");
      done(await statusCommand(options, surroundings));
    });
  command(program, "why <what>", "why a task waits, or who holds a resource or path and who is next")
    .addHelpText(
      "after",
      example(["lockyard why build", "lockyard why src/api/users.ts", "lockyard why refresh-docs-7f3a/report"]),
    )
    .action(async (what: string, options: CommonOptions) => {
      const { whyCommand } = await import("./commands/why.ts");
      done(await whyCommand(what, options, surroundings));
    });
  command(program, "cancel [tasks...]", "stop tasks, here or in another process, and wait until they are gone")
    .option("--workflow <id>", "all tasks of this workflow")
    .option("--agent <id>", "all tasks of this agent")
    .option("--all", "all tasks of this store")
    .addHelpText(
      "after",
      example(["lockyard cancel refresh-docs-7f3a/report", "lockyard cancel --workflow refresh-docs-7f3a"]),
    )
    .action(async (tasks: string[], options: CancelOptions) => {
      const { cancelCommand } = await import("./commands/cancel.ts");
      done(await cancelCommand(tasks, options, surroundings));
    });
}

export interface ExecOptions extends CommonOptions, ClaimOptions {
  /** Milliseconds. */
  readonly timeout?: number;
  readonly wait: boolean;
  readonly detach?: boolean;
  readonly nice: boolean;
  /** Bytes. */
  readonly mem?: number;
  readonly leftovers: "keep" | "wait" | "kill";
  /** Milliseconds. */
  readonly grace: number;
  readonly ifBroken?: "run" | "fail";
  readonly ticket?: string;
  readonly takeTicket?: boolean;
  /** Given by `--detach` to the process it starts. */
  readonly id?: string;
}
export interface EachOptions extends RunOptions, ClaimOptions {
  readonly retry?: number;
  /** Milliseconds. */
  readonly timeout?: number;
}
export interface WaitOptions extends CommonOptions {
  /** Milliseconds. */
  readonly timeout: number;
}
export interface PlanOptions extends CommonOptions {
  readonly concurrency?: number;
  readonly only?: readonly string[];
  readonly verbose?: boolean;
}
export interface RunOptions extends PlanOptions {
  readonly dry?: boolean;
  /** Milliseconds. */
  readonly deadline?: number;
  readonly keepGoing: boolean;
  readonly tier?: "process" | "power";
  readonly ui?: "live" | "stream" | "json";
}
export interface StatusOptions extends CommonOptions {
  readonly locks?: boolean;
  readonly watch?: boolean;
}
export interface CancelOptions extends CommonOptions {
  readonly workflow?: string;
  readonly agent?: string;
  readonly all?: boolean;
}

function wholeNumber(text: string): number {
  const number = Number(text);
  if (/^\d{1,6}$/.test(text) && number >= 1) return number;
  throw new InvalidArgumentError("It must be a whole number of 1 or more.");
}

function time(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw new InvalidArgumentError("It must be a time like 90s, 30m or 1h30m.");
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...text.split(",").filter((part) => part !== "")];
}

/** Paths and names may hold commas. */
function append(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** `512m`, `4g`: powers of 1,024, as everywhere in control groups. */
function size(text: string): number {
  const [, amount = "", unit = ""] = /^(\d{1,6})([kmgt])i?b?$/i.exec(text) ?? [];
  const bytes = Number(amount) * 1_024 ** ("kmgt".indexOf(unit.toLowerCase()) + 1);
  if (amount !== "" && bytes >= 1_024 * 1_024) return bytes;
  throw new InvalidArgumentError("It must be a size of 1m or more, like 512m or 4g.");
}
