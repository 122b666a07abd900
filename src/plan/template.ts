/**
 * `{{file}}`, `{{matrix.os}}`, `{{results.list.output.files}}` inside texts of a plan.
 *
 * Variables are put in when a plan is expanded, results when the task starts. What is put in is never read as a template
 * again: a file called `{{results.x}}` stays a file name. `\{{` stands for `{{` itself.
 */
import { LockyardError } from "../core/errors.ts";
import type { AgentResult, JsonValue } from "../core/task.ts";

/** One `{{…}}`: the steps inside, and where it stands in the text. */
export interface Reference {
  readonly path: readonly (string | number)[];
  readonly text: string;
  readonly index: number;
}
type Part = string | Reference;

export interface TemplateFault {
  readonly index: number;
  readonly what: string;
  readonly hint: string;
}

const NAME = /^[\p{L}_][\p{L}\p{N}_-]*/u;
const STEP = /^(?:\.([\p{L}\p{N}_-]+)|\[(\d{1,9})\]|\["([^"\\]*)"\])/u;

/** Variables by name: `{ file: "docs/a.md" }`. */
export type Variables = Readonly<Record<string, JsonValue>>;

/** Reads the templates of a text; `\{{` becomes `{{` in the plain parts. */
export function parseTemplate(text: string): {
  readonly parts: readonly Part[];
  readonly faults: readonly TemplateFault[];
} {
  const parts: Part[] = [];
  const faults: TemplateFault[] = [];
  let plain = "";
  let at = 0;
  while (at < text.length) {
    const open = text.indexOf("{{", at);
    if (open < 0) break;
    if (text[open - 1] === "\\" && open > at) {
      plain += `${text.slice(at, open - 1)}{{`;
      at = open + 2;
      continue;
    }
    const close = text.indexOf("}}", open);
    if (close < 0) {
      faults.push({
        index: open,
        what: "{{ is never closed",
        hint: "write {{name}}, or \\{{ for the signs themselves",
      });
      break;
    }
    plain += text.slice(at, open);
    const reference = text.slice(open, close + 2);
    const path = parsePath(reference.slice(2, -2).trim());
    if (path === undefined) {
      plain += reference;
      faults.push({
        index: open,
        what: `${reference.slice(0, 60)} is not a template`,
        hint: "write {{name}} or {{results.TASK.output}}, or \\{{ for the signs themselves",
      });
    } else {
      if (plain !== "") parts.push(plain);
      parts.push({ path, text: reference, index: open });
      plain = "";
    }
    at = close + 2;
  }
  plain += text.slice(at);
  if (plain !== "") parts.push(plain);
  return { parts, faults };
}

/** `list.output["my files"][0]` → its steps; undefined when it is none. */
export function parsePath(text: string): readonly (string | number)[] | undefined {
  const head = NAME.exec(text)?.[0];
  if (head === undefined) return undefined;
  const path: (string | number)[] = [head];
  let rest = text.slice(head.length);
  while (rest !== "") {
    const step = STEP.exec(rest);
    if (step === null || path.length > 64) return undefined;
    path.push(step[2] === undefined ? (step[1] ?? step[3] ?? "") : Number(step[2]));
    rest = rest.slice(step[0].length);
  }
  return path;
}

/** The `{{…}}` of a text. */
export function referencesOf(text: string): readonly Reference[] {
  return parseTemplate(text).parts.filter((part) => typeof part !== "string");
}

export function hasTemplate(text: string): boolean {
  return text.includes("{{") && referencesOf(text).length > 0;
}

export function isResult(reference: Reference): boolean {
  return reference.path[0] === "results";
}

/** A member of data, by own keys only; undefined when it is not there. */
export function lookUp(data: unknown, path: readonly (string | number)[]): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Readonly<Record<string | number, unknown>>)[step]; // an object with this own key
  }
  return value;
}

export interface PutIn {
  /** Keep `{{results…}}` for the start of the task, and mark plain `{{` with a backslash so that they stay plain. */
  readonly keepsResults: boolean;
}

/** Puts variables into a text. A text that is one single reference becomes the value itself, whatever its type. */
export function putIn(text: string, variables: Variables, { keepsResults }: PutIn): JsonValue {
  if (!text.includes("{{")) return text;
  const { parts } = parseTemplate(text);
  const kept = (plain: string) => (keepsResults ? escapeTemplates(plain) : plain);
  const fill = (reference: Reference): JsonValue => {
    if (isResult(reference)) return reference.text;
    const value = lookUp(variables, reference.path) as JsonValue | undefined; // variables hold nothing else
    if (value === undefined) throw unknown(reference, "there is no such variable here");
    return keepsResults ? mapTexts(value, kept) : value;
  };
  const [only] = parts;
  if (parts.length === 1 && typeof only === "object") return fill(only);
  return parts.map((part) => (typeof part === "string" ? kept(part) : textOf(fill(part)))).join("");
}

/** A text whose `{{` stay what they are when it is read as a template. */
export function escapeTemplates(text: string): string {
  return text.replaceAll("{{", "\\{{");
}

/** What stands in a text for a value: text as it is, nothing for null, JSON for lists and objects. */
export function textOf(value: JsonValue): string {
  if (typeof value === "string") return value;
  if (value === null) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Applies a function to every text inside a value. */
export function mapTexts(value: JsonValue, change: (text: string) => JsonValue): JsonValue {
  if (typeof value === "string") return change(value);
  if (Array.isArray(value)) return value.map((item: JsonValue) => mapTexts(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapTexts(item, change)]));
}

/**
 * Puts results into every text of a value, when the task that uses them starts. `results` are by task id; the name of a
 * `forEach` task stands for the list of all its members: `groups` are such names, so that one without members is an empty
 * list. Throws INVALID_CONTEXT when a result lacks what is asked for.
 */
export function templateAtRunTime(
  value: JsonValue,
  results: Readonly<Record<string, AgentResult>>,
  groups: readonly string[] = [],
): JsonValue {
  const find = (reference: Reference): JsonValue => {
    const [, name, ...rest] = reference.path;
    const task = String(name);
    if (Object.hasOwn(results, task)) return found(lookUp(results[task], rest), reference);
    const members = Object.keys(results).filter((id) => id.startsWith(`${task}[`) && id.endsWith("]"));
    if (members.length === 0 && !groups.includes(task)) throw unknown(reference, `${task} has no result`);
    return members.map((id) => found(lookUp(results[id], rest), reference));
  };
  return mapTexts(value, (text) => {
    if (!text.includes("{{")) return text;
    const { parts } = parseTemplate(text);
    const [only] = parts;
    if (parts.length === 1 && typeof only === "object") return isResult(only) ? find(only) : only.text;
    return parts
      .map((part) => (typeof part === "string" ? part : isResult(part) ? textOf(find(part)) : part.text))
      .join("");
  });
}

function found(value: unknown, reference: Reference): JsonValue {
  if (value === undefined) throw unknown(reference, "the result holds no such thing");
  return value as JsonValue; // results are plain JSON
}

function unknown({ text }: Reference, why: string): LockyardError {
  return new LockyardError("INVALID_CONTEXT", `${text.slice(0, 80)} cannot be filled in: ${why}.`, {
    hint: "Compare the name with what the task before it gives as output.",
  });
}
