/** Logs: one JSON object a line, or nothing. Which level and where to is decided by the edge that makes the logger. */
import type { Logger } from "../core/ports.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error", "silent"];
/** Longer lines are cut: a log is no store. */
const LINE_CHARACTERS = 8_192;

/** Reads a level as people write it; undefined for anything else. */
export function parseLogLevel(text: string | undefined): LogLevel | undefined {
  const level = text?.trim().toLowerCase();
  if (level === "warning") return "warn";
  if (level === "off" || level === "none") return "silent";
  return LEVELS.find((known) => known === level);
}

export const noLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
function nothing(): void {}

export interface LoggerOptions {
  readonly level: LogLevel;
  /** Gets one line without its line feed. May throw: nobody notices. */
  readonly write: (line: string) => void;
  /** Time of a line: ISO 8601. */
  readonly now: () => string;
  /** On every line: `{ workflowId }`. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** A logger of `{"at","level","message",…fields}` lines at or above a level. Never throws. */
export function ndjsonLogger(options: LoggerOptions): Logger {
  const lowest = LEVELS.indexOf(options.level);
  const at = (level: LogLevel): Logger["info"] =>
    LEVELS.indexOf(level) < lowest
      ? nothing
      : (message, fields) => {
          try {
            options.write(line(options, { level, message, fields }));
          } catch {
            // A full disk or a closed pipe must not fail the task that wanted to say something.
          }
        };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

interface Entry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>> | undefined;
}

function line(options: LoggerOptions, { level, message, fields }: Entry): string {
  const head = { at: options.now(), level, message: message.slice(0, LINE_CHARACTERS / 4) };
  try {
    const text = JSON.stringify({ ...options.fields, ...fields, ...head }, plain);
    if (text.length <= LINE_CHARACTERS) return text;
  } catch {
    // cyclic, or a getter that throws: the message is worth more than its fields
  }
  return JSON.stringify({ ...head, fields: "(left out: too long or not plain)" });
}

function plain(_key: string, value: unknown): unknown {
  if (typeof value === "bigint") return `${value}`;
  if (value instanceof Error)
    return { name: value.name, message: value.message, ...("code" in value ? { code: value.code } : {}) };
  return value;
}
