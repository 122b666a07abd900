/** What a task is repeated for: the variables of each repetition, and the name it gets. */

import { errorCode } from "../core/errors.ts";
import { shortHash } from "../core/names.ts";
import type { JsonValue } from "../core/task.ts";
import { type FaultList, phrase } from "./faults.ts";
import type { PlanFiles } from "./glob.ts";
import type { ForEach, PlanTask } from "./plan.ts";
import { idFault } from "./reading.ts";
import { lookUp, type Variables } from "./template.ts";

export interface Item {
  readonly variables: Variables;
  /** Stands in brackets behind the id: `docs[docs/a.md]`. Undefined for a task without `forEach`. */
  readonly label: string | undefined;
}
export type Items = readonly Item[];

/** A list that is known only when another task has ended. */
export const UNKNOWN_ITEMS: Items = Object.freeze([]);

const ONCE: Items = [{ variables: {}, label: undefined }];

export function itemsOf(
  task: PlanTask,
  { files, faults }: { readonly files: PlanFiles; readonly faults: FaultList },
): Items {
  const { forEach } = task;
  if (forEach === undefined) return ONCE;
  switch (forEach.kind) {
    case "glob":
      return itemsOfGlob(task, forEach, { files, faults });
    case "list":
      return itemsOfList(forEach.items, forEach.as);
    case "matrix":
      return itemsOfMatrix(forEach.axes);
    case "from":
      return UNKNOWN_ITEMS;
  }
}

function itemsOfGlob(
  task: PlanTask,
  forEach: Extract<ForEach, { kind: "glob" }>,
  { files, faults }: { readonly files: PlanFiles; readonly faults: FaultList },
): Items {
  const at = { path: [...task.path, "forEach", "glob"] };
  const found = new Set<string>();
  try {
    for (const glob of forEach.globs) {
      if (glob.startsWith("!")) for (const file of files.files(glob.slice(1))) found.delete(file);
      else for (const file of files.files(glob)) found.add(file);
    }
  } catch (error) {
    if (errorCode(error) === undefined || !(error instanceof Error)) throw error;
    faults.add(at, phrase(error.message));
    return [];
  }
  if (found.size > forEach.max) {
    faults.add(at, `${found.size} files match and max is ${forEach.max}`, "raise max, or match fewer");
    return [];
  }
  // By code units, the same everywhere; a name that begins with a dash must not become an option of a command.
  const sorted = [...found].toSorted((a, b) => (a < b ? -1 : 1));
  return sorted
    .map((file) => (file.startsWith("-") ? `./${file}` : file))
    .map((file) => ({ variables: { [forEach.as]: file }, label: labelOf(file) }));
}

export function itemsOfList(items: readonly JsonValue[], as: string): Items {
  return items.map((item, index) => ({ variables: { [as]: item }, label: labelOf(nameOf(item) ?? String(index)) }));
}

/** What names an object in a list: its `id`, `name`, `file` or `path`; undefined when it has none. */
function nameOf(item: JsonValue): string | undefined {
  if (typeof item !== "object") return String(item);
  for (const key of ["id", "name", "file", "path"]) {
    const value = lookUp(item, [key]);
    if (typeof value === "string" || typeof value === "number") return String(value);
  }
  return undefined;
}

/** Every combination; the last axis changes fastest. */
function itemsOfMatrix(axes: Readonly<Record<string, readonly JsonValue[]>>): Items {
  let combinations: readonly Readonly<Record<string, JsonValue>>[] = [{}];
  for (const [name, values] of Object.entries(axes)) {
    combinations = combinations.flatMap((combination) => values.map((value) => ({ ...combination, [name]: value })));
  }
  return combinations.map((matrix) => ({
    variables: { matrix },
    label: labelOf(Object.values(matrix).map(String).join(",")),
  }));
}

/** Longer labels are cut and told apart by a hash, so that ids stay within their bound. */
const LONGEST_LABEL = 200;

export function labelOf(text: string): string {
  if (text.length <= LONGEST_LABEL && Buffer.byteLength(text) <= LONGEST_LABEL && idFault(text) === undefined)
    return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: replacing them is the purpose
  const control = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;
  const clean = text.toWellFormed().replaceAll(control, "?").trim();
  let short = clean.slice(0, LONGEST_LABEL);
  while (Buffer.byteLength(short) > LONGEST_LABEL) short = short.slice(0, -1);
  return `${short.toWellFormed()}~${shortHash(text)}`;
}
