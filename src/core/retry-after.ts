/** Overload in the shapes that HTTP clients and model SDKs throw it: a status, a code, a header, a number. */
import { MAX_TIMER_MS } from "./bounds.ts";
import { readMember } from "./member.ts";

export interface Overload {
  /** Milliseconds the other side asked to wait; absent when it did not say. */
  readonly retryAfterMs?: number;
}

const OVERLOAD_CODES: ReadonlySet<unknown> = new Set([
  "RATE_LIMITED",
  "rate_limit_exceeded",
  "rate_limit_error",
  "overloaded_error",
  "too_many_requests",
  "RESOURCE_EXHAUSTED",
]);

/** Whether an error means "not now", and for how long. Never throws. */
export function retryAfterOf(thrown: unknown, wallMs?: number): Overload | undefined {
  const sides = [thrown, readMember(thrown, "response")];
  const wait = waitOf(thrown, sides, wallMs);
  if (wait !== undefined) return { retryAfterMs: Math.min(Math.max(0, Math.ceil(wait)), MAX_TIMER_MS) };
  const isOverload =
    sides.some((side) => isStatus429(readMember(side, "status")) || isStatus429(readMember(side, "statusCode"))) ||
    [thrown, readMember(thrown, "error")].some(
      (side) => OVERLOAD_CODES.has(readMember(side, "code")) || OVERLOAD_CODES.has(readMember(side, "type")),
    ) ||
    isStatus429(readMember(thrown, "code"));
  return isOverload ? {} : undefined;
}

function isStatus429(status: unknown): boolean {
  return status === 429 || status === "429";
}

function waitOf(thrown: unknown, sides: readonly unknown[], wallMs: number | undefined): number | undefined {
  const direct = readMember(thrown, "retryAfterMs");
  if (typeof direct === "number" && Number.isFinite(direct)) return direct;
  for (const side of sides) {
    const headers = readMember(side, "headers");
    const exact = Number.parseFloat(headerOf(headers, "retry-after-ms") ?? "");
    if (Number.isFinite(exact)) return exact;
    const text = headerOf(headers, "retry-after")?.trim();
    if (text === undefined || text === "") continue;
    if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1_000;
    const date = Date.parse(text);
    if (Number.isFinite(date) && wallMs !== undefined) return date - wallMs;
  }
  return undefined;
}

/** A header of `Headers`, of anything with `get`, or of a plain object in whatever case. */
function headerOf(headers: unknown, name: string): string | undefined {
  const get = readMember(headers, "get");
  if (typeof get === "function") {
    try {
      return asText((get as (name: string) => unknown).call(headers, name));
    } catch {
      return undefined;
    }
  }
  const title = name.replaceAll(/(?:^|-)[a-z]/g, (letters) => letters.toUpperCase());
  return asText(readMember(headers, name) ?? readMember(headers, title));
}

function asText(value: unknown): string | undefined {
  if (Array.isArray(value)) return asText(value[0]);
  return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
}
