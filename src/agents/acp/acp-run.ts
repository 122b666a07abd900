/**
 * One attempt: a program is started, asked once by the Agent Client Protocol, and gone with all it started before the task
 * settles.
 *
 *  A1 it settles only when the tree is proven dead, or says what is not and when it is: its locks stay until then
 *  A2 it succeeded when the agent said that its turn ended, and nothing was refused for want of a lock
 */
import { agentReport } from "../../core/agent-report.ts";
import { errorCode, LockyardError } from "../../core/errors.ts";
import { readMember } from "../../core/member.ts";
import type { AgentContext, AgentReport } from "../../core/ports.ts";
import type { AgentTask, JsonValue } from "../../core/task.ts";
import type { Guardian } from "../../process/guardian.ts";
import { killTree } from "../../process/kill-tree.ts";
import { newMarker } from "../../process/marker.ts";
import { neutralise } from "../../process/neutralise.ts";
import { settleLeftovers, stopProgram, untilStopped } from "../../process/owned-program.ts";
import { processTree } from "../../process/process-tree.ts";
import { type Redactor, redactorOf } from "../../process/redact.ts";
import { type Exit, type SpawnedChild, spawnChild } from "../../process/spawn.ts";
import { within } from "../../process/within.ts";
import { promptOf } from "../prompt.ts";
import { Connection, ConnectionClosed } from "./connection.ts";
import { Conversation } from "./conversation.ts";
import { answeredFailure, endedFailure, stoppedFailure } from "./failure.ts";
import type { Rules } from "./permission.ts";
import { type Said, usageOf } from "./said.ts";
import { openSession, type SessionWishes } from "./session.ts";

export interface AcpSettings extends SessionWishes, Omit<Rules, "cwd"> {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly passEnv: readonly string[];
  readonly lockTimeoutMs: number | undefined;
  readonly startTimeoutMs: number;
  readonly graceMs: number;
  readonly keepList: readonly string[];
  /** How the program is installed, when that is known. */
  readonly install: string | undefined;
  readonly isJson: boolean;
  readonly guardian: Guardian;
}

interface AcpRun {
  readonly settings: AcpSettings;
  readonly task: AgentTask;
  readonly ctx: AgentContext;
  /** Absolute. */
  readonly cwd: string;
}

/** How long the agent may take to end its turn after it was told to, and to end itself after its input ended. */
const CANCEL_MS = 2_000;
const END_MS = 2_000;
const SAID_BYTES = 2_048;

export async function runAcp(run: AcpRun): Promise<AgentReport> {
  const { settings, ctx, cwd } = run;
  ctx.signal.throwIfAborted();
  const marker = newMarker(ctx.clock);
  const unwatch = settings.guardian.watch(marker);
  try {
    const child = await started(run, { ...settings, cwd, ownEnv: ctx.env, marker, stdin: "pipe" });
    return await follow(run, child);
  } finally {
    unwatch();
  }
}

async function started({ settings }: AcpRun, options: Parameters<typeof spawnChild>[0]): Promise<SpawnedChild> {
  try {
    return await spawnChild(options);
  } catch (error) {
    if (settings.install === undefined || errorCode(readMember(error, "cause")) !== "ENOENT") throw error;
    throw new LockyardError("SPAWN_FAILED", `${nameOf(settings)} is not installed, or not in PATH.`, {
      hint: `Install it: ${settings.install}`,
      cause: error,
    });
  }
}

