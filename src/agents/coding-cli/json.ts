/** Reading events of which nothing is certain. */
import { readMember } from "../../core/member.ts";
import type { JsonObject, JsonValue } from "../../core/task.ts";

export function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce(readMember, value);
}

export function textAt(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path);
  return typeof found === "string" ? found : "";
}

/** 0 when there is none. */
export function countAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) && found >= 0 ? found : 0;
}

export function numberAt(value: unknown, ...path: readonly string[]): number | undefined {
  const found = at(value, ...path);
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found : [];
}

/** One line of a stream; undefined when it is no JSON object. */
export function eventIn(line: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** JSON in an answer: the whole of it, or what stands in its last fence. Undefined when there is none. */
export function jsonInAnswer(text: string): JsonValue | undefined {
  const fenced = [...text.matchAll(/^```(?:json)?\s*\n([\s\S]*?)\n```\s*$/gm)].map((match) => match[1] ?? "");
  for (const candidate of [text, ...fenced.reverse()]) {
    try {
      return JSON.parse(candidate) as JsonValue;
    } catch {
      // Words; the next may be it.
    }
  }
  return undefined;
}
