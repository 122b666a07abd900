/**
 * A program that an attempt owns: how it is stopped, what becomes of what it leaves behind, and what is said of whatever
 * could not be ended. Shared by all agents that start programs.
 */
import { LockyardError } from "../core/errors.ts";
import type { AgentContext } from "../core/ports.ts";
import { killTree, whenGone } from "./kill-tree.ts";
import { isSharedDaemon } from "./leftovers.ts";
import { neutralise } from "./neutralise.ts";
import type { ProcessEntry } from "./proc-table.ts";
import type { ProcessTree } from "./process-tree.ts";
import type { SpawnedChild } from "./spawn.ts";

export interface OwnedProgram {
  /** For messages; neutralised. */
  readonly name: string;
  readonly child: SpawnedChild;
  readonly tree: ProcessTree;
  readonly ctx: AgentContext;
  /** Milliseconds between TERM and KILL. */
  readonly graceMs: number;
}

export interface LeftoverPolicy {
  /** What becomes of processes that outlive a program which ended by itself. */
  readonly leftovers: "kill" | "keep" | "wait";
  /** Shared daemons that `kill` leaves alone. */
  readonly keepList: readonly string[];
}

/** Between looks at leftovers that are waited for, and before what outlives the program counts as left over. */
const LEFTOVER_POLL_MS = 250;
const LEFTOVER_SETTLE_MS = 30;

/** Ends everything of the instance. Throws CANCELLED when that is proven, else NOT_STOPPED with the survivors. */
export async function stopProgram(program: OwnedProgram): Promise<never> {
  await endProgram(program);
  throw new LockyardError("CANCELLED", `${program.name} was stopped.`);
}

/** Ends everything of the instance and returns when that is proven; else throws NOT_STOPPED with the survivors. */
export async function endProgram(program: OwnedProgram): Promise<void> {
  const { child, tree, ctx, graceMs } = program;
  const { survivors } = await killTree(tree, { clock: ctx.clock, graceMs });
  if (survivors.length > 0) throw notStopped(program, survivors, () => tree.find());
  // Dead, and so collected by us in a moment; a tree without a table has been proven by its group only.
  await child.exited;
}

/** What outlives a program that ended by itself: waited for, kept, or ended except for shared daemons. Names who stays. */
export async function settleLeftovers(program: OwnedProgram & LeftoverPolicy): Promise<readonly string[] | "stopped"> {
  const { tree, ctx, leftovers, keepList, graceMs } = program;
  let left = tree.find();
  if (left.length === 0) return [];
  // Parts of a pipeline end a moment after the shell that started them.
  if ((await pause(ctx, LEFTOVER_SETTLE_MS)) === "stopped") return "stopped";
  left = tree.find();
  if (leftovers === "wait") {
    while (left.length > 0) {
      if ((await pause(ctx, LEFTOVER_POLL_MS)) === "stopped") return "stopped";
      left = tree.find();
    }
  }
  if (leftovers === "kill" && left.length > 0) {
    const spare = (entry: ProcessEntry) => isSharedDaemon(entry, keepList);
    const ended = left.filter((entry) => !spare(entry));
    if (ended.length > 0) {
      ctx.log.warn(`${program.name} left ${countOf(ended)} behind; what is left of a command is ended.`, {
        processes: ended.slice(0, 20).map(showProcess),
      });
      const { survivors } = await killTree(tree, { clock: ctx.clock, graceMs, spare });
      if (survivors.length > 0)
        throw notStopped(program, survivors, () => tree.find().filter((entry) => !spare(entry)));
    }
    left = tree.find();
  }
  return left.map(showProcess);
}

function notStopped(
  { name, ctx }: OwnedProgram,
  survivors: readonly ProcessEntry[],
  find: () => readonly ProcessEntry[],
): LockyardError {
  const names = survivors.slice(0, 20).map(showProcess);
  const more = survivors.length > names.length ? ` and ${survivors.length - names.length} more` : "";
  const what = `${name} left ${countOf(survivors)} that could not be stopped: ${names.join(", ")}${more}.`;
  const error = new LockyardError("NOT_STOPPED", what, {
    hint: "End them yourself (another user's, or stuck in the kernel): the locks stay until they are gone.",
  });
  return Object.assign(error, { survivors: survivors.map(showProcess), whenGone: whenGone(find, ctx.clock) });
}

function countOf({ length }: readonly unknown[]): string {
  return length === 1 ? "1 process" : `${length} processes`;
}

function showProcess({ pid, name }: ProcessEntry): string {
  return `${neutralise(name)} (${pid})`;
}

/** The event, or `stopped` when the signal comes first. */
export async function untilStopped<T>(event: Promise<T>, signal: AbortSignal): Promise<T | "stopped"> {
  if (signal.aborted) return "stopped";
  let onAbort: (() => void) | undefined;
  const stopped = new Promise<"stopped">((resolve) => {
    onAbort = () => resolve("stopped");
    signal.addEventListener("abort", onAbort, { once: true });
  });
  try {
    return await Promise.race([event, stopped]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort);
  }
}

/** Waits, but not longer than the task may run. */
async function pause(ctx: AgentContext, delayMs: number): Promise<"stopped" | "waited"> {
  let cancel: (() => void) | undefined;
  const waited = new Promise<"waited">((resolve) => {
    const timer = ctx.clock.setTimer(delayMs, () => resolve("waited"));
    cancel = () => timer.cancel();
  });
  try {
    return await untilStopped(waited, ctx.signal);
  } finally {
    cancel?.();
  }
}
