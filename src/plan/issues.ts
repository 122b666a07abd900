/** zod's complaints → faults in the words of a plan: which key, what it must be, what was probably meant. */
import type * as z from "zod";
import { suggest } from "../core/suggest.ts";
import { didYouMean } from "./did-you-mean.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import { keysAt, schemasAt, wordingAt } from "./shape.ts";
import { lookUp } from "./template.ts";

/** What other tools call things, by what they are called here. */
const SYNONYMS: Readonly<Record<string, string>> = {
  needs: "dependsOn",
  depends_on: "dependsOn",
  deps: "dependsOn",
  requires: "dependsOn",
  cmd: "run",
  cmds: "run",
  command: "run",
  script: "run",
  argv: "run",
  prompt: "description",
  instructions: "description",
  when: "if",
  cap: "use",
  capacity: "use",
  capacities: "use",
  matrix: "forEach: { matrix: … }",
  foreach: "forEach",
  files: "write or read",
  maxInstances: "concurrency",
  maxConcurrentTasks: "concurrency",
  maxConcurrency: "concurrency",
  parallel: "concurrency",
  retries: "retry",
  environment: "env",
  workingDirectory: "cwd",
  "working-directory": "cwd",
  contextData: "context",
  taskType: "type",
  id: "the key of the task in tasks",
  timeoutMs: "timeout",
  idleTimeoutMs: "idleTimeout",
  queueTimeoutMs: "queueTimeout",
  deadlineMs: "deadline",
};

type Issue = z.core.$ZodIssue;
type UnionIssue = Extract<Issue, { code: "invalid_union" }>;

interface Reading {
  readonly schema: z.core.$ZodType;
  readonly data: unknown;
  readonly faults: FaultList;
}

export function reportIssues(issues: readonly Issue[], reading: Reading): void {
  new Reporter(reading).report(issues, []);
}

class Reporter {
  readonly #schema: z.core.$ZodType;
  readonly #data: unknown;
  readonly #faults: FaultList;

  constructor({ schema, data, faults }: Reading) {
    this.#schema = schema;
    this.#data = data;
    this.#faults = faults;
  }

  report(issues: readonly Issue[], base: Path): void {
    const mistyped = new Map<string, readonly string[]>();
    for (const issue of issues) if (issue.code === "unrecognized_keys") mistyped.set(issue.path.join("\n"), issue.keys);
    for (const issue of issues) {
      const path = [...base, ...steps(issue.path)];
      const value = lookUp(this.#data, path);
      const key = String(path.at(-1) ?? "");
      // A required key that is only misspelled is one fault, not two.
      const beside = mistyped.get(issue.path.slice(0, -1).join("\n")) ?? [];
      if (value === undefined && path.length > 0 && beside.some((name) => suggest(name, [key]) !== undefined)) continue;
      this.#one(issue, path, value);
    }
  }

  #one(issue: Issue, path: Path, value: unknown): void {
    if (issue.code === "unrecognized_keys") this.#unknownKeys(issue.keys, path);
    else if (value === undefined && path.length > 0)
      this.#missing(path, "options" in issue ? anyOf(issue.options ?? []) : undefined);
    else if (value === null) this.#empty(path);
    else if (issue.code === "invalid_union") this.#union(issue, path, value);
    else if (issue.code === "invalid_value") this.#choice(issue.values.map(String), path, value);
    else if (issue.code === "too_small" && issue.origin === "string")
      this.#faults.add({ path }, `${label(path)} is an empty text`, "fill it in, or remove it");
    else if (issue.code === "too_small" && issue.origin === "array")
      this.#faults.add({ path }, `${label(path)} is an empty list`, "fill it in, or remove it");
    else this.#mismatch(path, value);
  }

