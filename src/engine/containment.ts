/**
 * What stands between the engine and code it does not trust: agents, callbacks, schemas.
 *
 *  E1 nothing they throw, reject with or return ends anything but their own attempt
 *  E2 a promise of theirs is never left unowned
 *  E3 a thenable may resolve twice, never, or with itself: it settles once, late or with an error
 */
import { isAgentReport } from "../core/agent-report.ts";
import { BOUNDS } from "../core/bounds.ts";
import type { TaskError } from "../core/errors.ts";
import { toJson } from "../core/json.ts";
import { readMember } from "../core/member.ts";
import type { AgentReport } from "../core/ports.ts";
import type { JsonValue, StandardSchema, Usage } from "../core/task.ts";
import { describeError } from "../core/task-error.ts";

/** How an attempt ended by itself. */
export type Outcome =
  | { readonly ok: true; readonly output: JsonValue; readonly report: AgentReport | null }
  | {
      readonly ok: false;
      readonly error: TaskError;
      readonly output: JsonValue | null;
      readonly report: AgentReport | null;
      /** What the error itself said by a boolean `retryable`. */
      readonly saysRetryable?: boolean;
    };

/** Thenables inside thenables that are followed. */
const THENABLE_DEPTH = 8;

/** Awaits whatever an agent returned. Native promises are awaited as they are; foreign thenables are kept on a short lead. */
export function settled(returned: unknown, depth = THENABLE_DEPTH): unknown {
  if (returned instanceof Promise) return returned;
  const then = thenOf(returned);
  if (then === undefined) return returned;
  if (depth === 0) throw new TypeError(`The agent returned thenables inside thenables, ${THENABLE_DEPTH} deep.`);
  return new Promise((resolve, reject) => {
    // Called with `this` as a promise would be. What it resolves with may be a thenable again.
    then.call(
      returned,
      (value: unknown) => {
        try {
          resolve(settled(value, depth - 1));
        } catch (error) {
          reject(error);
        }
      },
      reject,
    );
  });
}

function thenOf(value: unknown): ((...callbacks: unknown[]) => unknown) | undefined {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return undefined;
  const then = (value as { readonly then?: unknown }).then; // a cast to ask; a getter that throws fails the attempt
  return typeof then === "function" ? (then as (...callbacks: unknown[]) => unknown) : undefined;
}

/** Calls a listener that may throw, or return a promise that rejects. Nobody waits for it. */
export function notify(listener: () => unknown): void {
  try {
    const returned = listener();
    if (returned === undefined) return;
    Promise.resolve(settled(returned)).catch(() => undefined);
  } catch {
    // A listener that throws is its author's business.
  }
}

/** The outcome in what an agent returned. A promise only when a schema answers with one. */
export function outcomeOf(returned: unknown, schema: StandardSchema | undefined): Outcome | Promise<Outcome> {
  const isReport = isAgentReport(returned);
  const raw = isReport ? readMember(returned, "output") : returned;
  const report = isReport ? cleanReport(returned) : null;
  if (schema === undefined) return plainOutcome(raw, report);
  const validated = schema["~standard"].validate(raw);
  if (validated instanceof Promise) return validated.then((result) => validOutcome(result, report));
  return validOutcome(validated, report);
}

function validOutcome(
  result: Awaited<ReturnType<StandardSchema["~standard"]["validate"]>>,
  report: AgentReport | null,
): Outcome {
  if (result.issues === undefined) return plainOutcome(result.value, report);
  const shown = result.issues.slice(0, 5).map(({ message, path }) => `${pathText(path)}${message}`);
  const more = result.issues.length > 5 ? ` (and ${result.issues.length - 5} more)` : "";
  return failed({
    code: "INVALID_OUTPUT",
    message: `The output does not match its schema: ${shown.join("; ")}${more}`,
    report,
  });
}

/** `issues[0].path: `, or nothing for the whole value. */
export function pathText(path: readonly unknown[] | undefined): string {
  if (path === undefined || path.length === 0) return "";
  const keys = path.map((part) => (typeof part === "object" ? readMember(part, "key") : part));
  return `${keys.map(String).join(".")}: `;
}

