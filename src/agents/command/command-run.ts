/**
 * One command, from its start to the proof that nothing of it runs any more.
 *
 *  C1 it settles only when the tree is proven dead, or says what is not and when it is (`whenGone`): its locks stay until
 *     then. Shared daemons kept by choice are named too
 *  C2 the child never blocks on us, and we never wait for a pipe that somebody else holds open
 *  C3 nothing a child prints makes this throw
 */
import { agentReport } from "../../core/agent-report.ts";
import { LockyardError } from "../../core/errors.ts";
import type { AgentContext, AgentReport } from "../../core/ports.ts";
import type { AgentTask } from "../../core/task.ts";
import type { Guardian } from "../../process/guardian.ts";
import { killTree } from "../../process/kill-tree.ts";
import { newMarker } from "../../process/marker.ts";
import { neutralise } from "../../process/neutralise.ts";
import { settleLeftovers, stopProgram, untilStopped } from "../../process/owned-program.ts";
import { processTree } from "../../process/process-tree.ts";
import { redactorOf } from "../../process/redact.ts";
import { type Exit, type SpawnedChild, spawnChild } from "../../process/spawn.ts";
import { CommandOutput } from "./command-output.ts";
import type { Command } from "./command-spec.ts";

export interface CommandSettings {
  readonly stdin: "task" | "none";
  readonly successExitCodes: readonly number[];
  readonly graceMs: number;
  readonly leftovers: "kill" | "keep" | "wait";
  readonly keepList: readonly string[];
  readonly spillDirectory: string | undefined;
  readonly guardian: Guardian;
}

export interface CommandRun {
  readonly command: Command;
  readonly task: AgentTask;
  readonly ctx: AgentContext;
  readonly settings: CommandSettings;
}

/** How long a pipe may stay open without anything coming: when somebody who was kept holds it, and when nobody should. */
const QUIET_MS = 200;
const MAX_QUIET_MS = 3_000;
const STDERR_IN_MESSAGE_BYTES = 2_048;

export async function runCommand(run: CommandRun): Promise<AgentReport> {
  const { command, ctx, settings, task } = run;
  ctx.signal.throwIfAborted();
  const input = settings.stdin === "task" ? stdinFor(task, ctx) : undefined;
  const marker = newMarker(ctx.clock);
  const unwatch = settings.guardian.watch(marker);
  try {
    const stdin = settings.stdin === "task" ? "pipe" : "ignore";
    const child = await spawnChild({ ...command, ownEnv: ctx.env, marker, stdin });
    return await follow(run, child, input);
  } finally {
    unwatch();
  }
}

/** From its start to the proof. */
async function follow(run: CommandRun, child: SpawnedChild, input: string | undefined): Promise<AgentReport> {
  const { ctx, settings } = run;
  const redactor = redactorOf(run.command);
  const output = new CommandOutput(child, ctx, { redactor, spillDirectory: settings.spillDirectory });
  const tree = processTree(child.process);
  let isOver = false;
  try {
    ctx.owns?.(child.process);
    child.stdin?.end(input);
    const program = { name: nameOf(run), child, tree, ctx, ...settings };
    const exit = await untilStopped(child.exited, ctx.signal);
    const kept = exit === "stopped" ? exit : await settleLeftovers(program);
    isOver = true;
    if (exit === "stopped" || kept === "stopped") return await stopProgram(program);
    await output.finish(kept.length > 0 ? QUIET_MS : MAX_QUIET_MS);
    return verdict(run, exit, output, kept);
  } finally {
    // Something of ours threw: C1 holds all the same.
    if (!isOver) await killTree(tree, { clock: ctx.clock, graceMs: 0 });
    await output.close();
  }
}

/** What the child reads: one JSON document. */
function stdinFor(task: AgentTask, ctx: AgentContext): string {
  // A schema is functions; the child has no use for what JSON would leave of it.
  const { outputSchema: _, ...data } = task;
  const { dependencies, attempt, workflowId } = ctx;
  return `${JSON.stringify({ task: data, dependencies, attempt, workflowId })}\n`;
}

function verdict(run: CommandRun, exit: Exit, output: CommandOutput, leftovers: readonly string[]): AgentReport {
  const { error } = output;
  if (error !== undefined) {
    const code = error.retryAfterMs === undefined ? "AGENT_REPORTED_FAILURE" : "RATE_LIMITED";
    throw Object.assign(new LockyardError(code, error.message), {
      retryable: error.retryable || code === "RATE_LIMITED",
      ...(error.retryAfterMs === undefined ? undefined : { retryAfterMs: error.retryAfterMs }),
    });
  }
  const said = lastWords(output);
  if (exit.signal !== null) {
    throw new LockyardError("AGENT_CRASHED", `${nameOf(run)} was ended by ${exit.signal}.${said}`, {
      hint: exit.signal === "SIGKILL" ? "Nobody here sent it: look for the out-of-memory killer (dmesg)." : undefined,
    });
  }
  if (!run.settings.successExitCodes.includes(exit.code)) {
    throw new LockyardError("AGENT_EXITED", `${nameOf(run)} ended with exit code ${exit.code}.${said}`);
  }
  const { confidence, evidence } = output;
  return agentReport({
    output: output.result,
    confidenceScore: confidence,
    evidence,
    ...(leftovers.length === 0 ? undefined : { leftovers }),
  });
}

function lastWords(output: CommandOutput): string {
  // Many tools explain themselves on stdout.
  const text = output.stderr.lastLines(STDERR_IN_MESSAGE_BYTES) || output.stdout.lastLines(STDERR_IN_MESSAGE_BYTES);
  const shown = neutralise(text).trim();
  return shown === "" ? "" : ` It said: ${shown}`;
}

function nameOf({ command: { argv, shell } }: CommandRun): string {
  const name = shell ? "The shell command" : (argv[0] ?? "");
  return neutralise(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
