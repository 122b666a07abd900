/** `forEach` as it is written → one of four kinds, checked. */
import { BOUNDS } from "../core/bounds.ts";
import type { JsonValue } from "../core/task.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import { globFault } from "./glob.ts";
import type { ForEach } from "./plan.ts";
import type { RawForEach } from "./schema.ts";
import { parsePath } from "./template.ts";

const KINDS = ["glob", "list", "matrix", "from"] as const;
type Kind = (typeof KINDS)[number];
const NAME = /^[\p{L}_][\p{L}\p{N}_-]*$/u;
const TAKEN = ["results", "matrix"];

/** The checked form, or undefined after its faults were noted. */
export function readForEach(raw: RawForEach, path: Path, faults: FaultList): ForEach | undefined {
  const given = KINDS.filter((kind) => raw[kind] !== undefined);
  const [first] = given;
  if (first === undefined || given.length > 1) {
    const what = first === undefined ? "forEach says nothing to go through" : `forEach has ${given.join(" and ")}`;
    faults.add({ path, at: "key" }, what, "write one of glob, list, matrix and from");
    return undefined;
  }
  const kind: Kind = first;
  const as = readAs(raw, path, faults);
  const max = raw.max ?? (kind === "from" ? BOUNDS.deferredItems : BOUNDS.forEachItems);
  switch (kind) {
    case "glob":
      return readGlobs(raw.glob ?? [], { path: [...path, "glob"], faults, as, max });
    case "list":
      return readList(raw.list ?? [], { path: [...path, "list"], faults, as, max });
    case "matrix":
      return readMatrix(raw, max, { path, faults });
    case "from":
      return readFrom(raw.from ?? "", { path: [...path, "from"], faults, as, max });
  }
}

/** The names a template of the task may begin with. */
export function variablesOf(forEach: ForEach | undefined): readonly string[] {
  if (forEach === undefined) return [];
  return forEach.kind === "matrix" ? ["matrix"] : [forEach.as];
}

interface Part {
  readonly path: Path;
  readonly faults: FaultList;
  readonly as: string;
  readonly max: number;
}

function readAs(raw: RawForEach, path: Path, faults: FaultList): string {
  const as = raw.as ?? "item";
  const at = [...path, "as"];
  if (!NAME.test(as)) faults.add({ path: at }, `${quote(as)} is no name of a variable`, "use letters, digits, _ and -");
  else if (TAKEN.includes(as))
    faults.add({ path: at }, `${quote(as)} means something else in a template`, "choose another name");
  else if (raw.as !== undefined && raw.matrix !== undefined)
    faults.add({ path: at, at: "key" }, "a matrix has its own names", "write {{matrix.NAME}} and remove as");
  return as;
}

function readGlobs(raw: string | readonly string[], { path, faults, as, max }: Part): ForEach | undefined {
  const globs = typeof raw === "string" ? [raw] : raw;
  const isWhole = globs.map((glob, index) => {
    const fault = globFault(glob);
    if (fault !== undefined)
      faults.add({ path: typeof raw === "string" ? path : [...path, index] }, fault.what, fault.hint);
    return fault === undefined;
  });
  if (globs.every((glob) => glob.startsWith("!"))) {
    faults.add({ path }, "no glob says what to take", 'write "docs/**/*.md" before what to leave out');
    return undefined;
  }
  return isWhole.includes(false) ? undefined : { kind: "glob", globs, as, max };
}

function readList(items: readonly unknown[], { path, faults, as, max }: Part): ForEach | undefined {
  if (items.length > max) {
    faults.add({ path }, `${items.length} items and max is ${max}`, "raise max, or shorten the list");
    return undefined;
  }
  const nothing = items.indexOf(null);
  if (nothing >= 0) {
    faults.add({ path: [...path, nothing] }, `item ${nothing + 1} is empty`, "fill it in, or remove it");
    return undefined;
  }
  return { kind: "list", items: items as readonly JsonValue[], as, max }; // data of a YAML file
}

function readMatrix(
  raw: RawForEach,
  max: number,
  { path, faults }: { readonly path: Path; readonly faults: FaultList },
): ForEach | undefined {
  const axes = raw.matrix ?? {};
  let count = 1;
  for (const [name, values] of Object.entries(axes)) {
    count *= values.length;
    const twice = values.findIndex((value, index) => values.indexOf(value) !== index);
    if (!NAME.test(name))
      faults.add(
        { path: [...path, "matrix", name], at: "key" },
        `${quote(name)} is no name of a variable`,
        "use letters, digits, _ and -",
      );
    if (twice >= 0)
      faults.add(
        { path: [...path, "matrix", name, twice] },
        `${quote(String(values[twice]))} stands here twice`,
        "remove one",
      );
  }
  if (Object.keys(axes).length === 0)
    faults.add({ path: [...path, "matrix"], at: "key" }, "the matrix is empty", "write matrix: { os: [linux, mac] }");
  else if (count > max)
    faults.add(
      { path: [...path, "matrix"], at: "key" },
      `${count.toLocaleString("en")} combinations and max is ${max}`,
      "raise max, or shorten a list",
    );
  else return { kind: "matrix", axes, max };
  return undefined;
}

function readFrom(text: string, { path, faults, as, max }: Part): ForEach | undefined {
  const inner = text.replace(/^\{\{\s*(?:results\.)?(.*?)\s*\}\}$/, "$1");
  const steps = parsePath(inner);
  const [task, first] = steps ?? [];
  if (steps !== undefined && first === "output")
    return { kind: "from", task: String(task), path: steps.slice(1), as, max };
  faults.add({ path }, `${quote(text)} does not lead to an output`, "write TASK.output or TASK.output.files");
  return undefined;
}
