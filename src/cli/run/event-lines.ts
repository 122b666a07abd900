/** What each event of a run says to people: the lines of `--ui=stream`, and what the live view leaves in the scrollback. */
import { neutralise } from "../../edges/basics.ts";
import type { FinalStatus, JsonValue, LockyardEvent } from "../../index.ts";
import { count, duration } from "../terminal/duration.ts";
import type { Style } from "../terminal/style.ts";

export interface LineOptions {
  readonly style: Style;
  /** Also what tasks print, what they wait for, and every start. */
  readonly isVerbose: boolean;
  /** `stream`: nothing else shows what runs, so starts and long waits are told. `live`: only what ended. */
  readonly ui: "live" | "stream";
  /** The task whose output is what the plan is for: the only one on which nothing depends. */
  readonly lastTaskId: string | null;
}

/** Lines of a failure's message that are shown; the whole of it is in `--json`. */
const MESSAGE_LINES = 12;

const NONE: readonly string[] = [];

/** Lines for one event; none for most. Neutralised: a terminal shows them and does not obey them. */
export function linesOf(event: LockyardEvent, options: LineOptions): readonly string[] {
  const { style, isVerbose, ui } = options;
  const tells = isVerbose || ui === "stream";
  switch (event.type) {
    case "task-finished":
      return finishedLines(event, options);
    case "task-started":
      return tells ? [`${style.cyan(style.signs.running)} ${name(event)} started${attemptOf(event.attempt)}`] : NONE;
    case "task-waiting":
      return isVerbose ? [style.dim(`${style.signs.waiting} ${name(event)} ${plain(event.reason)}`)] : NONE;
    case "task-progress":
      return isVerbose && event.detail !== ""
        ? [style.dim(`  ${name(event)} ${Math.round(event.progress * 100)}% ${plain(event.detail)}`)]
        : NONE;
    case "task-output":
      if (isWarning(event.chunk)) {
        return [`${style.yellow(style.signs.warning)} ${name(event)}: ${plain(event.chunk.warning)}`];
      }
      return isVerbose ? outputLines(event.taskId, event.chunk, style) : NONE;
    case "task-retrying":
      return [
        `${style.yellow(style.signs.warning)} ${name(event)} tries again${event.delayMs > 0 ? ` in ${duration(event.delayMs)}` : ""}: ${firstLine(event.reason)}`,
      ];
    case "task-needs-input":
      return [`${style.yellow("?")} ${name(event)} asks: ${plain(event.question)}`];
    case "lock-quarantined":
      return [
        `${style.yellow(style.signs.warning)} ${plain(event.resourceId)} is quarantined: ${plain(event.taskId)}, which held it, could not be stopped.`,
      ];
    case "lock-expired":
      return [
        `${style.yellow(style.signs.warning)} ${plain(event.resourceId)}: the lock of ${plain(event.taskId)} expired.`,
      ];
    case "budget-paused":
      // The rest of the sentence is for programs: it names a method.
      return [
        `${style.yellow(style.signs.warning)} ${plain(event.reason).replace(/ Continue with configure.*$/s, "")}`,
      ];
    case "limit-changed":
      return isVerbose ? [style.dim(`${plain(event.name)} is now ${event.limit}: ${plain(event.reason)}`)] : NONE;
    case "events-dropped":
      return [style.dim(`${count(event.count, "line")} not shown: too much came at once.`)];
    case "task-submitted":
    case "lock-granted":
    case "lock-released":
    case "workflow-started":
    case "workflow-paused":
    case "workflow-finished":
      return NONE;
  }
}

type Finished = Extract<LockyardEvent, { readonly type: "task-finished" }>;

