/**
 * One turn of a coding agent, from its start to the proof that nothing of it runs any more.
 *
 *  C1 it settles only when the tree is proven dead, or says what is not and when it is: its locks stay until then
 *  C2 it succeeded only when its own stream says so and its program ended as after a turn that ends well
 *  C3 nothing it prints makes this throw, and no secret it was given leaves here
 */
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { agentReport } from "../../core/agent-report.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext, AgentReport } from "../../core/ports.ts";
import type { AgentTask, JsonObject, JsonValue, Usage } from "../../core/task.ts";
import type { Place } from "../../footprint/placed-agent.ts";
import type { Guardian } from "../../process/guardian.ts";
import { killTree } from "../../process/kill-tree.ts";
import { newMarker } from "../../process/marker.ts";
import { neutralise } from "../../process/neutralise.ts";
import { type OwnedProgram, settleLeftovers, stopProgram, untilStopped } from "../../process/owned-program.ts";
import { processTree } from "../../process/process-tree.ts";
import { type Redactor, redactorOf } from "../../process/redact.ts";
import { type Exit, type SpawnedChild, spawnChild } from "../../process/spawn.ts";
import { within } from "../../process/within.ts";
import { promptOf } from "../prompt.ts";
import { askedInWords, jsonSchemaOf } from "./answer-schema.ts";
import { CodingOutput } from "./coding-output.ts";
import type { Account, Dialect, Permissions, Wish } from "./dialect.ts";
import { passedNames } from "./environment.ts";
import { endedError, providerError } from "./failure.ts";
import { jsonInAnswer } from "./json.ts";

export interface Surroundings {
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly passEnv?: readonly string[] | undefined;
}

export interface CodingSettings {
  readonly dialect: Dialect;
  readonly program: string;
  readonly model: string | undefined;
  readonly permissions: Permissions;
  readonly maxCostUsd: number | undefined;
  readonly args: readonly string[];
  /** Of the agent; a task may have its own. */
  readonly outputSchema: unknown;
  readonly surroundingsFor: (task: AgentTask, ctx: AgentContext) => Surroundings;
  readonly graceMs: number;
  readonly keepList: readonly string[];
  readonly guardian: Guardian;
}

interface Turn {
  readonly settings: CodingSettings;
  readonly task: AgentTask;
  readonly ctx: AgentContext;
  readonly cwd: string;
  /** Given to it, beyond what every child is given. */
  readonly env: Readonly<Record<string, string>>;
  readonly passEnv: readonly string[];
  readonly wantsJson: boolean;
}

/** Between polite signals, and before what does not heed them is ended with all it started. */
const POLITE_MS = 1_500;
const LAST_WORDS_BYTES = 2_048;

export async function runTurn(settings: CodingSettings, task: AgentTask, ctx: AgentContext, place: Place) {
  ctx.signal.throwIfAborted();
  const { dialect } = settings;
  const wantedSchema = task.outputSchema ?? settings.outputSchema;
  const schema = wantedSchema === undefined ? undefined : jsonSchemaOf(wantedSchema);
  const keeps = schema === undefined ? undefined : dialect.keepsTo(schema);
  const folder = keeps === "file" ? await schemaFolder(schema) : undefined;
  const wish: Wish = {
    ...settings,
    schema: keeps === "text" ? schema : undefined,
    schemaFile: folder === undefined ? undefined : path.join(folder, SCHEMA_FILE),
  };
  const { env = {}, passEnv = [] } = settings.surroundingsFor(task, ctx);
  const turn: Turn = {
    settings,
    task,
    ctx,
    cwd: place.cwd,
    env: { ...dialect.env?.(wish), ...env },
    passEnv: [...passedNames(dialect, process.env), ...passEnv],
    wantsJson: wantedSchema !== undefined,
  };
  const words = keeps === "words" && schema !== undefined ? `\n\n${askedInWords(schema)}` : "";
  const marker = newMarker(ctx.clock);
  const unwatch = settings.guardian.watch(marker);
  try {
    const child = await start(turn, { argv: [settings.program, ...dialect.argv(wish)], marker });
    return await follow(turn, child, `${promptOf(task, ctx)}${words}\n`);
  } finally {
    unwatch();
    if (folder !== undefined) await fs.promises.rm(folder, { recursive: true, force: true });
  }
}

const SCHEMA_FILE = "answer.schema.json";

async function schemaFolder(schema: JsonObject | undefined): Promise<string> {
  const folder = await fs.promises.mkdtemp(path.join(os.tmpdir(), "lockyard-schema-"));
  await fs.promises.writeFile(path.join(folder, SCHEMA_FILE), JSON.stringify(schema), { mode: 0o600 });
  return folder;
}

