/** The commands that reach into what runs: pause, resume, answer, unlock, set. See program.ts. */
import { type Command, InvalidArgumentError } from "commander";
import type { ExitCode } from "./exit-codes.ts";
import type { CommonOptions, Surroundings } from "./surroundings.ts";

export interface ResumeOptions extends CommonOptions {
  readonly usd?: number;
  readonly tokens?: number;
  readonly tasks?: number;
  /** Milliseconds. */
  readonly wall?: number;
}
export interface UnlockOptions extends CommonOptions {
  readonly force?: boolean;
}

export interface LogsOptions extends CommonOptions {
  readonly follow?: boolean;
}
export interface ReportOptions extends CommonOptions {
  readonly prometheus?: boolean;
}

export interface ControlWiring {
  readonly surroundings: Surroundings;
  readonly done: (code: ExitCode) => void;
  /** Parses a time. */
  readonly time: (text: string) => number;
  /** A command with the options all have. */
  readonly command: (usage: string, description: string) => Command;
  readonly example: (lines: readonly string[]) => string;
}

export function addControlCommands({ surroundings, done, command, example, time }: ControlWiring): void {
  command("pause <workflow>", "start nothing more of a workflow; what runs goes on")
    .addHelpText("after", example(["lockyard pause nightly", "lockyard resume nightly"]))
    .action(async (name: string, options: CommonOptions) => {
      const { pauseCommand } = await import("./commands/pause.ts");
      done(await pauseCommand(name, { options, surroundings }));
    });
  command("resume <workflow>", "go on with a workflow that is paused, or whose process is gone")
    .option("--usd <amount>", "the budget in US dollars from now on, what was spent included", positive)
    .option("--tokens <n>", "the budget in tokens from now on", positive)
    .option("--tasks <n>", "the budget in tasks started from now on", positive)
    .option("--wall <time>", "the budget in time from now on, for example 2h", time)
    .addHelpText(
      "after",
      `${example(["lockyard resume nightly", "lockyard resume nightly --usd 40"])}

A task that has ended is never run again by it (see: lockyard retry).`,
    )
    .action(async (name: string, options: ResumeOptions) => {
      const { resumeCommand } = await import("./commands/resume.ts");
      done(await resumeCommand(name, { options, surroundings }));
    });
  command("retry <what>", "run again what failed, timed out or was skipped; what succeeded stays")
    .addHelpText("after", example(["lockyard retry nightly", "lockyard retry nightly-7f3a/report"]))
    .action(async (what: string, options: CommonOptions) => {
      const { retryCommand } = await import("./commands/retry.ts");
      done(await retryCommand(what, { options, surroundings }));
    });
  command("answer <task> <text>", "answer a task that needs input, wherever it runs")
    .addHelpText("after", example(['lockyard answer refresh-docs-7f3a/report "use the old name"']))
    .action(async (task: string, text: string, options: CommonOptions) => {
      const { answerCommand } = await import("./commands/answer.ts");
      done(await answerCommand(task, text, { options, surroundings }));
    });
  command("set <assignment>", "set a capacity or how many tasks run at once, until cleared")
    .addHelpText(
      "after",
      `${example(["lockyard set build=2", "lockyard set build=", "lockyard set refresh-docs-7f3a.concurrency=4"])}

NAME= clears what was set. Lowering a number takes nothing from anybody: fewer start until it fits.`,
    )
    .action(async (assignment: string, options: CommonOptions) => {
      const { setCommand } = await import("./commands/set.ts");
      done(await setCommand(assignment, { options, surroundings }));
    });
  command("unlock <what>", "free what a task holds that could not be stopped (quarantined)")
    .option("--force", "take it from a task that lives, too; that task may still write")
    .addHelpText("after", example(["lockyard unlock src/api", "lockyard unlock refresh-docs-7f3a/report"]))
    .action(async (what: string, options: UnlockOptions) => {
      const { unlockCommand } = await import("./commands/unlock.ts");
      done(await unlockCommand(what, { options, surroundings }));
    });
}

/** The commands that tell what was. */
export function addHistoryCommands({ surroundings, done, command, example }: Omit<ControlWiring, "time">): void {
  command("logs <task>", "what a task printed, while it runs and afterwards")
    .option("-f, --follow", "go on showing it until the task has ended")
    .addHelpText("after", example(["lockyard logs refresh-docs-7f3a/report -f"]))
    .action(async (task: string, options: LogsOptions) => {
      const { logsCommand } = await import("./commands/logs.ts");
      done(await logsCommand(task, { options, surroundings }));
    });
  command("report [workflow]", "what ran, how long it waited and for what, what running at once gained")
    .option("--prometheus", "print numbers in the text format of Prometheus")
    .addHelpText("after", example(["lockyard report", "lockyard report nightly", "lockyard report --prometheus"]))
    .action(async (workflow: string | undefined, options: ReportOptions) => {
      const { reportCommand } = await import("./commands/report.ts");
      done(await reportCommand(workflow, { options, surroundings }));
    });
}

function positive(text: string): number {
  const number = Number(text);
  if (text.trim() !== "" && Number.isFinite(number) && number > 0) return number;
  throw new InvalidArgumentError("It must be a number above 0.");
}