function finishedLines(event: Finished, { style, isVerbose, lastTaskId }: LineOptions): readonly string[] {
  const { result, status } = event;
  // A plan that is interrupted may have a thousand of them; the summary counts them.
  if (status === "cancelled" && result.startedAt === null && !isVerbose) return NONE;
  const sign = signOf(status, style);
  const ran = duration(result.executionTimeMs);
  const took = result.startedAt === null ? "" : result.success ? ` ${style.dim(ran)}` : ` after ${ran}`;
  const waited = result.lockWaitMs >= 1_000 ? style.dim(`, waited ${duration(result.lockWaitMs)} for locks`) : "";
  if (result.success) {
    const output = event.taskId === lastTaskId && !isVerbose ? lastOutput(result.output, style) : NONE;
    return [
      `${sign} ${name(event)}${took}${waited}`,
      ...output,
      ...touchedLines(result.touched, style),
      ...leftoverLines(result.leftovers),
    ];
  }
  if (status === "cancelled") return [`${sign} ${name(event)} cancelled${took}${waited}`];
  const message = plain(result.errorMessage).split("\n");
  const shown = message.slice(1, MESSAGE_LINES).map((line) => `    ${line}`);
  const hidden = message.length - MESSAGE_LINES;
  // What was cancelled or skipped says so by itself.
  const code = status === "failed" ? style.dim(` (${result.error.code})`) : "";
  return [
    `${sign} ${name(event)} ${wordOf(status)}${took}${waited}${code}: ${message[0] ?? ""}`,
    ...shown,
    ...(hidden > 0 ? [style.dim(`    and ${count(hidden, "more line")}`)] : []),
    ...touchedLines(result.touched, style),
    ...leftoverLines(result.leftovers),
  ];
}

/** Lines of the last task's output that are shown. */
const OUTPUT_LINES = 30;

function lastOutput(output: JsonValue, style: Style): readonly string[] {
  if (typeof output !== "string" || output.trim() === "") return NONE;
  const lines = plain(output).trimEnd().split("\n");
  const hidden = lines.length - OUTPUT_LINES;
  return [
    ...lines.slice(0, OUTPUT_LINES).map((line) => `    ${line}`),
    ...(hidden > 0 ? [style.dim(`    and ${count(hidden, "more line")}`)] : []),
  ];
}

/** Files named in one line; the result has them all. */
const TOUCHED_SHOWN = 5;

/** What changed while it ran and was not declared, by itself unless it says by whom. */
function touchedLines(touched: readonly string[] | undefined, style: Style): readonly string[] {
  if (touched === undefined || touched.length === 0) return NONE;
  const shown = touched.slice(0, TOUCHED_SHOWN).map(plain).join(", ");
  const hidden = touched.length - TOUCHED_SHOWN;
  return [
    `    ${style.yellow(style.signs.warning)} touched, not declared: ${shown}${hidden > 0 ? ` and ${hidden} more` : ""}`,
  ];
}

function leftoverLines(leftovers: readonly string[] | undefined): readonly string[] {
  return leftovers === undefined || leftovers.length === 0
    ? NONE
    : [`    still running by choice: ${leftovers.slice(0, 5).map(plain).join(", ")}`];
}

export function wordOf(status: FinalStatus): string {
  return status === "timed_out" ? "timed out" : status;
}

export function signOf(status: FinalStatus, { signs, green, red, yellow, dim }: Style): string {
  switch (status) {
    case "succeeded":
      return green(signs.ok);
    case "failed":
    case "timed_out":
      return red(signs.failed);
    case "cancelled":
      return yellow(signs.failed);
    case "skipped":
      return dim(signs.skipped);
  }
}

/** `{ stream, text }` of a command, or anything a function emitted. */
function outputLines(taskId: string, chunk: JsonValue, style: Style): readonly string[] {
  const text = typeof chunk === "string" ? chunk : isPiece(chunk) ? chunk.text : JSON.stringify(chunk);
  const lines = plain(text).replace(/\n$/, "").split("\n");
  return lines.map((line) => `${style.dim(`${plain(taskId)} |`)} ${line}`);
}

function isPiece(chunk: JsonValue): chunk is { readonly text: string } {
  return typeof chunk === "object" && chunk !== null && "text" in chunk && typeof chunk.text === "string";
}

/** What an agent has to tell about its work rather than of it. */
function isWarning(chunk: JsonValue): chunk is { readonly warning: string } {
  return typeof chunk === "object" && chunk !== null && "warning" in chunk && typeof chunk.warning === "string";
}

function attemptOf(attempt: number): string {
  return attempt > 1 ? `, attempt ${attempt}` : "";
}

function name(event: { readonly taskId: string }): string {
  return plain(event.taskId);
}

function firstLine(text: string): string {
  return plain(text).split("\n", 1)[0] ?? "";
}

function plain(text: string): string {
  return neutralise(text);
}
