/** One task as it is written → checked as far as it can be without the other tasks. */
import { BOUNDS } from "../core/bounds.ts";
import { toJson } from "../core/json.ts";
import type { JsonObject, JsonValue } from "../core/task.ts";
import { claimText, type PlacedClaim, readClaims } from "./claims.ts";
import { type FaultList, type Path, quote } from "./faults.ts";
import { readForEach, variablesOf } from "./for-each.ts";
import { outputSchemaFault } from "./output-schema.ts";
import type { Description, ForEach, PlanTask } from "./plan.ts";
import {
  checkTemplates,
  defined,
  idFault,
  type Reading,
  readCommand,
  readDuration,
  readInside,
  readPolicy,
  type Scope,
} from "./reading.ts";
import type { RawTask } from "./schema.ts";

interface TaskReading {
  readonly path: Path;
  readonly reading: Reading;
  /** A key of it was already refused for its shape: what is missing may have been meant to be there. */
  readonly isBroken: boolean;
}

const NOT_BEFORE_START: Scope["results"] = {
  whyNot: "it is needed before the task stands in line; use forEach: { from: TASK.output… }",
};

export function readTask(id: string, raw: RawTask, { path, reading, isBroken }: TaskReading): PlanTask {
  const { faults } = reading;
  const wrongId = idFault(id);
  if (wrongId !== undefined) faults.add({ path, at: "key" }, wrongId.what, wrongId.hint);
  if (!isBroken) checkPerformer(raw, path, faults);
  const forEach = raw.forEach === undefined ? undefined : readForEach(raw.forEach, [...path, "forEach"], faults);
  // Of a forEach that was refused the variable is taken on trust, so that its faults are not told twice.
  const names =
    forEach === undefined && raw.forEach !== undefined
      ? [raw.forEach.matrix === undefined ? (raw.forEach.as ?? "item") : "matrix"]
      : variablesOf(forEach);
  const scope: Scope = { names, results: "yes" };
  const early: Scope = { names, results: NOT_BEFORE_START };
  const scoped = { faults, spelling: reading.spelling, scope, placeScope: early };
  const claims = readClaims(raw, path);
  for (const { claim, path: at } of claims) checkTemplates(claimText(claim), at, { scope: early, faults });
  const dependsOn = readDependencies(raw, path, { faults, scope: early, forEach });
  if (raw.agent !== undefined) checkTemplates(raw.agent, [...path, "agent"], { scope: early, faults });
  return defined({
    ...readPolicy(raw, path, scoped),
    id,
    path,
    command:
      raw.run === undefined
        ? undefined
        : readCommand({ run: raw.run, shell: raw.shell, path: [...path, "run"] }, scoped),
    agent: raw.agent,
    description: readDescription(raw.description, [...path, "description"], { reading, scope, early }),
    type: raw.type,
    forEach,
    claims: claims as readonly PlacedClaim[],
    identify: raw.identify !== "off" && raw.identify !== false,
    dependsOn,
    when: raw.if ?? "success",
    priority: raw.priority,
    queueTimeoutMs: readDuration(raw.queueTimeout, [...path, "queueTimeout"], reading),
    inputTimeoutMs: readDuration(raw.inputTimeout, [...path, "inputTimeout"], reading),
    context: readContext(raw.context, [...path, "context"], { scope, faults }),
    outputSchema: readOutputSchema(raw.outputSchema, [...path, "outputSchema"], faults),
  });
}

/** Exactly one of `run` and `agent` performs a task. */
function checkPerformer(raw: RawTask, path: Path, faults: FaultList): void {
  const id = quote(String(path.at(-1)));
  if (raw.run === undefined && raw.agent === undefined) {
    faults.add({ path, at: "key" }, `the task ${id} has neither run nor agent`, "write run: COMMAND or agent: NAME");
  } else if (raw.run !== undefined && raw.agent !== undefined) {
    faults.add({ path: [...path, "agent"], at: "key" }, `the task ${id} has both run and agent`, "keep one");
  } else if (raw.run === undefined && raw.shell !== undefined) {
    faults.add({ path: [...path, "shell"], at: "key" }, "shell goes with run", "remove it");
  }
  if (raw.if === "failure" && (raw.dependsOn === undefined || raw.dependsOn.length === 0)) {
    faults.add(
      { path: [...path, "if"] },
      `the task ${id} runs when a dependency failed and has none`,
      "write dependsOn",
    );
  }
}

interface Dependencies {
  readonly faults: FaultList;
  readonly scope: Scope;
  readonly forEach: ForEach | undefined;
}

/** What it waits for, in the order of the file; the source of `forEach: { from }` is one of them. */
function readDependencies(raw: RawTask, path: Path, { faults, scope, forEach }: Dependencies): readonly string[] {
  const written =
    raw.dependsOn === undefined ? [] : typeof raw.dependsOn === "string" ? [raw.dependsOn] : raw.dependsOn;
  if (written.length > BOUNDS.dependenciesPerTask) {
    faults.add(
      { path: [...path, "dependsOn"], at: "key" },
      `${written.length} dependencies and the limit is ${BOUNDS.dependenciesPerTask}`,
      "put a task between",
    );
  }
  for (const [index, id] of written.entries()) {
    const at = typeof raw.dependsOn === "string" ? [...path, "dependsOn"] : [...path, "dependsOn", index];
    checkTemplates(id, at, { scope, faults });
    if (written.indexOf(id) !== index) faults.add({ path: at }, `${quote(id)} stands here twice`, "remove one");
  }
  const all = new Set(written.slice(0, BOUNDS.dependenciesPerTask));
  if (forEach?.kind === "from") all.add(forEach.task);
  return [...all];
}

interface Describing {
  readonly reading: Reading;
  readonly scope: Scope;
  readonly early: Scope;
}

function readDescription(
  raw: RawTask["description"],
  path: Path,
  { reading, scope, early }: Describing,
): Description | undefined {
  if (raw === undefined) return undefined;
  if (typeof raw === "string") {
    checkTemplates(raw, path, { scope, faults: reading.faults });
    return { text: raw };
  }
  readInside(raw.file, [...path, "file"], { faults: reading.faults, spelling: reading.spelling, scope: early });
  return { file: raw.file };
}

function readContext(
  raw: Readonly<Record<string, unknown>> | undefined,
  path: Path,
  { scope, faults }: { readonly scope: Scope; readonly faults: FaultList },
): JsonObject | undefined {
  if (raw === undefined) return undefined;
  const { ok, fault } = toJson(raw);
  if (fault !== undefined) {
    faults.add({ path, at: "key" }, `the context ${fault.what}`, fault.hint);
    return undefined;
  }
  const visit = (value: JsonValue, at: Path): void => {
    if (typeof value === "string") checkTemplates(value, at, { scope, faults });
    else if (typeof value === "object" && value !== null) {
      for (const [key, item] of Object.entries(value)) visit(item, [...at, Array.isArray(value) ? Number(key) : key]);
    }
  };
  visit(ok, path);
  return ok as JsonObject; // an object went in
}

function readOutputSchema(
  raw: Readonly<Record<string, unknown>> | undefined,
  path: Path,
  faults: FaultList,
): JsonObject | undefined {
  if (raw === undefined) return undefined;
  const fault = outputSchemaFault(raw);
  if (fault === undefined) return raw as JsonObject; // data of a YAML file
  faults.add({ path, at: "key" }, `the JSON Schema cannot be used: ${fault}`, "see json-schema.org");
  return undefined;
}
