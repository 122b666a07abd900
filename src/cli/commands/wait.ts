/** `lockyard wait ID`: until a detached command, a task or a workflow has ended, but never longer than an agent's shell waits. */
import { existsSync } from "node:fs";
import { LockyardError, neutralise, systemClock } from "../../edges/basics.ts";
import { explain, FINAL_STATUSES, isFinal, LIVE_STATUSES, type StoreView, type TaskRow } from "../../edges/store.ts";
import type { AgentResult, Clock } from "../../index.ts";
import { EXEC_EXIT } from "../exec/codes.ts";
import { outputFile } from "../exec/detach.ts";
import { EXIT } from "../exit-codes.ts";
import { findTasks } from "../look/find-task.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { WaitOptions } from "../program.ts";
import { freeWhatTheDeadHeld } from "../store/remains.ts";
import { type NoStore, noStoreText, openShared, type SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { count, duration } from "../terminal/duration.ts";

const LOOK_MS = 100;
/** A command that was detached a moment ago may not have reached the store yet. */
const ARRIVAL_MS = 5_000;
const JUDGE_EVERY = 10;
const LISTED = 1_000;
const EVERY: readonly TaskRow["status"][] = [...LIVE_STATUSES, ...FINAL_STATUSES];

export async function waitCommand(name: string, options: WaitOptions, surroundings: Surroundings): Promise<number> {
  const shared = await openWhenThere(options, surroundings);
  if ("none" in shared) throw new LockyardError("INVALID_OPTION", noStoreText(shared));
  try {
    const rows = await untilEnded(shared, { name, limitMs: options.timeout });
    if (rows.length === 0) {
      throw new LockyardError("INVALID_OPTION", `There is nothing named ${name}.`, {
        hint: "lockyard status lists what runs and what waits.",
      });
    }
    return tell(shared, { name, rows, options, surroundings });
  } finally {
    await shared.store.close();
  }
}

/** Whoever was detached a moment ago may be making the store at this very moment. */
async function openWhenThere(options: WaitOptions, surroundings: Surroundings): Promise<SharedStore | NoStore> {
  const clock = systemClock();
  const endMs = clock.nowMs() + Math.min(ARRIVAL_MS, options.timeout);
  for (;;) {
    const shared = await openShared(options, surroundings);
    if (!("none" in shared) || shared.none !== "missing" || clock.nowMs() >= endMs) return shared;
    await pause(clock);
  }
}

function pause(clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(LOOK_MS, resolve);
  });
}

interface Wanted {
  readonly name: string;
  readonly limitMs: number;
}

async function untilEnded({ store, clock }: SharedStore, { name, limitMs }: Wanted): Promise<readonly TaskRow[]> {
  const startedMs = clock.nowMs();
  for (let looks = 1; ; looks++) {
    const rows = store.view((view) => meant(view, name));
    const sinceMs = clock.nowMs() - startedMs;
    const isOver = rows.length > 0 ? rows.every(({ status }) => isFinal(status)) : sinceMs >= ARRIVAL_MS;
    if (isOver || sinceMs >= limitMs) return rows;
    await pause(clock);
    // Whoever runs it may have died.
    if (looks % JUDGE_EVERY === 0) await freeWhatTheDeadHeld(store, clock);
  }
}

function meant(view: StoreView, name: string): readonly TaskRow[] {
  const tasks = name.includes("/") ? findTasks(view, name) : [];
  const rows = tasks.length > 0 ? tasks : view.tasks({ workflowId: name, statuses: EVERY, limit: LISTED });
  return rows.filter(({ kind }) => kind === "task");
}

interface Told {
  readonly name: string;
  readonly rows: readonly TaskRow[];
  readonly options: WaitOptions;
  readonly surroundings: Surroundings;
}

/** The command's own code; 75 while it is not over; 0 or 1 for a whole workflow. */
function tell({ store, clock }: SharedStore, { name, rows, options, surroundings }: Told): number {
  const { out, cwd } = surroundings;
  const open = rows.filter(({ status }) => !isFinal(status));
  const results = store.view((view) =>
    rows.map(({ workflowId, taskId }) => view.result(workflowId, taskId) as AgentResult | undefined),
  ); // what settle kept
  const code = open.length > 0 ? EXEC_EXIT.notAdmitted : codeOf(rows, results);
  const file = outputFile(name, options.store, surroundings);
  const output = existsSync(file) ? file : null;
  if (options.json === true) {
    out.json({ type: "wait", id: name, isOver: open.length === 0, exitCode: code, output, results });
    return code;
  }
  const where = output === null ? "" : ` Its output: ${output}`;
  const [first] = open;
  if (first !== undefined) {
    const root = workspaceRoot(cwd);
    const { reason } = store.view((view) =>
      explain(view, first, { nowMs: clock.nowMs(), root, typicalMs: (row) => view.typicalRunMs(row) }),
    );
    const rest = open.length > 1 ? ` ${count(open.length - 1, "other task")} not over either.` : "";
    out.line(
      neutralise(
        `${name} is not over: ${first.status === "running" ? `it has been running for ${duration(clock.nowMs() - first.admittedAtMs)}` : reason}.${rest} Nothing hangs; ask again: lockyard wait ${name}`.replaceAll(
          "..",
          ".",
        ),
      ),
    );
    return code;
  }
  const [result] = results;
  const words = rows.length === 1 ? endOf(rows[0], result) : `${count(rows.length, "task")} ended`;
  out.line(neutralise(`${name}: ${words}.${where}`));
  return code;
}

function endOf(row: TaskRow | undefined, result: AgentResult | undefined): string {
  const exit = exitCodeIn(result);
  const took = result === undefined ? "" : ` after ${duration(result.executionTimeMs)}`;
  if (exit !== null) return `ended with exit code ${exit}${took}`;
  return `${row?.status ?? "ended"}${took}${result?.errorMessage ? `: ${result.errorMessage.replace(/\.$/, "")}` : ""}`;
}

function codeOf(rows: readonly TaskRow[], results: readonly (AgentResult | undefined)[]): number {
  const [result] = results;
  const exit = rows.length === 1 ? exitCodeIn(result) : null;
  if (exit !== null) return exit;
  return rows.every(({ status }) => status === "succeeded") ? EXIT.ok : EXIT.failed;
}

/** What `exec` keeps as its output. */
function exitCodeIn(result: AgentResult | undefined): number | null {
  const output: unknown = result?.output;
  if (typeof output !== "object" || output === null || !("exitCode" in output)) return null;
  return typeof output.exitCode === "number" ? output.exitCode : null;
}
