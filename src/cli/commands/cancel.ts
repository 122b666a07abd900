/** `lockyard cancel`: asks through the store, so that tasks of other processes are reached, and counts only what ended. */
import { BOUNDS, DEFAULTS, IsoTimes, LEASE, LockyardError, neutralise } from "../../edges/basics.ts";
import { isFinal, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { AgentResult, Clock } from "../../index.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { isSessionRow } from "../look/session-look.ts";
import type { CancelOptions } from "../program.ts";
import { freeWhatTheDeadHeld } from "../store/remains.ts";
import { noStoreText, openShared, type SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { count, duration } from "../terminal/duration.ts";

export async function cancelCommand(
  names: readonly string[],
  options: CancelOptions,
  surroundings: Surroundings,
): Promise<ExitCode> {
  const { out } = surroundings;
  if (names.length === 0 && options.workflow === undefined && options.agent === undefined && options.all !== true) {
    throw new LockyardError("INVALID_OPTION", "Say what to cancel: tasks, --workflow ID, --agent ID, or --all.", {
      hint: "lockyard status lists what runs.",
    });
  }
  const shared = await openShared(options, surroundings);
  if ("none" in shared) {
    if (options.json === true) out.json({ type: "cancel", ended: 0, unconfirmed: [], none: shared.none });
    else out.line(noStoreText(shared));
    return EXIT.ok;
  }
  try {
    return await cancelIn(shared, { names, options, surroundings });
  } finally {
    await shared.store.close();
  }
}

interface Wanted {
  readonly names: readonly string[];
  readonly options: CancelOptions;
  readonly surroundings: Surroundings;
}

async function cancelIn(shared: SharedStore, { names, options, surroundings }: Wanted): Promise<ExitCode> {
  const { store, clock } = shared;
  const { out, err } = surroundings;
  const { rows, unknown } = store.view((view) => chosen(view, names, options));
  if (unknown.length > 0) {
    throw new LockyardError("INVALID_OPTION", `There is no task or workflow named ${unknown.join(", ")}.`, {
      hint: "lockyard status lists what runs and what waits. Nothing was cancelled.",
    });
  }
  if (rows.length === 0) {
    if (options.json === true) out.json({ type: "cancel", ended: 0, otherwise: [], unconfirmed: [] });
    else out.line("Nothing to cancel: none of these runs or waits.");
    return EXIT.ok;
  }
  if (rows.some(({ status }) => status === "running") && options.json !== true && err.capabilities.isInteractive) {
    err.line(
      `Asked ${count(rows.length, "task")} to stop; they have ${duration(DEFAULTS.graceMs)} before they are killed.`,
    );
  }
  await ask(shared, rows);
  const ends = await untilEnded(shared, rows);
  const cancelled = ends.filter(({ status }) => status === "cancelled");
  const unconfirmed = ends.filter(({ status }) => !isFinal(status));
  const otherwise = ends.filter(({ status }) => isFinal(status) && status !== "cancelled");
  if (options.json === true) {
    const list = (some: readonly TaskRow[]) =>
      some.map(({ workflowId, taskId, status }) => ({ workflowId, taskId, status }));
    out.json({
      type: "cancel",
      ended: cancelled.length,
      otherwise: list(otherwise),
      unconfirmed: list(unconfirmed),
      at: new IsoTimes(clock).text(clock.nowMs()),
    });
  } else {
    out.line(
      `${count(cancelled.length, "task")} cancelled${cancelled.length === 0 ? "" : ", their processes are gone"}.`,
    );
    for (const { workflowId, taskId, status } of otherwise.slice(0, 20))
      out.line(neutralise(`${workflowId}/${taskId} had ended by itself: ${status}.`));
    for (const { workflowId, taskId } of unconfirmed.slice(0, 20))
      out.line(
        neutralise(
          `${workflowId}/${taskId} has not ended yet; it keeps its locks until it has. See: lockyard why ${workflowId}/${taskId}`,
        ),
      );
    if (unconfirmed.length > 20) out.line(`and ${unconfirmed.length - 20} more have not ended yet`);
  }
  return unconfirmed.length === 0 ? EXIT.ok : EXIT.failed;
}

function chosen(
  view: StoreView,
  names: readonly string[],
  { workflow, agent, all }: CancelOptions,
): { readonly rows: readonly TaskRow[]; readonly unknown: readonly string[] } {
  const rows = new Map<number, TaskRow>();
  const unknown: string[] = [];
  const add = (row: TaskRow) => {
    // A session is nobody's to stop: its host is not ours.
    if (row.kind === "task" && !isFinal(row.status) && !isSessionRow(row)) rows.set(row.key, row);
  };
  const everything = { limit: BOUNDS.waitingInMemory };
  for (const name of names) {
    const tasks = findTasks(view, name);
    const found = tasks.length > 0 ? tasks : view.tasks({ workflowId: name, ...everything });
    if (found.length === 0 && view.workflows(BOUNDS.tasksPerCall).every(({ workflowId }) => workflowId !== name))
      unknown.push(name);
    found.forEach(add);
  }
  if (workflow !== undefined) view.tasks({ workflowId: workflow, ...everything }).forEach(add);
  if (agent !== undefined || all === true) {
    for (const row of view.tasks(everything)) if (all === true || row.agentId === agent) add(row);
  }
  return { rows: [...rows.values()], unknown };
}

async function ask({ store, clock }: SharedStore, rows: readonly TaskRow[]): Promise<void> {
  const times = new IsoTimes(clock);
  await store.turn(
    rows.map((row) => ({
      type: "cancel",
      key: row.key,
      status: "cancelled",
      result: resultFor(row, times.text(clock.nowMs()), clock.nowMs()),
    })),
  );
}

/** What is remembered of a task that never started. One that runs gets its result from whoever runs it. */
function resultFor(row: TaskRow, finishedAt: string, nowMs: number): AgentResult {
  const message = `Task ${row.taskId} was cancelled by lockyard cancel.`;
  return {
    taskId: row.taskId,
    agentId: row.agentId,
    instanceId: "",
    success: false,
    status: "cancelled",
    output: null,
    confidenceScore: null,
    evidence: [],
    errorMessage: message,
    error: { code: "CANCELLED", message, retryable: false },
    attempts: 0,
    queuedMs: Math.max(0, nowMs - row.submittedAtMs),
    lockWaitMs: row.lockWaitMs,
    executionTimeMs: 0,
    startedAt: null,
    finishedAt,
  };
}

/** The grace, the proof, and what a busy machine adds to them. */
const LIMIT_MS = DEFAULTS.graceMs + DEFAULTS.proofMs + 2 * LEASE.beatMs;
const LOOK_MS = 50;
const JUDGE_EVERY = 20;

async function untilEnded({ store, clock }: SharedStore, rows: readonly TaskRow[]): Promise<readonly TaskRow[]> {
  const endMs = clock.nowMs() + LIMIT_MS;
  for (let looks = 1; ; looks++) {
    const now = store.view((view) =>
      rows.map(({ workflowId, taskId }, at) => view.task(workflowId, taskId) ?? rows[at]),
    );
    const known = now.flatMap((row) => row ?? []);
    if (known.every(({ status }) => isFinal(status)) || clock.nowMs() >= endMs) return known;
    await pause(clock);
    // Its owner may die before it obeys.
    if (looks % JUDGE_EVERY === 0) await freeWhatTheDeadHeld(store, clock);
  }
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(LOOK_MS, resolve);
  });
}
