/** The agent behind `lockyard exec`: one command in our place, owned until it and all it must not leave behind are gone. */
import { agentReport } from "../../core/agent-report.ts";
import { LockyardError } from "../../core/errors.ts";
import type { Agent, AgentContext, AgentReport } from "../../core/ports.ts";
import { cgroupMembers } from "../../process/cgroup.ts";
import { type ForegroundChild, spawnForeground } from "../../process/foreground.ts";
import { Guardian } from "../../process/guardian.ts";
import { killTree, whenGone } from "../../process/kill-tree.ts";
import { isSharedDaemon } from "../../process/leftovers.ts";
import { newMarker } from "../../process/marker.ts";
import { neutralise } from "../../process/neutralise.ts";
import type { ProcessEntry } from "../../process/proc-table.ts";
import { type ProcessTree, processTree } from "../../process/process-tree.ts";
import type { Exit } from "../../process/spawn.ts";

export interface ExecOptions {
  readonly argv: readonly [string, ...string[]];
  /** `caller`: stays in our process group, as a terminal wants it. */
  readonly group: "caller" | "own";
  readonly isNice: boolean;
  /** Bytes all of it may use; null for no limit. */
  readonly memoryBytes: number | null;
  /** What becomes of processes that outlive the command. */
  readonly leftovers: "keep" | "wait" | "kill";
  /** Shared daemons that `kill` leaves alone. */
  readonly keepList: readonly string[];
  readonly graceMs: number;
  /** Told once it runs: for signals, and to say that the wait is over. */
  readonly onStarted: (child: ForegroundChild) => void;
  /** Told how it ended, before what it left behind is looked at. */
  readonly onExit: (exit: Exit) => void;
}

const LEFTOVER_POLL_MS = 250;

/** Settles when the command has ended and, when it was stopped, everything it started is proven dead. */
export function execAgent(options: ExecOptions): Agent {
  return { kind: "exec", holder: "owned", run: (_, ctx) => runExec(options, ctx) };
}

async function runExec(options: ExecOptions, ctx: AgentContext): Promise<AgentReport> {
  ctx.signal.throwIfAborted();
  const { argv, group, isNice, memoryBytes } = options;
  const marker = newMarker(ctx.clock);
  const child = await spawnForeground({ argv, group, isNice, memoryBytes, ownEnv: ctx.env, marker });
  // Beside the command, not before it: if we are killed in between, whoever waits next ends it all the same.
  const guardian = new Guardian();
  const isSafe = guardian.watch(marker);
  try {
    return await follow(options, ctx, child);
  } finally {
    isSafe();
    guardian.close();
  }
}

async function follow(options: ExecOptions, ctx: AgentContext, child: ForegroundChild): Promise<AgentReport> {
  const { graceMs } = options;
  const tree = processTree(child.process);
  let isOver = false;
  try {
    ctx.owns?.(child.process);
    options.onStarted(child);
    const exit = await Promise.race([child.exited, whenAborted(ctx.signal)]);
    const left = exit === "stopped" ? "stopped" : await settle(options, ctx, { tree, exit });
    isOver = true;
    if (exit === "stopped" || left === "stopped") return await stop(options, ctx, tree);
    return reportOf(options, exit, left);
  } finally {
    // Something of ours threw: nothing of it may outlive its locks all the same.
    if (!isOver) await killTree(tree, { clock: ctx.clock, graceMs: Math.min(graceMs, 1_000) });
  }
}

function whenAborted(signal: AbortSignal): Promise<"stopped"> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve("stopped");
    else signal.addEventListener("abort", () => resolve("stopped"), { once: true });
  });
}

async function settle(
  options: ExecOptions,
  ctx: AgentContext,
  { tree, exit }: { readonly tree: ProcessTree; readonly exit: Exit },
): Promise<readonly ProcessEntry[] | "stopped"> {
  const { leftovers, keepList, graceMs } = options;
  options.onExit(exit);
  // What is kept is only told of: where a group knows of nobody, nobody else is asked.
  const { cgroup } = tree.root;
  if (leftovers === "keep" && cgroup !== undefined && cgroupMembers(cgroup).length === 0) return [];
  let left = tree.find();
  if (left.length === 0 || leftovers === "keep") return left;
  if (leftovers === "wait") {
    while (left.length > 0) {
      const waited = new Promise<"waited">((resolve) => {
        ctx.clock.setTimer(LEFTOVER_POLL_MS, () => resolve("waited"));
      });
      if ((await Promise.race([waited, whenAborted(ctx.signal)])) === "stopped") return "stopped";
      left = tree.find();
    }
    return left;
  }
  const spare = (entry: ProcessEntry) => isSharedDaemon(entry, keepList);
  const { survivors } = await killTree(tree, { clock: ctx.clock, graceMs, spare });
  if (survivors.length > 0) {
    const find = () => tree.find().filter((entry) => !spare(entry));
    throw notStopped(options, survivors, whenGone(find, ctx.clock));
  }
  return tree.find();
}

async function stop(options: ExecOptions, ctx: AgentContext, tree: ProcessTree): Promise<never> {
  const { survivors } = await killTree(tree, { clock: ctx.clock, graceMs: options.graceMs });
  if (survivors.length > 0)
    throw notStopped(
      options,
      survivors,
      whenGone(() => tree.find(), ctx.clock),
    );
  throw new LockyardError("CANCELLED", `${nameOf(options)} was stopped.`);
}

function reportOf(options: ExecOptions, exit: Exit, left: readonly ProcessEntry[]): AgentReport {
  const isSuccess = exit.code === 0;
  return agentReport({
    success: isSuccess,
    output: { exitCode: exit.code, signal: exit.signal },
    ...(isSuccess ? {} : { errorMessage: `${nameOf(options)} ended ${wordsFor(exit)}.` }),
    ...(left.length === 0 ? {} : { leftovers: left.map(show) }),
  });
}

function wordsFor({ code, signal }: Exit): string {
  return signal === null ? `with exit code ${code}` : `by ${signal}`;
}

/** Its locks stay until all of it is gone. */
function notStopped(options: ExecOptions, survivors: readonly ProcessEntry[], gone: Promise<void>): LockyardError {
  const names = survivors.slice(0, 20).map(show).join(", ");
  const error = new LockyardError(
    "NOT_STOPPED",
    `${survivors.length} processes of ${nameOf(options)} could not be stopped: ${names}.`,
    { hint: "End them yourself (another user's, or stuck in the kernel): the locks stay until they are gone." },
  );
  return Object.assign(error, { survivors: survivors.map(show), whenGone: gone });
}

function show({ pid, name }: ProcessEntry): string {
  return `${neutralise(name)} (${pid})`;
}

function nameOf({ argv: [program] }: ExecOptions): string {
  return neutralise(program.length > 100 ? `${program.slice(0, 100)}…` : program);
}