async function start(turn: Turn, what: { readonly argv: readonly string[]; readonly marker: string }) {
  const { settings, ctx, cwd, env, passEnv } = turn;
  const { dialect } = settings;
  try {
    return await spawnChild({ ...what, cwd, env, passEnv, ownEnv: ctx.env, stdin: "pipe" });
  } catch (error) {
    const cause = error instanceof LockyardError ? error.cause : undefined;
    if ((cause as NodeJS.ErrnoException | undefined)?.code !== "ENOENT") throw error; // spawn gives errno errors
    const what = `${dialect.title} could not be started: ${settings.program} is not installed, or not in PATH.`;
    throw new LockyardError("SPAWN_FAILED", what, { hint: `Install it: ${dialect.install}`, cause });
  }
}

/** From its start to the proof. */
async function follow(turn: Turn, child: SpawnedChild, prompt: string): Promise<AgentReport> {
  const { ctx, settings } = turn;
  const { dialect, graceMs, keepList } = settings;
  const redactor = redactorOf(turn);
  const output = new CodingOutput(child, ctx, { dialect, redactor });
  const tree = processTree(child.process);
  let isOver = false;
  try {
    ctx.owns?.(child.process);
    child.stdin?.end(prompt);
    const program = { name: dialect.title, child, tree, ctx, graceMs, keepList, leftovers: "kill" } as const;
    const exit = await untilStopped(child.exited, ctx.signal);
    const kept = exit === "stopped" ? exit : await settleLeftovers(program);
    isOver = true;
    if (exit === "stopped" || kept === "stopped") {
      await askToEnd(program, dialect);
      return await stopProgram(program);
    }
    await output.finish();
    return verdict(turn, { exit, output, redactor, leftovers: kept });
  } catch (error) {
    // What it spent until then counts, however it ended.
    throw Object.assign(error as Error, { report: agentReport({ ...spent(output.account), output: null }) });
  } finally {
    // Something of ours threw: C1 holds all the same.
    if (!isOver) await killTree(tree, { clock: ctx.clock, graceMs: 0 });
    await output.close();
  }
}

/** Its own way of ending in good order: it tells its server, and ends what it started. */
async function askToEnd({ child, ctx }: OwnedProgram, { polite }: Dialect): Promise<void> {
  for (const signal of polite) {
    try {
      process.kill(child.process.pid, signal);
    } catch {
      return; // It is gone, and nobody has its number yet: we have not collected it.
    }
    if (await within(ctx.clock, POLITE_MS, child.exited)) return;
  }
}

interface Ended {
  readonly exit: Exit;
  readonly output: CodingOutput;
  readonly redactor: Redactor;
  readonly leftovers: readonly string[];
}

function verdict(turn: Turn, { exit, output, redactor, leftovers }: Ended): AgentReport {
  const { title } = turn.settings.dialect;
  const { account } = output;
  const { resume, denied } = account;
  const failure = account.failure && { ...account.failure, message: redactor.text(account.failure.message) };
  const text = redactor.text(account.text);
  const refused = denied.map((tool) => `not allowed: ${redactor.text(tool)}`);
  const common = {
    evidence: [...(resume === undefined ? [] : [resume]), ...refused],
    ...spent(account),
    ...(leftovers.length === 0 ? undefined : { leftovers }),
  };
  if (failure !== undefined) {
    const error = providerError(failure, { title, wallMs: turn.ctx.clock.wallMs() });
    if (error !== undefined) throw error;
    const errorMessage = `${title} did not succeed: ${neutralise(failure.message).trim()}`;
    return agentReport({ ...common, output: text, errorMessage });
  }
  const said = neutralise(output.words.lastLines(LAST_WORDS_BYTES)).trim();
  const ended = endedError(exit, account, { title, said });
  if (ended !== undefined) throw ended;
  return agentReport({ ...common, output: answerOf(turn, account.structured, { text, redactor }) });
}

function spent({ inputTokens, outputTokens, costUsd }: Account): { readonly usage?: Usage } {
  if (inputTokens + outputTokens === 0 && costUsd === undefined) return {};
  return { usage: { inputTokens, outputTokens, ...(costUsd === undefined ? undefined : { costUsd }) } };
}

function answerOf(
  { wantsJson }: Turn,
  structured: JsonValue | undefined,
  { text, redactor }: { readonly text: string; readonly redactor: Redactor },
): JsonValue {
  if (!wantsJson) return text;
  if (structured === undefined) return jsonInAnswer(text) ?? text;
  return JSON.parse(redactor.text(JSON.stringify(structured))) as JsonValue;
}