/** From its start to the proof. */
async function follow(run: AcpRun, child: SpawnedChild): Promise<AgentReport> {
  const { settings, ctx, cwd } = run;
  const program = { name: nameOf(settings), child, tree: processTree(child.process), ctx, ...settings };
  const redactor = redactorOf(settings);
  const conversation = new Conversation({ ctx, redactor, rules: { ...settings, cwd }, ...settings });
  const connection = new Connection(child, { conversation, ctx, redactor });
  let isOver = false;
  try {
    ctx.owns?.(child.process);
    const turn = new Turn(run, connection);
    const end = await untilStopped(turn.end, ctx.signal);
    if (end === "stopped") {
      conversation.cancel();
      turn.cancel();
      await within(ctx.clock, CANCEL_MS, turn.end);
      isOver = true;
      return await stopProgram(program);
    }
    child.stdin?.end();
    await untilStopped(within(ctx.clock, END_MS, child.exited), ctx.signal);
    const kept = await settleLeftovers({ ...program, leftovers: "kill" });
    isOver = true;
    if (kept === "stopped") return await stopProgram(program);
    const words = connection.lastWords(SAID_BYTES) || conversation.said.noiseText(SAID_BYTES);
    const facts = { name: program.name, redactor, exit: await child.exited, words };
    const failure = failureOf(end, facts) ?? conversation.missed;
    const report = reportOf(end.answer, conversation.said, { isJson: settings.isJson, kept });
    if (failure === undefined) return report;
    // What it spent counts, however it ended.
    throw Object.assign(failure, { report });
  } finally {
    // Something of ours threw: A1 holds all the same.
    if (!isOver) await killTree(program.tree, { clock: ctx.clock, graceMs: 0 });
    await connection.close();
  }
}

/** How a turn ended: with what the agent answered, or with what was thrown. */
type TurnEnd =
  | { readonly answer: unknown; readonly error?: undefined }
  | { readonly error: unknown; readonly answer?: undefined };

/** One prompt and its answer. */
class Turn {
  /** Never rejects. */
  readonly end: Promise<TurnEnd>;
  readonly #connection: Connection;
  #sessionId: string | undefined;

  constructor(run: AcpRun, connection: Connection) {
    this.#connection = connection;
    this.end = this.#go(run).then(
      (answer) => ({ answer }),
      (error: unknown) => ({ error }),
    );
  }

  cancel(): void {
    if (this.#sessionId === undefined) return;
    this.#connection.peer.notify("session/cancel", { sessionId: this.#sessionId });
  }

  async #go({ settings, task, ctx, cwd }: AcpRun): Promise<unknown> {
    const { peer } = this.#connection;
    const opening = openSession(peer, settings, cwd);
    if (!(await within(ctx.clock, settings.startTimeoutMs, opening))) {
      // Its answer may still come, and nobody waits for it.
      opening.catch(() => undefined);
      const limit = settings.startTimeoutMs.toLocaleString("en");
      throw new LockyardError("AGENT_FAILED", `${nameOf(settings)} opened no session within ${limit} ms.`, {
        hint: "Does it speak the Agent Client Protocol on standard input and output, with these arguments?",
      });
    }
    const sessionId = await opening;
    this.#sessionId = sessionId;
    const prompt = [{ type: "text", text: promptOf(task, ctx) }];
    return peer.request("session/prompt", { sessionId, prompt });
  }
}

interface EndFacts {
  readonly name: string;
  readonly redactor: Redactor;
  readonly exit: Exit;
  readonly words: string;
}

/** Undefined when its turn ended as it should. */
function failureOf({ answer, error }: TurnEnd, facts: EndFacts): Error | undefined {
  if (error instanceof ConnectionClosed) return endedFailure(facts.exit, facts.words, facts);
  if (error !== undefined) return answeredFailure(error, facts);
  return stoppedFailure(readMember(answer, "stopReason"), facts.name);
}

function reportOf(
  answer: unknown,
  said: Said,
  { isJson, kept }: { readonly isJson: boolean; readonly kept: readonly string[] },
): AgentReport {
  const usage = usageOf(answer, said.costUsd);
  return agentReport({
    output: isJson ? jsonIn(said.text) : said.text,
    evidence: said.evidence,
    ...(usage === undefined ? undefined : { usage }),
    ...(kept.length === 0 ? undefined : { leftovers: kept }),
  });
}

/** The value a text is, alone or in the one block of code it has; the text itself when it is none. */
function jsonIn(text: string): JsonValue {
  const block = /^[\s\S]*?```(?:json)?\n([\s\S]*?)\n```\s*$/.exec(text)?.[1];
  try {
    return JSON.parse(block ?? text) as JsonValue; // what JSON.parse gives
  } catch {
    return text;
  }
}

function nameOf({ argv: [program = ""] }: AcpSettings): string {
  return neutralise(program.length > 100 ? `${program.slice(0, 100)}…` : program);
}
