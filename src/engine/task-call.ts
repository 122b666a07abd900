/**
 * The edge for task calls: what passes was read field by field, whatever was given.
 *
 *  C1 only own enumerable keys are read; a prototype is neither trusted nor touched
 *  C2 every fault is listed, not the first; unknown keys are refused with the nearest known one
 *  C3 the context is a JSON copy: what the caller does with its object afterwards does not reach the task
 */
import { BOUNDS, MAX_TIMER_MS } from "../core/bounds.ts";
import { toJson } from "../core/json.ts";
import { suggest } from "../core/suggest.ts";
import type { Claim, JsonObject, RetryPolicy, StandardSchema, TaskCall, When } from "../core/task.ts";
import type { Faults } from "./faults.ts";

/** What a call may say; the order is that of the documentation. */
const KEYS = [
  "agentId",
  "taskType",
  "description",
  "contextData",
  "taskId",
  "dependsOn",
  "when",
  "claims",
  "priority",
  "queueTimeoutMs",
  "timeoutMs",
  "idleTimeoutMs",
  "inputTimeoutMs",
  "retry",
  "idempotencyKey",
  "outputSchema",
] as const satisfies readonly (keyof TaskCall)[];

type Writable<Of> = { -readonly [Key in keyof Of]: Of[Key] };

/** The fields of a call. They are own and enumerable; absent ones are absent, so that it prints and spreads well. */
export class CallFields {
  declare readonly agentId: string;
  declare readonly taskType: string;
  declare readonly description: string;
  declare readonly contextData?: JsonObject;
  declare readonly dependsOn?: readonly string[];
  declare readonly when?: When;
  declare readonly claims?: readonly Claim[];
  declare readonly priority?: number;
  declare readonly queueTimeoutMs?: number;
  declare readonly timeoutMs?: number;
  declare readonly idleTimeoutMs?: number;
  declare readonly inputTimeoutMs?: number;
  declare readonly retry?: RetryPolicy;
  declare readonly idempotencyKey?: string;
  declare readonly outputSchema?: StandardSchema<never>;
  declare readonly taskId?: string;
  declare readonly workflowId?: string;
}

/** Fills fields from anything given as a call. False when that has faults, which are then in `faults`. */
export function fillCall(call: CallFields, input: unknown, faults: Faults): boolean {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    faults.add("INVALID_TASK_CALL", {
      what: `must be an object and is ${input === null ? "null" : Array.isArray(input) ? "an array" : typeof input}`,
      hint: 'Write { agentId: "reviewer_1", taskType: "review", description: "…" }.',
    });
    return false;
  }
  try {
    return readFields(call, input as Readonly<Record<string, unknown>>, faults); // an object, as checked above
  } catch {
    faults.add("INVALID_TASK_CALL", { what: "threw while it was read", hint: "Hand over plain data." });
    return false;
  }
}

function readFields(call: CallFields, input: Readonly<Record<string, unknown>>, faults: Faults): boolean {
  let isWhole = true;
  let hasAgent = false;
  let hasType = false;
  let hasDescription = false;
  for (const key of Object.keys(input)) {
    const value = input[key];
    if (value === undefined) continue;
    if (key === "agentId") hasAgent = true;
    else if (key === "taskType") hasType = true;
    else if (key === "description") hasDescription = true;
    if (!readField(call, key, { value, faults })) isWhole = false;
  }
  if (!hasAgent) isWhole = fault(faults, "agentId", "is missing");
  if (!hasType) isWhole = fault(faults, "taskType", "is missing");
  if (!hasDescription) isWhole = fault(faults, "description", "is missing");
  return isWhole;
}

/** A call that was checked before it was handed over, and cannot change any more. */
export class CheckedCall extends CallFields {
  /** Only this class can set it: what bears the mark needs no second check. */
  #isChecked = false;

  static is(value: unknown): value is CheckedCall {
    return typeof value === "object" && value !== null && #isChecked in value && value.#isChecked;
  }

