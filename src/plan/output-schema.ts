/** `outputSchema` of a task: a JSON Schema as data, and as what a task call takes. */
import * as z from "zod";
import type { JsonObject, JsonValue, StandardSchema } from "../core/task.ts";
import { lookUp } from "./template.ts";

/** What is wrong with a JSON Schema, or undefined. Supported is what says its type; no `if`, no remote `$ref`. */
export function outputSchemaFault(schema: unknown): string | undefined {
  const untyped = findUntyped(schema, "");
  if (untyped !== undefined) return untyped;
  try {
    convert(schema).safeParse(null); // a schema that refers to itself without end is found by using it
    return undefined;
  } catch (error) {
    return error instanceof RangeError
      ? "it refers to itself without end"
      : error instanceof Error
        ? error.message
        : String(error);
  }
}

/** The schema in the form a task call takes. It was checked by `outputSchemaFault`. */
export function outputValidator(schema: JsonObject): StandardSchema<JsonValue> {
  return convert(schema) as unknown as StandardSchema<JsonValue>; // zod schemas are Standard Schemas; their output is JSON here
}

function convert(schema: unknown): z.ZodType {
  return z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]); // throws for what it does not know
}

const SAYS_WHAT = ["type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf", "not"];
const NEEDS_TYPE = [
  "properties",
  "required",
  "additionalProperties",
  "items",
  "pattern",
  "minimum",
  "maximum",
  "minLength",
  "maxLength",
  "minItems",
  "maxItems",
];
const LISTS = ["anyOf", "oneOf", "allOf"];
const RECORDS = ["properties", "$defs", "definitions"];
const SINGLE = ["items", "additionalProperties", "not"];

/** A part that constrains without saying its type would let everything through. */
function findUntyped(schema: unknown, where: string): string | undefined {
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return undefined;
  const has = (key: string) => Object.hasOwn(schema, key);
  const constraint = NEEDS_TYPE.find(has);
  if (constraint !== undefined && !SAYS_WHAT.some(has))
    return `${where === "" ? "it" : where} has ${constraint} and no type`;
  const children: (readonly [string, unknown])[] = SINGLE.map((key) => [`${where}/${key}`, lookUp(schema, [key])]);
  for (const key of [...LISTS, ...RECORDS]) {
    const inner = lookUp(schema, [key]);
    if (typeof inner === "object" && inner !== null) {
      for (const [name, value] of Object.entries(inner)) children.push([`${where}/${key}/${name}`, value]);
    }
  }
  for (const [at, child] of children) {
    const fault = findUntyped(child, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
