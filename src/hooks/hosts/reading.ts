/** What the payloads of all hosts have in common: JSON of which any part may be missing, or be something else one day. */
import { isAbsolute, resolve } from "node:path";

export type Json = Readonly<Record<string, unknown>>;

/** An empty object for whatever is none. */
export function objectOf(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {}; // as just looked at
}

/** Null for whatever is no text, or an empty one. */
export function textOf(value: unknown): string | null {
  return typeof value === "string" && value !== "" ? value : null;
}

/** Absolute, from the session's directory. Null for what names no file. */
export function pathOf(value: unknown, cwd: string): string | null {
  const path = textOf(value);
  return path === null || path.includes("\0") ? null : resolve(cwd, path);
}

/** The paths among these, each once. */
export function pathsOf(values: readonly unknown[], cwd: string): readonly string[] {
  return [...new Set(values.map((value) => pathOf(value, cwd)).filter((path) => path !== null))];
}

/** Where the session stands: what the payload says, else where this process was started. */
export function directoryOf(value: unknown, here: string): string {
  const cwd = textOf(value);
  return cwd !== null && isAbsolute(cwd) ? cwd : here;
}
