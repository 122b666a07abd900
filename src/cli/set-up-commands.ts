/** The commands that set things up: init, hooks, trust, doctor, completion. See program.ts. */
import { Argument, type Command } from "commander";
import type { ControlWiring } from "./control-commands.ts";
import type { CommonOptions } from "./surroundings.ts";

export interface DoctorOptions extends CommonOptions {
  readonly check?: boolean;
  readonly prove?: boolean;
  readonly seed?: number;
}
export interface InitOptions extends CommonOptions {
  readonly yes?: boolean;
  readonly mcp?: boolean;
}
export interface HooksOptions extends CommonOptions {
  readonly project?: boolean;
  readonly server?: boolean;
  readonly dryRun?: boolean;
}
export interface TrustOptions extends CommonOptions {
  readonly key?: string;
  readonly revoke?: boolean;
}

const HOOK_ACTIONS = ["install", "remove", "pause", "resume", "status", "check-commit"] as const;

interface SetUpWiring extends ControlWiring {
  readonly program: Command;
  /** Parses a number of 1 or more. */
  readonly wholeNumber: (text: string) => number;
}

export function addSetUpCommands(wiring: SetUpWiring): void {
  const { surroundings, done, command, example, wholeNumber } = wiring;
  command("init", "write a starter configuration and a first plan for this repository")
    .option("-y, --yes", "write without asking")
    .option("--mcp", "also write .mcp.json, so that sessions here may hand tasks to Lockyard")
    .addHelpText("after", `${example(["lockyard init --yes"])}\n\nNothing that exists is overwritten.`)
    .action(async (options: InitOptions) => {
      const { initCommand } = await import("./commands/init.ts");
      done(await initCommand(options, surroundings));
    });
  addHooks(wiring);
  command("trust", "let this repository's lockyard.yaml start the agents it names; asks first")
    .option("--key <key>", "approve without asking, if the agents are those this key was shown for")
    .option("--revoke", "take the approval back")
    .addHelpText("after", example(["lockyard trust", "lockyard trust --revoke"]))
    .action(async (options: TrustOptions) => {
      const { trustCommand } = await import("./commands/trust.ts");
      done(await trustCommand(options, surroundings));
    });
  command("doctor", "check Node, the store and what this machine can promise; every fault with its fix")
    .option("--check", "also read every page of the store and look for damage")
    .option("--prove", "also kill and stop processes of its own for a minute, and count what goes wrong")
    .option("--seed <n>", "of --prove: the same draws again; whom they hit is up to the machine", wholeNumber)
    .addHelpText("after", example(["lockyard doctor", "lockyard doctor --prove"]))
    .action(async (options: DoctorOptions) => {
      const { doctorCommand } = await import("./commands/doctor.ts");
      done(await doctorCommand(options, surroundings));
    });
  addCompletion(wiring);
}

function addHooks({ surroundings, done, command, example }: SetUpWiring): void {
  command("hooks", "guard the sessions of AI hosts: stale edits, heavy commands, destructive git")
    .addArgument(new Argument("<action>", "what to do").choices(HOOK_ACTIONS))
    .argument("[words...]", "install, remove: claude, codex, gemini, opencode, git; pause: a time (default: 1h)")
    .option("--project", "install for this repository alone, not for all of yours")
    .option(
      "--server",
      "Claude Code: ask its own server, `lockyard mcp --hooks`, instead of starting a process each time",
    )
    .option("--dry-run", "show what would change and change nothing")
    .addHelpText(
      "after",
      `${example(["lockyard hooks install claude", "lockyard hooks status", "lockyard hooks pause 1h", "lockyard hooks remove claude"])}

It shows what it changes and keeps everything that is there. \`git\` is a pre-commit hook of this repository, which calls
\`lockyard hooks check-commit\`; so may yours. LOCKYARD=off turns hooks off for the sessions of a shell.`,
    )
    .action(async (action: string, words: string[], options: HooksOptions) => {
      const { hooksCommand } = await import("./commands/hooks.ts");
      done(await hooksCommand(action, { words, options, surroundings }));
    });
}

function addCompletion({ program, surroundings, done, example }: SetUpWiring): void {
  program
    .command("completion <shell>")
    .description("print the completion script for bash, zsh or fish")
    .option("--json", "print JSON, for programs")
    .addHelpText(
      "after",
      example([
        'eval "$(lockyard completion bash)"',
        "lockyard completion fish > ~/.config/fish/completions/lockyard.fish",
      ]),
    )
    .action(async (shell: string, options: CommonOptions) => {
      const { completionCommand } = await import("./commands/completion.ts");
      done(completionCommand(shell, options, surroundings));
    });
  // What the completion scripts call; not for people.
  program
    .command("complete [words...]", { hidden: true })
    .allowUnknownOption()
    .action(async (words: string[]) => {
      const { completeCommand } = await import("./commands/complete.ts");
      done(await completeCommand(words, { program, surroundings }));
    });
}