function plainOutcome(raw: unknown, report: AgentReport | null): Outcome {
  const { ok, fault } =
    typeof raw === "string" && raw.length > BOUNDS.outputBytesPerTask
      ? { ok: cut(raw), fault: undefined }
      : toJson(raw, OUTPUT);
  if (fault !== undefined) {
    return failed({
      code: "INVALID_OUTPUT",
      message: `The agent's output is not JSON: ${fault.where} ${fault.what}.`,
      report,
    });
  }
  if (report !== null && !report.success) {
    const message = report.errorMessage ?? "The agent reported that it did not succeed.";
    return { ok: false, output: ok, report, error: { code: "AGENT_REPORTED_FAILURE", message, retryable: false } };
  }
  return { ok: true, output: ok, report };
}

/** Text a model was cut off in is repaired, not refused. */
const OUTPUT = { where: "output", repairStrings: true } as const;

function failed({
  code,
  message,
  report,
}: {
  readonly code: TaskError["code"];
  readonly message: string;
  readonly report: AgentReport | null;
}): Outcome {
  return { ok: false, error: { code, message, retryable: false }, output: null, report };
}

/** Outputs are kept up to a bound; an agent that makes more writes it to a file and returns the name. */
function cut(text: string): string {
  const kept = text.slice(0, BOUNDS.outputBytesPerTask).toWellFormed();
  return `${kept}… [${(text.length - BOUNDS.outputBytesPerTask).toLocaleString("en")} more characters were cut off]`;
}

/**
 * What an agent that could not end everything says besides NOT_STOPPED: a promise that resolves when all is gone. Until then
 * the locks of its task stay. Null when it says nothing of the kind.
 */
export function whenGone(thrown: unknown): Promise<unknown> | null {
  if (readMember(thrown, "code") !== "NOT_STOPPED") return null;
  const promise = readMember(thrown, "whenGone");
  return promise instanceof Promise ? promise : null;
}

export function failure(thrown: unknown, wallMs: number): Outcome {
  const says = readMember(thrown, "retryable");
  const said = readMember(thrown, "report");
  const report = isAgentReport(said) ? cleanReport(said) : null;
  const outcome = { ok: false, error: describeError(thrown, { wallMs }), output: null, report } as const;
  return typeof says === "boolean" ? { ...outcome, saysRetryable: says } : outcome;
}

/** The members of a report that are what they should be; it may come from another copy of this package, or from a liar. */
function cleanReport(report: AgentReport): AgentReport {
  const confidence = readMember(report, "confidenceScore");
  const evidence = readMember(report, "evidence");
  const message = readMember(report, "errorMessage");
  const usage = cleanUsage(readMember(report, "usage"));
  const touched = texts(readMember(report, "touched"));
  const leftovers = texts(readMember(report, "leftovers"));
  return {
    success: readMember(report, "success") === true,
    output: null,
    confidenceScore: typeof confidence === "number" && confidence >= 0 && confidence <= 1 ? confidence : null,
    evidence: texts(evidence),
    errorMessage: typeof message === "string" ? message.slice(0, BOUNDS.errorMessageChars).toWellFormed() : null,
    ...(usage === undefined ? undefined : { usage }),
    ...(touched.length === 0 ? undefined : { touched }),
    ...(leftovers.length === 0 ? undefined : { leftovers }),
  };
}

function texts(value: unknown): readonly string[] {
  const { ok } = Array.isArray(value)
    ? toJson(value.slice(0, BOUNDS.evidencePerTask), { repairStrings: true })
    : { ok: [] };
  if (!Array.isArray(ok)) return [];
  return ok
    .filter((text) => typeof text === "string")
    .map((text) => text.slice(0, BOUNDS.evidenceChars).toWellFormed());
}

function cleanUsage(usage: unknown): Usage | undefined {
  if (typeof usage !== "object" || usage === null) return undefined;
  const clean: { -readonly [Key in keyof Usage]: Usage[Key] } = {};
  for (const key of ["inputTokens", "outputTokens", "costUsd"] as const) {
    const value = readMember(usage, key);
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) clean[key] = value;
  }
  return clean;
}
