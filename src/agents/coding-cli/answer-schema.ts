/** The shape a task wants its answer in, as JSON Schema: what a model can be told. */
import { readMember } from "../../core/member.ts";
import type { JsonObject } from "../../core/task.ts";

/** Of a Standard Schema that can say it (zod 4, arktype, valibot's own). Undefined for others: they are only checked. */
export function jsonSchemaOf(schema: unknown): JsonObject | undefined {
  const made = readMember(readMember(readMember(schema, "~standard"), "jsonSchema"), "output");
  if (typeof made !== "function") return undefined;
  try {
    const json: unknown = (made as (options: object) => unknown)({ target: "draft-07" });
    return typeof json === "object" && json !== null ? (JSON.parse(JSON.stringify(json)) as JsonObject) : undefined;
  } catch {
    // It has no JSON Schema (a date, a transformation): the answer is checked all the same.
    return undefined;
  }
}

/** For those that keep to no schema by themselves. */
export function askedInWords(schema: JsonObject): string {
  return `End with an answer that is only JSON, without any other text, and satisfies this JSON Schema:\n${JSON.stringify(schema)}`;
}
