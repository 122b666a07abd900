/** One frame of the live view: failures, what asks, what runs, what waits, counts. A pure function of what is known. */
import { neutralise } from "../../edges/basics.ts";
import type { AgentInstance, ParallelExecutionStatus } from "../../index.ts";
import { elapsed } from "../terminal/duration.ts";
import type { Style } from "../terminal/style.ts";
import { cut, pad, width } from "../terminal/width.ts";
import type { Tally } from "./tally.ts";

export interface FrameFacts {
  readonly status: ParallelExecutionStatus;
  readonly tally: Tally;
  /** Milliseconds since the run began. */
  readonly elapsedMs: number;
  /** Milliseconds since 1970. */
  readonly nowWallMs: number;
  /** What Ctrl-C would do, or does. */
  readonly note: string;
}

export interface FrameSize {
  readonly columns: number;
  /** Lines at most. */
  readonly lines: number;
}

/** Of the room for tasks, what at least is left for those that wait, when any do. */
const WAITING_SHARE = 3;
const NAME_COLUMNS = 36;
const BAR = 8;

/** Lines of the frame, at most `size.lines`. */
export function frameOf(facts: FrameFacts, size: FrameSize, style: Style): readonly string[] {
  const { status, tally } = facts;
  const top = [...failureLines(tally, style), ...questionLines(tally, style)];
  const bottom = countLine(facts, style);
  const room = Math.max(0, size.lines - 1);
  const head = top.slice(0, Math.max(0, room - 2));
  const rows = room - head.length;
  const running = Object.values(status.runningInstances);
  const waiting = status.waiting;
  const forWaiting = Math.min(waiting.length, Math.max(rows - running.length, Math.min(WAITING_SHARE, rows >> 1)));
  const runningLines = limited(runningRows(running, facts, style), rows - forWaiting, style);
  const waitingLines = limited(waitingRows(facts, style), rows - runningLines.length, style);
  return [...head, ...runningLines, ...waitingLines, bottom];
}

function failureLines({ recentFailures, byStatus }: Tally, style: Style): readonly string[] {
  const total = byStatus.failed + byStatus.timed_out;
  if (total === 0) return [];
  const names = recentFailures.toReversed().map(({ taskId }) => neutralise(taskId));
  const more = total > names.length ? ` and ${total - names.length} more` : "";
  return [style.red(`${style.signs.failed} ${total} failed: ${names.join(", ")}${more}`)];
}

function questionLines({ questions }: Tally, style: Style): readonly string[] {
  return [...questions].map(([taskId, question]) => style.yellow(`? ${neutralise(taskId)} asks: ${oneLine(question)}`));
}

function runningRows(running: readonly AgentInstance[], { nowWallMs }: FrameFacts, style: Style): readonly string[] {
  const sorted = running.toSorted((a, b) => Date.parse(a.startTime) - Date.parse(b.startTime));
  const columns = Math.min(NAME_COLUMNS, Math.max(0, ...sorted.map(({ taskId }) => width(taskId))));
  return sorted.map((instance) => {
    const { taskId, agentId, startTime, progress, detail, resourcesLocked } = instance;
    const name = pad(cut(neutralise(taskId), columns), columns);
    const time = elapsed(nowWallMs - Date.parse(startTime)).padStart(6);
    const parts = [
      statusWord(instance, style),
      progress > 0 ? `${bar(progress, style)} ${Math.round(progress * 100)}%` : "",
      detail === undefined ? "" : oneLine(detail),
      endsIn(instance, nowWallMs),
      resourcesLocked.length === 0 ? "" : style.dim(`[${resourcesLocked.map(neutralise).join(", ")}]`),
    ];
    const rest = parts.filter((part) => part !== "").join("  ");
    return `${style.cyan(style.signs.running)} ${name} ${time}  ${style.dim(neutralise(agentId))}  ${rest}`;
  });
}

function statusWord({ status }: AgentInstance, style: Style): string {
  switch (status) {
    case "running":
    case "blocked":
    case "suspended":
    case "waiting":
      return "";
    case "starting":
      return style.dim("starting");
    case "ending":
      return style.yellow("stopping");
    case "needs_input":
      return style.yellow("needs an answer");
    case "retrying":
      return style.yellow("tries again");
  }
}

function endsIn({ estimatedCompletionAt }: AgentInstance, nowWallMs: number): string {
  if (estimatedCompletionAt === null) return "";
  const leftMs = Date.parse(estimatedCompletionAt) - nowWallMs;
  return leftMs >= 1_000 ? `about ${elapsed(leftMs)} left` : "";
}

function bar(progress: number, { signs }: Style): string {
  const full = Math.max(0, Math.min(BAR, Math.round(progress * BAR)));
  return signs.barFull.repeat(full) + signs.barEmpty.repeat(BAR - full);
}

function waitingRows({ status }: FrameFacts, style: Style): readonly string[] {
  const columns = Math.min(NAME_COLUMNS, Math.max(0, ...status.waiting.map(({ taskId }) => width(taskId))));
  const rows = status.waiting.map(({ taskId, reason }) => {
    const name = pad(cut(neutralise(taskId), columns), columns);
    return style.dim(`${style.signs.waiting} ${name}  ${oneLine(reason)}`);
  });
  const hidden = status.waitingCount - rows.length;
  return hidden > 0 ? [...rows, style.dim(`  and ${hidden.toLocaleString("en-US")} more wait`)] : rows;
}

/** So many lines; what is left out is counted on the last. */
function limited(lines: readonly string[], most: number, style: Style): readonly string[] {
  if (lines.length <= most) return lines;
  if (most <= 0) return [];
  return [...lines.slice(0, most - 1), style.dim(`  and ${(lines.length - most + 1).toLocaleString("en-US")} more`)];
}

function countLine({ tally, status, elapsedMs, note }: FrameFacts, style: Style): string {
  const { byStatus, total, finished } = tally;
  const running = Object.keys(status.runningInstances).length;
  const parts = [
    `${finished.toLocaleString("en-US")}/${total.toLocaleString("en-US")} done`,
    `${running} running`,
    `${Math.max(0, total - finished - running).toLocaleString("en-US")} waiting`,
    byStatus.skipped > 0 ? `${byStatus.skipped} skipped` : "",
    byStatus.cancelled > 0 ? `${byStatus.cancelled} cancelled` : "",
    elapsed(elapsedMs),
  ];
  const counts = parts.filter((part) => part !== "").join(` ${style.signs.dot} `);
  return `${style.bold(counts)}  ${style.dim(note)}`;
}

function oneLine(text: string): string {
  return neutralise(text).replaceAll(/\s*\n\s*/g, " ");
}
