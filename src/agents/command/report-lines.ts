/**
 * Takes the lines `::lockyard {json}` out of what a command prints and leaves the rest alone, byte for byte. Works on
 * bytes: a gigabyte without reports passes through a native search, and half a character at a chunk's end stays half.
 */
import { BOUNDS } from "../../core/bounds.ts";
import { toJson } from "../../core/json.ts";
import { readMember } from "../../core/member.ts";
import type { JsonValue } from "../../core/task.ts";

const PREFIX = Buffer.from("::lockyard ");
const LINE_AND_PREFIX = Buffer.from("\n::lockyard ");
const NEWLINE = 10;
/** A report holds at most a result of the largest size, escaped. */
const MAX_LINE_BYTES = 2 * BOUNDS.contextBytes;

const MAX_PARTS = 1_024;

/** One report line, read. Any of them may be there. */
export interface CommandReport {
  readonly progress?: number;
  readonly detail?: string;
  readonly result?: JsonValue;
  readonly evidence?: readonly string[];
  readonly confidence?: number;
  readonly error?: { readonly message: string; readonly retryable: boolean; readonly retryAfterMs?: number };
  readonly heartbeat?: true;
}

export interface ReportTaker {
  output(bytes: Buffer): void;
  report(report: CommandReport): void;
  /** A line that began like a report and is none; its bytes go to `output` too. */
  malformed(why: string): void;
}

/** Splits what is pushed into output and reports. `end` gives out what is held back. */
export class ReportLines {
  readonly #taker: ReportTaker;
  /** Bytes of a line that is a report, or may become one. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #isAtLineStart = true;

  constructor(taker: ReportTaker) {
    this.#taker = taker;
  }

  push(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) rest = this.#heldBytes > 0 ? this.#goOn(rest) : this.#begin(rest);
  }

  end(): void {
    if (this.#heldBytes > 0) this.#finish(this.#take());
  }

  /** Nothing is held: gives out everything up to the next line that may be a report. */
  #begin(bytes: Buffer): Buffer {
    if (this.#isAtLineStart && mayBeReport(bytes)) return this.#hold(bytes);
    const found = bytes.indexOf(LINE_AND_PREFIX);
    const at = found === -1 ? startOfLastLine(bytes) : found + 1;
    // The last line is held back only while it may still become a report.
    const isCandidate = found !== -1 || (at > 0 && at < bytes.length && mayBeReport(bytes.subarray(at)));
    const cut = isCandidate ? at : bytes.length;
    if (cut > 0) this.#taker.output(bytes.subarray(0, cut));
    this.#isAtLineStart = cut > 0 ? bytes[cut - 1] === NEWLINE : this.#isAtLineStart;
    return bytes.subarray(cut);
  }

  #hold(bytes: Buffer): Buffer {
    const newline = bytes.indexOf(NEWLINE);
    const end = newline === -1 ? bytes.length : newline + 1;
    // A copy: the chunk's memory is the stream's.
    this.#held.push(Buffer.from(bytes.subarray(0, end)));
    this.#heldBytes += end;
    // A line that comes byte by byte must not become a million buffers.
    if (this.#held.length >= MAX_PARTS) this.#held = [Buffer.concat(this.#held)];
    if (newline !== -1) this.#finish(this.#take());
    return bytes.subarray(end);
  }

  /** A line is held: adds to it, until it ends or turns out not to be a report. */
  #goOn(bytes: Buffer): Buffer {
    if (this.#heldBytes < PREFIX.length) {
      const start = Buffer.concat([...this.#held, bytes.subarray(0, PREFIX.length)]);
      if (!mayBeReport(start)) return this.#giveUp(bytes);
    } else if (this.#heldBytes > MAX_LINE_BYTES) {
      this.#taker.malformed(`is longer than ${MAX_LINE_BYTES.toLocaleString("en")} bytes`);
      return this.#giveUp(bytes);
    }
    return this.#hold(bytes);
  }

  #giveUp(bytes: Buffer): Buffer {
    this.#taker.output(this.#take());
    this.#isAtLineStart = false;
    return bytes;
  }

  #take(): Buffer {
    const line = this.#held.length === 1 ? (this.#held[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return line;
  }

  #finish(line: Buffer): void {
    this.#isAtLineStart = line[line.length - 1] === NEWLINE;
    if (line.length < PREFIX.length) {
      this.#taker.output(line);
      return;
    }
    const parsed = parseReport(line.subarray(PREFIX.length).toString("utf8"));
    if (typeof parsed !== "string") {
      this.#taker.report(parsed);
      return;
    }
    this.#taker.malformed(parsed);
    this.#taker.output(line);
  }
}

/** Whether the bytes begin as a report does, as far as they go. */
function mayBeReport(bytes: Buffer): boolean {
  const length = Math.min(bytes.length, PREFIX.length);
  return bytes.compare(PREFIX, 0, length, 0, length) === 0;
}

function startOfLastLine(bytes: Buffer): number {
  return bytes.lastIndexOf(NEWLINE) + 1;
}

/** A report, or what is wrong with it. */
export function parseReport(json: string): CommandReport | string {
  let given: unknown;
  try {
    given = JSON.parse(json);
  } catch {
    return "is not JSON";
  }
  if (typeof given !== "object" || given === null || Array.isArray(given)) return "is not a JSON object";
  const report: { -readonly [Key in keyof CommandReport]: CommandReport[Key] } = {};
  const { progress, detail, evidence, confidence, error, heartbeat } = given as Readonly<Record<string, unknown>>;
  if (isFraction(progress)) report.progress = progress;
  if (typeof detail === "string") report.detail = detail;
  if (isFraction(confidence)) report.confidence = confidence;
  if (heartbeat !== undefined) report.heartbeat = true;
  if (evidence !== undefined) report.evidence = evidenceIn(evidence);
  if (error !== undefined) report.error = errorIn(error);
  if (Object.hasOwn(given, "result")) {
    const checked = toJson(readMember(given, "result"), { repairStrings: true, where: "result" });
    if (checked.fault !== undefined) return `has a ${checked.fault.where} that ${checked.fault.what}`;
    report.result = checked.ok;
  }
  return Object.keys(report).length === 0
    ? "says nothing known (progress, detail, result, evidence, confidence, error, heartbeat)"
    : report;
}

function isFraction(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && value <= 1;
}

function evidenceIn(value: unknown): readonly string[] {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  return items
    .filter((item) => typeof item === "string" || typeof item === "number" || typeof item === "boolean")
    .slice(0, BOUNDS.evidencePerTask)
    .map((item) => String(item).slice(0, BOUNDS.evidenceChars).toWellFormed());
}

function errorIn(value: unknown): NonNullable<CommandReport["error"]> {
  const message = typeof value === "string" ? value : readMember(value, "message");
  const retryAfterMs = readMember(value, "retryAfterMs");
  const hasDelay = typeof retryAfterMs === "number" && retryAfterMs >= 0;
  return {
    message:
      typeof message === "string" && message !== "" ? message : "The command reported an error without a message.",
    retryable: readMember(value, "retryable") === true,
    ...(hasDelay ? { retryAfterMs } : undefined),
  };
}
