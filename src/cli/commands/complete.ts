/** What completion scripts ask: the words that may come next, each with a tab and what it means. Never fails aloud. */
import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Command, Option } from "commander";
import type { StoreView } from "../../edges/store.ts";
import { SHELLS } from "../completion/scripts.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { openShared } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";

interface Completing {
  readonly program: Command;
  readonly surroundings: Surroundings;
}

interface Word {
  readonly word: string;
  readonly meaning: string;
}

/** The last of `words` is the one that is being typed. */
export async function completeCommand(words: readonly string[], completing: Completing): Promise<ExitCode> {
  const { out } = completing.surroundings;
  const typed = words.at(-1) ?? "";
  const found = await candidates(words.slice(0, -1), typed, completing);
  const fitting = found.filter(({ word }) => word.startsWith(typed));
  out.lines(fitting.map(({ word, meaning }) => `${word}\t${meaning}`));
  return EXIT.ok;
}

async function candidates(
  before: readonly string[],
  typed: string,
  { program, surroundings }: Completing,
): Promise<readonly Word[]> {
  const [name] = before.filter((word) => !word.startsWith("-"));
  const command = program.commands.find((each) => each.name() === name);
  if (command === undefined) return typed.startsWith("-") ? optionsOf(program) : commandsOf(program);
  const option = command.options.find(
    ({ long, short }) => before.at(-1) === long || (short !== undefined && before.at(-1) === short),
  );
  if (option !== undefined && (option.required || option.optional)) return valuesOf(option, surroundings);
  if (typed.startsWith("-")) return optionsOf(command);
  switch (command.name()) {
    case "run":
    case "plan":
      return planFiles(typed, surroundings.cwd);
    case "why":
      return fromStore(surroundings, (view) => [...counterWords(view), ...taskWords(view)]);
    case "report":
      return fromStore(surroundings, workflowWords);
    case "logs":
    case "cancel":
    case "answer":
      return fromStore(surroundings, taskWords);
    case "retry":
      return fromStore(surroundings, (view) => [...workflowWords(view), ...unsuccessfulWords(view)]);
    case "unlock":
      return fromStore(surroundings, (view) => [...taskWords(view), ...counterWords(view)]);
    case "pause":
    case "resume":
      return fromStore(surroundings, workflowWords);
    case "set":
      return fromStore(surroundings, (view) =>
        counterWords(view).map(({ word, meaning }) => ({ word: `${word}=`, meaning })),
      );
    case "hooks":
      return hookWords(before, command);
    case "completion":
      return SHELLS.map((word) => ({ word, meaning: "" }));
    case "help":
      return commandsOf(program);
    default:
      return [];
  }
}

async function hookWords(before: readonly string[], command: Command): Promise<readonly Word[]> {
  const [action] = before.filter((word) => !word.startsWith("-")).slice(1);
  const actions = command.registeredArguments[0]?.argChoices ?? [];
  if (action === undefined) return actions.map((word) => ({ word, meaning: "" }));
  if (action !== "install" && action !== "remove") return [];
  const { HOST_NAMES, HOSTS } = await import("../../hooks/install/index.ts");
  const hosts = HOST_NAMES.map((word) => ({ word, meaning: HOSTS[word].title }));
  return [...hosts, { word: "git", meaning: "a pre-commit hook" }];
}

function commandsOf(program: Command): readonly Word[] {
  return program
    .createHelp()
    .visibleCommands(program)
    .map((command) => ({ word: command.name(), meaning: command.description() }));
}

function optionsOf(command: Command): readonly Word[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ word: long, meaning: description }],
    );
}

function valuesOf(option: Option, surroundings: Surroundings): readonly Word[] | Promise<readonly Word[]> {
  if (option.argChoices !== undefined) return option.argChoices.map((word) => ({ word, meaning: "" }));
  if (option.long !== "--workflow") return [];
  return fromStore(surroundings, workflowWords);
}

function unsuccessfulWords(view: StoreView): readonly Word[] {
  return view
    .tasks({ statuses: ["failed", "timed_out", "skipped"], limit: 100 })
    .map(({ workflowId, taskId, status }) => ({ word: `${workflowId}/${taskId}`, meaning: status }));
}

function workflowWords(view: StoreView): readonly Word[] {
  return view.workflows(100).map(({ workflowId, live }) => ({ word: workflowId, meaning: `${live} live` }));
}

/** YAML and JSON files beside what is typed, and directories to go into. */
function planFiles(typed: string, cwd: string): readonly Word[] {
  const folder = typed.endsWith("/") ? typed : dirname(typed) === "." ? "" : `${dirname(typed)}/`;
  try {
    return readdirSync(resolve(cwd, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() || /\.(?:ya?ml|json)$/.test(entry.name))
      .filter((entry) => !entry.name.startsWith(".") && entry.name !== "node_modules")
      .map((entry) => ({ word: join(folder, entry.name) + (entry.isDirectory() ? "/" : ""), meaning: "" }));
  } catch {
    // No such directory: nothing to propose.
    return [];
  }
}

function taskWords(view: StoreView): readonly Word[] {
  return view
    .tasks({ limit: 100 })
    .map(({ workflowId, taskId, status }) => ({ word: `${workflowId}/${taskId}`, meaning: status }));
}

function counterWords(view: StoreView): readonly Word[] {
  return view
    .counters()
    .filter(({ kind }) => kind !== "limit")
    .map(({ node, used, capacity }) => ({
      word: node.slice(node.indexOf(":") + 1),
      meaning: `${used} of ${capacity} in use`,
    }));
}

async function fromStore(
  surroundings: Surroundings,
  read: (view: StoreView) => readonly Word[],
): Promise<readonly Word[]> {
  try {
    const shared = await openShared({}, surroundings);
    if ("none" in shared) return [];
    try {
      return shared.store.view(read);
    } finally {
      await shared.store.close();
    }
  } catch {
    // Somebody pressed Tab: an error here would only spoil the line.
    return [];
  }
}
