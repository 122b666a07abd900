/** What every reader of a part of a file is given, and the small values they share: durations, variables, commands. */
import { posix } from "node:path";
import { BOUNDS } from "../core/bounds.ts";
import { suggest } from "../core/suggest.ts";
import { splitCommand } from "./command-line.ts";
import { parseDuration } from "./duration.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import type { PlanCommand, PlanEnvironment, Policy } from "./plan.ts";
import type { RawEnvironment, RawRetry } from "./schema.ts";
import { isResult, parseTemplate } from "./template.ts";

export interface Reading {
  readonly faults: FaultList;
  /** How a scalar is spelled in the file: `1.10`, where the data has 1.1. */
  spelling(path: Path): string | undefined;
}

/** The variables a text may use, and whether results of other tasks may stand in it. */
export interface Scope {
  readonly names: readonly string[];
  /** `yes`; or why not, as the hint of a fault. */
  readonly results: "yes" | { readonly whyNot: string };
}

/** Texts of the plan as a whole and of agents: nothing can be put into them. */
export const NO_VARIABLES: Scope = {
  names: [],
  results: { whyNot: "results are there for tasks only" },
};

/** Notes what is wrong with the templates of a text. */
export function checkTemplates(
  text: string,
  path: Path,
  { scope, faults }: { readonly scope: Scope; readonly faults: FaultList },
): void {
  if (!text.includes("{{")) return;
  const { parts, faults: broken } = parseTemplate(text);
  for (const { index, what, hint } of broken) faults.add({ path, index }, what, hint);
  for (const part of parts) {
    if (typeof part === "string") continue;
    const [name = ""] = part.path;
    if (isResult(part)) {
      if (scope.results !== "yes")
        faults.add({ path, find: part.text }, `${part.text} cannot stand here`, scope.results.whyNot);
      else if (part.path.length < 2)
        faults.add({ path, find: part.text }, `${part.text} names no task`, "write {{results.TASK.output}}");
    } else if (!scope.names.includes(String(name))) {
      faults.add(
        { path, find: part.text },
        `unknown variable ${quote(part.text).slice(1, -1)}`,
        variableHint(String(name), scope),
      );
    }
  }
}

function variableHint(name: string, { names }: Scope): string {
  const near = suggest(name, names);
  if (near !== undefined) return `did you mean {{${near}}}?`;
  const known = names.map((each) => `{{${each}}}`).join(", ");
  return known === ""
    ? "variables come from forEach; write \\{{ for the signs themselves"
    : `there is ${known}, and {{results.TASK.output}}`;
}

export function readDuration(text: string | undefined, path: Path, { faults }: Reading): number | undefined {
  if (text === undefined) return undefined;
  const parsed = parseDuration(text);
  if ("ms" in parsed) return parsed.ms;
  faults.add({ path }, `${quote(String(path.at(-1)))}: ${parsed.what}`, parsed.hint);
  return undefined;
}

export function readEnvironment(
  raw: RawEnvironment | undefined,
  path: Path,
  reading: Reading & { readonly scope: Scope },
): PlanEnvironment {
  const environment: Record<string, string | null> = Object.create(null);
  for (const [name, value] of Object.entries(raw ?? {})) {
    const at = [...path, name];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      reading.faults.add(
        { path: at, at: "key" },
        `${quote(name)} is no name of a variable`,
        "use letters, digits and _",
      );
    } else if (name.startsWith("LOCKYARD_")) {
      reading.faults.add({ path: at, at: "key" }, `${name} is set by Lockyard itself`, "choose another name");
    } else if (typeof value === "string") {
      checkTemplates(value, at, reading);
      environment[name] = value;
    } else environment[name] = value === null ? null : (reading.spelling(at) ?? String(value));
  }
  return environment;
}

/** A directory or file below the plan's root. */
export function readInside(
  text: string | undefined,
  path: Path,
  reading: Reading & { readonly scope: Scope },
): string | undefined {
  if (text === undefined) return undefined;
  checkTemplates(text, path, reading);
  if (!leavesRoot(text)) return text;
  reading.faults.add({ path }, `${quote(text)} lies outside the plan's root`, "name a place below it, relative to it");
  return undefined;
}

export function leavesRoot(path: string): boolean {
  const normal = posix.normalize(path.replaceAll("\\", "/"));
  return normal.startsWith("/") || normal === ".." || normal.startsWith("../") || /^[A-Za-z]:/.test(path);
}

interface CommandLine {
  readonly run: string | readonly string[];
  readonly shell: boolean | undefined;
  /** Path of the key `run`. */
  readonly path: Path;
}

