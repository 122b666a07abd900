/** Real command lines of coding agents, as Lockyard runs them, against scripted models. */
import path from "node:path";
import { codingCliAgent, memoryStore, ParallelTaskManager, type ParallelTaskManagerOptions } from "../../src/index.ts";
import type { Call } from "./model/script.ts";
import { type Model, type Script, startModel } from "./model/server.ts";
import { makePlace, type Place } from "./place.ts";
import { COMMANDS, type HostName } from "./programs.ts";

export const KIND_OF = { claude: "claude-code", codex: "codex", gemini: "gemini", opencode: "opencode" } as const;

type CodingOptions = Parameters<typeof codingCliAgent>[0];

export interface Bench {
  readonly place: Place;
  readonly model: Model;
  readonly manager: ParallelTaskManager;
  /** Files the agent may run with: its own program, arguments and variables for this place and model. */
  readonly surroundings: Surroundings;
}

export interface Surroundings {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface BenchOptions {
  readonly files?: Readonly<Record<string, string>>;
  readonly agent?: Partial<CodingOptions>;
  readonly manager?: Partial<ParallelTaskManagerOptions>;
}

/** One host as the agent `worker`, in a place and with a model of its own. */
export async function onBench<Result>(
  host: HostName,
  script: (place: Place) => Script,
  { files = {}, agent, manager: options, work }: BenchOptions & { readonly work: (bench: Bench) => Promise<Result> },
): Promise<Result> {
  const place = makePlace(files);
  const model = await startModel(script(place));
  const surroundings = surroundingsOf(host, place, model);
  const worker = codingCliAgent({
    kind: KIND_OF[host],
    permissions: "full",
    root: place.repository,
    isolation: "optimistic",
    ...surroundings,
    ...agent,
  });
  const manager = new ParallelTaskManager({
    workflowId: "hosts",
    agents: { worker },
    store: memoryStore(),
    root: place.repository,
    ...options,
  });
  try {
    return await work({ place, model, manager, surroundings });
  } finally {
    await manager.close();
    place.remove();
    await model.close();
  }
}

/** What a host needs to meet its scripted model, besides what Lockyard gives it. */
export function surroundingsOf(host: HostName, place: Place, model: Model): Surroundings {
  const { binary, args, env } = COMMANDS[host]({ place, model, prompt: "", permissions: "ask" });
  const configured = args.flatMap((argument, at) => (args[at - 1] === "-c" ? [argument] : []));
  const provider = configured.filter((line) => !/^(?:approval_policy|sandbox_mode)\b/.test(line));
  return {
    program: binary,
    args:
      host === "codex" ? provider.flatMap((line) => ["-c", line]) : host === "gemini" ? ["-m", "gemini-2.5-flash"] : [],
    env: { ...place.env, ...env, PATH: [path.dirname(binary), place.env.PATH].join(path.delimiter) },
  };
}

/** A shell command, in the words of each. */
export const SHELL: Readonly<Record<HostName, (command: string) => Call>> = {
  claude: (command) => ({ tool: "Bash", input: { command, description: "work" } }),
  codex: (command) => ({ tool: "exec_command", input: { cmd: command } }),
  gemini: (command) => ({ tool: "run_shell_command", input: { command } }),
  opencode: (command) => ({ tool: "bash", input: { command, description: "work" } }),
};