  #unknownKeys(keys: readonly string[], path: Path): void {
    const known = keysAt(this.#schema, path, this.#data);
    const used = Object.keys((lookUp(this.#data, path) ?? {}) as object); // an object, or zod had complained of its type
    const free = known.filter((name) => !used.includes(name));
    const anywhere = keysAt(this.#schema, path, undefined);
    for (const key of keys) {
      if (anywhere.includes(key)) {
        this.#faults.add(
          { path: [...path, key], at: "key" },
          `${quote(key)} does not belong here`,
          this.#misplaced(key, path, used),
        );
        continue;
      }
      const synonym = Object.hasOwn(SYNONYMS, key) ? SYNONYMS[key] : undefined;
      const near = suggest(key, free) ?? suggest(key, known);
      const isKnownSynonym =
        synonym !== undefined && (known.includes(synonym) || /\W/.test(synonym)) && key !== "capacity";
      const hint = isKnownSynonym
        ? `here it is called ${synonym}`
        : near !== undefined
          ? `did you mean "${near}"?`
          : didYouMean(key, known);
      this.#faults.add({ path: [...path, key], at: "key" }, `unknown key ${quote(key)}`, hint);
    }
  }

  /** The key exists in this grammar, but not beside what stands there. */
  #misplaced(key: string, path: Path, used: readonly string[]): string {
    const kind = lookUp(this.#data, [...path, "kind"]);
    if (typeof kind === "string") return `an agent of kind ${kind} has no ${key}`;
    const others = used.filter((name) => name !== key).map((name) => quote(name));
    return `it does not go with ${others.join(", ")}: keep one`;
  }

  #missing(path: Path, expected?: string): void {
    const hint = `it must be ${expected ?? this.#expected(path)}`;
    this.#faults.add({ path: path.slice(0, -1), at: "key" }, `${label(path)} is missing`, hint);
  }

  #empty(path: Path): void {
    const expected = this.#expected(path);
    if (path.length === 0) this.#faults.add({ path }, "the file is empty", `it must hold ${expected}`);
    else this.#faults.add({ path, at: "key" }, `${label(path)} is empty`, `remove the key, or write ${expected}`);
  }

  #union(issue: UnionIssue, path: Path, value: unknown): void {
    if (issue.errors.length === 0) {
      const options = "options" in issue ? (issue.options ?? []).map(String) : [];
      this.#choice(options, path, value);
      return;
    }
    if (typeof value === "object" && value !== null && Object.keys(value).length === 0) {
      this.#mismatch(path, value);
      return;
    }
    const isMeant = (branch: readonly Issue[]) =>
      !branch.some(({ code, path: at }) => at.length === 0 && (code === "invalid_type" || code === "invalid_value"));
    const meant = issue.errors.filter(isMeant).toSorted((a, b) => strangeness(a) - strangeness(b))[0];
    if (meant === undefined) this.#mismatch(path, value);
    else if (meant.some(({ path: at }) => at.length > 0) || meant.some(({ code }) => code === "unrecognized_keys"))
      this.report(meant, path);
    else for (const inner of meant) this.#one(inner, path, value);
  }

  #choice(options: readonly string[], path: Path, value: unknown): void {
    const text = typeof value === "string" ? value : "";
    const near = suggest(text, options);
    this.#faults.add(
      { path },
      `${label(path)} must be ${anyOf(options)}`,
      near === undefined ? `it is ${kindOf(value)}` : `did you mean "${near}"?`,
    );
  }

  #mismatch(path: Path, value: unknown): void {
    const explained = wordingAt(this.#schema, path, this.#data)?.explain?.(value);
    if (explained !== undefined) {
      this.#faults.add({ path }, `${label(path)}: ${explained.what}`, explained.hint);
      return;
    }
    const expected = this.#expected(path);
    this.#faults.add({ path }, `${label(path)} must be ${expected}`, hintFor(path, value, expected));
  }

  #expected(path: Path): string {
    const wording = wordingAt(this.#schema, path, this.#data);
    if (wording !== undefined) return wording.expected;
    const names = schemasAt(this.#schema, path, this.#data).map(
      (schema) => NAMES[schema._zod.def.type] ?? schema._zod.def.type,
    );
    return [...new Set(names)].join(" or ") || "something else";
  }
}

const NAMES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map of keys",
  record: "a map of keys",
  null: "nothing",
};

function anyOf(options: readonly unknown[]): string {
  const names = options.map(String);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

function steps(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "number" ? step : String(step)));
}

/** How far a branch is from what was written: missing and unknown keys, less those that are only misspelled. */
function strangeness(branch: readonly Issue[]): number {
  const unknown = branch.flatMap((issue) => (issue.code === "unrecognized_keys" ? issue.keys : []));
  const missing = branch
    .filter(({ code, path }) => code !== "unrecognized_keys" && path.length === 1)
    .map(({ path }) => String(path[0]));
  const misspelled = unknown.filter((name) => suggest(name, missing) !== undefined).length;
  return unknown.length + missing.length - 2 * misspelled;
}

function hintFor(path: Path, value: unknown, expected: string): string {
  if (path.length === 1 && path[0] === "tasks" && Array.isArray(value))
    return "write tasks by id: tasks: { build: { run: … } }";
  if (path.length === 2 && path[0] === "tasks" && typeof value === "string")
    return `write ${path[1]}: { run: ${quote(value)} }`;
  if (expected === "true or false" && typeof value === "string" && /^(yes|no|on|off|y|n)$/i.test(value)) {
    return `YAML 1.2 reads ${value} as text; write ${/^(yes|on|y)$/i.test(value) ? "true" : "false"}`;
  }
  if (/\ba text\b/.test(expected) && (typeof value === "number" || typeof value === "boolean"))
    return `put it in quotes: "${value}"`;
  return `it is ${kindOf(value)}`;
}

function kindOf(value: unknown): string {
  if (typeof value === "string") return `the text ${quote(value, 40)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return "a list";
  return value === null || Object.keys(Object(value)).length === 0 ? "empty" : "a map of keys";
}

function label(path: Path): string {
  const last = path.at(-1);
  if (last === undefined) return "the file";
  return typeof last === "number" ? `item ${last + 1}` : quote(last);
}
