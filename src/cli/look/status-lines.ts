/** A status report as people read it. */
import { neutralise } from "../../edges/basics.ts";
import { count, duration, grouped } from "../terminal/duration.ts";
import type { Style } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { wrap } from "../terminal/width.ts";
import { type DeclaredRow, declarersText } from "./declared-rows.ts";
import { sessionLines } from "./session-lines.ts";
import type { LockRow, RunningRow, StatusReport, WaitingRow } from "./status-report.ts";

export interface LinesOptions {
  readonly style: Style;
  readonly columns: number;
}

export function statusLines(report: StatusReport, options: LinesOptions): readonly string[] {
  const { style } = options;
  const { counts, running, waiting } = report;
  const runningCount = counts.running + counts.starting + counts.ending + counts.needs_input;
  const others = [
    counts.blocked > 0
      ? counts.blocked === 1
        ? "1 task waits for what it depends on"
        : `${count(counts.blocked, "task")} wait for what they depend on`
      : "",
    counts.retrying > 0 ? `${count(counts.retrying, "task")} will try again` : "",
  ].filter((text) => text !== "");
  if (runningCount + counts.waiting + counts.suspended === 0 && others.length === 0)
    return report.sessions.length > 0
      ? sessionLines(report, options)
      : ["Nothing runs, nothing waits. Try: lockyard run PLAN"];
  return [
    ...quarantineLines(running, options),
    style.bold(`${grouped(runningCount)} running`),
    ...table(
      running.map((row) => runningCells(row, style)),
      { columns: options.columns, indent: 2 },
    ),
    ...more(runningCount - running.length, style),
    style.bold(`${grouped(counts.waiting)} waiting`),
    ...waiting.flatMap((row) => waitingLines(row, options)),
    ...more(counts.waiting - waiting.length, style),
    ...sessionLines(report, options),
    ...pausedLines(report, options),
    ...(others.length === 0 ? [] : [style.dim(others.join("; "))]),
  ];
}

/** Questions nobody answered, and what starts nothing, each with what to type. */
function pausedLines({ running, paused, counts }: StatusReport, { style, columns }: LinesOptions): readonly string[] {
  const asking = running.flatMap(({ workflowId, taskId, question }) =>
    question === null
      ? []
      : `${workflowId}/${taskId} asks: ${question} Answer: lockyard answer ${workflowId}/${taskId} "…"`,
  );
  const resting = paused.map(({ workflowId, tasks, isOwned, reason }) => {
    const why = isOwned
      ? `is paused${reason === "" ? "" : `: ${reason.replace(/\.$/, "")}`}`
      : "lost the process that ran it";
    return `${workflowId} ${why}; ${count(tasks, "task")} suspended. Continue: lockyard resume ${workflowId}`;
  });
  const listed = paused.reduce((sum, { tasks }) => sum + tasks, 0);
  return [
    ...[...asking, ...resting].flatMap((line) =>
      wrap(style.yellow(`${style.signs.warning} ${neutralise(line)}`), Math.min(120, columns)),
    ),
    ...(counts.suspended > listed ? [style.dim(`${count(counts.suspended - listed, "more task")} suspended`)] : []),
  ];
}

function more(hidden: number, style: Style): readonly string[] {
  return hidden > 0 ? [style.dim(`  and ${grouped(hidden)} more`)] : [];
}

function quarantineLines(running: readonly RunningRow[], { style }: LinesOptions): readonly string[] {
  return running
    .filter(({ quarantined }) => quarantined)
    .map(({ workflowId, taskId, locks, owner }) =>
      style.yellow(
        neutralise(
          `${style.signs.warning} ${locks.join(", ") || "nothing"} is quarantined: its last holder (${workflowId}/${taskId}${owner === "" ? "" : `, ${owner}`}) could not be stopped.`,
        ),
      ),
    );
}

function runningCells(
  { workflowId, taskId, agentId, status, forMs, locks, owner }: RunningRow,
  style: Style,
): readonly string[] {
  const word =
    status === "running"
      ? ""
      : status === "needs_input"
        ? "needs an answer"
        : status === "ending"
          ? "stopping"
          : status;
  return [
    `${style.cyan(style.signs.running)} ${neutralise(`${workflowId}/${taskId}`)}`,
    neutralise(agentId),
    duration(forMs),
    neutralise(locks.length === 0 ? "-" : locks.join(", ")),
    style.dim(neutralise(`${owner}${word === "" ? "" : `; ${word}`}`)),
  ];
}

function waitingLines(
  { workflowId, taskId, reason, hint, waitingMs, passed }: WaitingRow,
  { style, columns }: LinesOptions,
): readonly string[] {
  const bypassed = passed > 0 ? ` Passed by ${count(passed, "time")}.` : "";
  const sentence = neutralise(`${workflowId}/${taskId} ${reason}${bypassed}${hint === null ? "" : ` ${hint}`}`);
  const whole = `${style.signs.waiting} ${sentence} ${style.dim(`(since ${duration(waitingMs)})`)}`;
  return wrap(whole, Math.min(120, columns) - 4).map((line, at) => `${at === 0 ? "  " : "    "}${line}`);
}

/** Locks that are held, then what is declared and by whom. */
export function lockLines(
  { locks, resources }: Pick<StatusReport, "locks" | "resources">,
  options: LinesOptions,
): readonly string[] {
  const declared = declaredLines(resources, options);
  return [...heldLines(locks, options), ...(declared.length === 0 ? [] : ["", ...declared])];
}

function declaredLines(resources: readonly DeclaredRow[], { style, columns }: LinesOptions): readonly string[] {
  if (resources.length === 0) return [];
  const rows = resources.map(({ resourceId, kind, capacity, used, declaredBy }) => [
    neutralise(resourceId),
    kind,
    used === null ? "-" : `${grouped(used)} of ${grouped(capacity)}`,
    style.dim(neutralise(declarersText(declaredBy))),
  ]);
  return table(rows, { columns, head: ["DECLARED", "KIND", "IN USE", "HOW MANY, BY WHOM"].map(style.bold) });
}

function heldLines(locks: readonly LockRow[], { style, columns }: LinesOptions): readonly string[] {
  if (locks.length === 0) return ["No locks are held."];
  const rows = locks.map((lock) => [
    neutralise(lock.resourceId),
    modeText(lock),
    neutralise(lock.label),
    duration(lock.forMs),
    String(lock.fence),
    style.dim(neutralise(`${lock.holder}, ${lock.owner}${lock.quarantined ? "; quarantined" : ""}`)),
  ]);
  return table(rows, { columns, head: ["RESOURCE", "MODE", "HELD BY", "FOR", "FENCE", "OWNER"].map(style.bold) });
}

export function modeText({ mode, units, members }: Pick<LockRow, "mode" | "units" | "members">): string {
  if (mode !== "units") return mode;
  return members.length > 0 ? members.join(",") : count(units, "unit");
}