  /** Checks a call and gives it an id when it has none. Undefined when it has faults, which are then in `faults`. */
  static from(input: unknown, newId: () => string, faults: Faults): CheckedCall | undefined {
    const call = new CheckedCall();
    if (!fillCall(call, input, faults)) return undefined;
    if (call.taskId === undefined) Object.assign(call, { taskId: newId() });
    call.#isChecked = true;
    Object.freeze(call);
    return call;
  }
}

interface Reading {
  readonly value: unknown;
  readonly faults: Faults;
}

/** Reads one field into the call. False when it has a fault. */
function readField(call: Writable<CallFields>, key: string, reading: Reading): boolean {
  const { value, faults } = reading;
  switch (key) {
    case "agentId":
    case "taskType":
    case "taskId":
    case "idempotencyKey":
    case "workflowId":
      if (!isId(value, faults, key)) return false;
      call[key] = value;
      return true;
    case "description":
      if (typeof value !== "string") return fault(faults, key, `must be a text and is ${nameOf(value)}`);
      if (value.length > BOUNDS.contextBytes)
        return fault(faults, key, `has ${value.length} characters and the limit is ${BOUNDS.contextBytes}`);
      call.description = value;
      return true;
    case "priority":
      if (!(typeof value === "number" && Number.isFinite(value))) {
        return fault(
          faults,
          key,
          `must be a finite number and is ${nameOf(value)}`,
          "Higher runs earlier; the default is 0.",
        );
      }
      call.priority = value;
      return true;
    case "queueTimeoutMs":
    case "timeoutMs":
    case "idleTimeoutMs":
    case "inputTimeoutMs":
      if (!isTime(value, faults, key)) return false;
      call[key] = value;
      return true;
    case "claims":
      // Their shape is checked where they are resolved, with the names that are declared.
      if (!Array.isArray(value))
        return fault(faults, key, `must be a list and is ${nameOf(value)}`, 'Write claims: [{ write: "src/api" }].');
      call.claims = value;
      return true;
    default:
      return readRareField(call, key, reading);
  }
}

function readRareField(call: Writable<CallFields>, key: string, { value, faults }: Reading): boolean {
  switch (key) {
    case "contextData":
      return readContext(call, value, faults);
    case "dependsOn":
      return readDependencies(call, value, faults);
    case "when":
      if (value !== "success" && value !== "always" && value !== "failure") {
        return fault(faults, key, `must be "success", "always" or "failure" and is ${nameOf(value)}`);
      }
      call.when = value;
      return true;
    case "retry":
      return readRetry(call, value, faults);
    case "outputSchema":
      // Anything may be missing: a cast to ask.
      if (
        typeof (value as { readonly "~standard"?: { readonly validate?: unknown } } | null)?.["~standard"]?.validate !==
        "function"
      ) {
        return fault(faults, key, "must be a Standard Schema", "zod 3.24+, valibot 1+ and arktype 2+ make them.");
      }
      call.outputSchema = value as StandardSchema<never>;
      return true;
    case "group":
      // Derived from agent and task type; accepted because a task may be handed back as a call.
      return true;
    default: {
      const near = suggest(key, KEYS);
      return fault(
        faults,
        quoted(key),
        "is not a field of a task call",
        near === undefined ? `Fields: ${KEYS.join(", ")}.` : `Did you mean "${near}"?`,
      );
    }
  }
}

function readContext(call: Writable<CallFields>, value: unknown, faults: Faults): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return fault(faults, "contextData", `must be an object and is ${nameOf(value)}`);
  }
  const checked = toJson(value, { where: "" });
  if (checked.fault === undefined) {
    call.contextData = checked.ok as JsonObject; // an object goes in, so one comes out
    return true;
  }
  const { where, what, hint } = checked.fault;
  faults.add("INVALID_CONTEXT", { path: `.contextData${where}`, what, hint });
  return false;
}

