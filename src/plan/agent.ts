/** Agents as they are written → checked. */
import { agentType } from "../core/agent-type.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import type { CodingKind, PlanAgent } from "./plan.ts";
import {
  defined,
  idFault,
  NO_VARIABLES,
  plainEnvironment,
  plainText,
  type Reading,
  readCommand,
  readInside,
  readPolicy,
} from "./reading.ts";
import type { RawAgent } from "./schema.ts";

export const CODING_KINDS: readonly CodingKind[] = ["claude-code", "codex", "gemini", "opencode"];

/** The agent id of tasks with `run`. */
export const RUN_AGENT = "command";

export function readAgent(
  name: string,
  raw: RawAgent,
  { path, reading, file }: { readonly path: Path; readonly reading: Reading; readonly file: string },
): PlanAgent {
  const scoped = {
    ...reading,
    faults: reading.faults,
    spelling: reading.spelling,
    scope: NO_VARIABLES,
    placeScope: NO_VARIABLES,
  };
  checkName(name, path, reading.faults);
  const policy = readPolicy({ ...raw, isolation: "isolation" in raw ? raw.isolation : undefined }, path, scoped);
  const shell = "shell" in raw ? raw.shell : undefined;
  const command = "run" in raw ? readCommand({ run: raw.run, shell, path: [...path, "run"] }, scoped) : undefined;
  return defined({
    ...policy,
    env: plainEnvironment(policy.env),
    name,
    kind: raw.kind,
    declaredBy: file,
    command: command !== undefined && "argv" in command ? { argv: command.argv.map(plainText) } : command,
    module: "module" in raw ? readInside(raw.module, [...path, "module"], scoped) : undefined,
    threads: "threads" in raw ? raw.threads : undefined,
    model: "model" in raw ? raw.model : undefined,
    permissions: "permissions" in raw ? raw.permissions : undefined,
    args: "args" in raw ? (raw.args ?? []) : [],
    concurrency: raw.concurrency,
    readOnly: raw.readOnly,
  });
}

function checkName(name: string, path: Path, faults: FaultList): void {
  const fault = idFault(name);
  if (fault !== undefined) faults.add({ path, at: "key" }, fault.what, fault.hint);
  else if (name === RUN_AGENT)
    faults.add({ path, at: "key" }, `the name ${quote(name)} is taken by tasks with run`, "choose another name");
}

/** An agent that needs no entry: `agent: claude-code`. */
export function builtInAgent(name: string): PlanAgent | undefined {
  const kind = CODING_KINDS.find((each) => each === name);
  return kind === undefined ? undefined : { name, kind, declaredBy: "", args: [], env: Object.create(null) };
}

/** The agent a task names: by id, by type (`writer_2` → `writer`), `*`, or built in. */
export function findAgent(name: string, agents: Readonly<Record<string, PlanAgent>>): PlanAgent | undefined {
  return agents[name] ?? agents[agentType(name)] ?? agents["*"] ?? builtInAgent(name);
}