export function readCommand(
  { run, shell, path }: CommandLine,
  reading: Reading & { readonly scope: Scope },
): PlanCommand | undefined {
  const { faults } = reading;
  if (shell === true) return readScript(run, path, faults);
  const texts = typeof run === "string" ? [run] : run;
  for (const [index, text] of texts.entries())
    checkTemplates(text, typeof run === "string" ? path : [...path, index], reading);
  if (typeof run !== "string") {
    if (run[0]?.trim() !== "") return { argv: run };
    faults.add({ path: [...path, 0] }, "the command is empty", "name a program");
    return undefined;
  }
  const split = splitCommand(run);
  if ("argv" in split) return { argv: split.argv };
  faults.add({ path, index: split.fault.index }, split.fault.what, split.fault.hint);
  return undefined;
}

/** Values never go into a script: a file called `$(rm -rf .)` would be run. */
function readScript(run: string | readonly string[], path: Path, faults: FaultList): PlanCommand | undefined {
  if (typeof run !== "string") {
    faults.add({ path }, "a list of arguments needs no shell", "write the line as one text, or remove shell: true");
    return undefined;
  }
  const [template] = parseTemplate(run).parts.filter((part) => typeof part !== "string");
  if (template === undefined) return { shell: run };
  faults.add(
    { path, find: template.text },
    `${template.text} cannot stand in a line for a shell`,
    `write env: { VALUE: "${template.text}" } and "$VALUE" in the line`,
  );
  return undefined;
}

interface RawPolicy {
  readonly env?: RawEnvironment | undefined;
  readonly cwd?: string | undefined;
  readonly timeout?: string | undefined;
  readonly idleTimeout?: string | undefined;
  readonly retry?: RawRetry | undefined;
  readonly leftovers?: Policy["leftovers"] | undefined;
  readonly isolation?: Policy["isolation"] | undefined;
}

/** What tasks and agents have in common. `scope` for variables, `placeScope` for directories, which are needed earlier. */
export function readPolicy(
  raw: RawPolicy,
  path: Path,
  reading: Reading & { readonly scope: Scope; readonly placeScope: Scope },
): Policy {
  return defined({
    env: readEnvironment(raw.env, [...path, "env"], reading),
    cwd: readInside(raw.cwd, [...path, "cwd"], { ...reading, spelling: reading.spelling, scope: reading.placeScope }),
    timeoutMs: readDuration(raw.timeout, [...path, "timeout"], reading),
    idleTimeoutMs: readDuration(raw.idleTimeout, [...path, "idleTimeout"], reading),
    retry: readRetry(raw.retry, [...path, "retry"], reading),
    leftovers: raw.leftovers,
    isolation: raw.isolation,
  });
}

function readRetry(raw: RawRetry | undefined, path: Path, reading: Reading): Policy["retry"] {
  if (raw === undefined) return undefined;
  if (typeof raw === "number") return { attempts: raw + 1 };
  return defined({
    attempts: raw.attempts,
    backoff: raw.backoff,
    baseMs: readDuration(raw.base, [...path, "base"], reading),
    maxMs: readDuration(raw.max, [...path, "max"], reading),
    jitter: raw.jitter,
  });
}

/** What is wrong with an id or a name, or undefined. */
export function idFault(id: string): { readonly what: string; readonly hint: string } | undefined {
  const bytes = Buffer.byteLength(id);
  if (id === "") return { what: "an empty name", hint: "give it a name" };
  if (bytes > BOUNDS.idBytes)
    return {
      what: `the name ${quote(id, 20)} has ${bytes.toLocaleString("en")} bytes and the limit is ${BOUNDS.idBytes}`,
      hint: "shorten it",
    };
  // Bidirectional controls could make one name look like another; joiners stay, emoji are made with them.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the purpose
  if (/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/.test(id))
    return { what: `the name ${quote(id)} holds invisible control characters`, hint: "remove them" };
  if (!id.isWellFormed()) return { what: "a name holds half of a character", hint: "save the file as UTF-8" };
  if (id.trim() !== id) return { what: `the name ${quote(id)} begins or ends with a space`, hint: "remove it" };
  return undefined;
}

type Defined<T> = { [Key in keyof T]: undefined extends T[Key] ? never : Key }[keyof T];
type WithoutUndefined<T> = { [Key in Defined<T>]: T[Key] } & {
  [Key in Exclude<keyof T, Defined<T>>]?: Exclude<T[Key], undefined>;
};

/** The same record without the keys that have no value. */
export function defined<T extends object>(record: T): WithoutUndefined<T> {
  const copy: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(record)) if (value !== undefined) copy[key] = value;
  return copy as WithoutUndefined<T>; // exactly what was filtered
}

/** A text of the plan as a whole: `\{{` becomes `{{`. */
export function plainText(text: string): string {
  const { parts } = parseTemplate(text);
  return parts.map((part) => (typeof part === "string" ? part : part.text)).join("");
}

/** Variables of the plan as a whole or of an agent: the same, with `\{{` resolved. */
export function plainEnvironment(environment: PlanEnvironment): PlanEnvironment {
  const plain: Record<string, string | null> = Object.create(null);
  for (const [name, value] of Object.entries(environment)) plain[name] = value === null ? null : plainText(value);
  return plain;
}