function readDependencies(call: Writable<CallFields>, value: unknown, faults: Faults): boolean {
  if (!Array.isArray(value)) return fault(faults, "dependsOn", `must be a list of task ids and is ${nameOf(value)}`);
  if (value.length > BOUNDS.dependenciesPerTask) {
    return fault(faults, "dependsOn", `names ${value.length} tasks and the limit is ${BOUNDS.dependenciesPerTask}`);
  }
  const ids = new Set<string>();
  for (const [index, id] of value.entries()) {
    if (!isId(id, faults, `dependsOn[${index}]`)) return false;
    ids.add(id);
  }
  if (ids.size > 0) call.dependsOn = [...ids];
  return true;
}

function readRetry(call: Writable<CallFields>, value: unknown, faults: Faults): boolean {
  const { ok } = toJson(value, { where: "", maxBytes: BOUNDS.idBytes });
  if (typeof ok !== "object" || ok === null || Array.isArray(ok)) {
    return fault(faults, "retry", `must be an object and is ${nameOf(value)}`, "Write retry: { attempts: 3 }.");
  }
  const policy = ok as JsonObject; // neither null nor an array, as checked above
  const { attempts, backoff, baseMs, maxMs, jitter, ...others } = policy;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) {
    return fault(
      faults,
      `retry.${unknown}`,
      "is not a field of a retry policy",
      "Fields: attempts, backoff, baseMs, maxMs, jitter.",
    );
  }
  if (!(Number.isSafeInteger(attempts) && Number(attempts) >= 1 && Number(attempts) <= BOUNDS.attemptsPerTask)) {
    const what = `must be a whole number from 1 to ${BOUNDS.attemptsPerTask} and is ${nameOf(attempts)}`;
    return fault(faults, "retry.attempts", what, "Attempts in all, the first included.");
  }
  if (backoff !== undefined && backoff !== "exponential" && backoff !== "fixed")
    return fault(faults, "retry.backoff", 'must be "exponential" or "fixed"');
  if (baseMs !== undefined && !isTime(baseMs, faults, "retry.baseMs")) return false;
  if (maxMs !== undefined && !isTime(maxMs, faults, "retry.maxMs")) return false;
  if (jitter !== undefined && !(typeof jitter === "number" && jitter >= 0 && jitter <= 1))
    return fault(faults, "retry.jitter", "must be between 0 and 1");
  call.retry = policy as unknown as RetryPolicy; // every field was checked above
  return true;
}

function isId(value: unknown, faults: Faults, key: string): value is string {
  const problem = idFault(value);
  return problem === undefined || fault(faults, key, problem);
}

function isTime(value: unknown, faults: Faults, key: string): value is number {
  if (typeof value === "number" && value > 0 && value <= MAX_TIMER_MS) return true;
  return fault(
    faults,
    key,
    `must be more than 0 and at most ${MAX_TIMER_MS} milliseconds and is ${nameOf(value)}`,
    "Leave it out for no limit.",
  );
}

function fault(faults: Faults, key: string, ...[what, hint]: readonly [what: string, hint?: string]): false {
  faults.add("INVALID_TASK_CALL", { path: `.${key}`, what, hint });
  return false;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: refusing them is the purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** What is wrong with an id, or undefined. */
export function idFault(value: unknown): string | undefined {
  if (typeof value !== "string") return `must be a text and is ${nameOf(value)}`;
  if (value === "") return "must not be empty";
  if (value.length * 3 > BOUNDS.idBytes && Buffer.byteLength(value) > BOUNDS.idBytes) {
    return `has ${Buffer.byteLength(value)} bytes and the limit is ${BOUNDS.idBytes}`;
  }
  if (CONTROL.test(value)) return "must not hold control characters";
  if (!value.isWellFormed()) return "holds half of a surrogate pair";
  return undefined;
}

/** Short and safe to print, never the whole of what was given. */
export function nameOf(value: unknown): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (value === null) return "null";
  return Array.isArray(value) ? "an array" : `${/^[aeiou]/.test(typeof value) ? "an" : "a"} ${typeof value}`;
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}
