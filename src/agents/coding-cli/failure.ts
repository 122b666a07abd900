/** What went wrong in a coding agent's turn, as an error the manager understands. */
import { LockyardError } from "../../core/errors.ts";
import { neutralise } from "../../process/neutralise.ts";
import type { Exit } from "../../process/spawn.ts";
import type { Account, Failure } from "./dialect.ts";

const OVERLOADED: ReadonlySet<number | undefined> = new Set([429, 529]);
/** In what providers and command lines say when there is too much at once, or the hours of a subscription are used up. */
const OVERLOAD =
  /\b(?:429|529)\b|rate.?limit|too many requests|overloaded|resource.?exhausted|usage limit|(?:hit|reached) your [\w\s-]{0,40}limit/i;
/** The same request will be refused again. */
const REFUSED: ReadonlySet<number | undefined> = new Set([400, 401, 403, 404, 413]);

/** A failure that is not the agent's own: too much at once, or a request nobody will ever answer. */
export function providerError(
  failure: Failure,
  { title, wallMs }: { readonly title: string; readonly wallMs: number },
): LockyardError | undefined {
  const { message, status } = failure;
  const said = neutralise(message).trim();
  if (OVERLOADED.has(status) || OVERLOAD.test(message)) {
    const retryAfterMs = failure.retryAfterMs ?? waitIn(message) ?? waitUntil(message, wallMs);
    return Object.assign(new LockyardError("RATE_LIMITED", `${title} was told to wait by its provider: ${said}`), {
      retryable: true,
      ...(retryAfterMs === undefined ? undefined : { retryAfterMs }),
    });
  }
  if (!REFUSED.has(status)) return undefined;
  const hint =
    status === 401 || status === 403
      ? `Log in once with ${title} itself, or hand its key over (env: { NAME: null } in a plan, passEnv in the library).`
      : "Look at the model and the arguments it is given.";
  const error = new LockyardError("AGENT_FAILED", `${title} was refused by its provider (${status}): ${said}`, {
    hint,
  });
  return Object.assign(error, { retryable: false });
}

/** Its program ended before its turn did, or not as after a turn that ends well. */
export function endedError(
  exit: Exit,
  account: Account,
  { title, said }: { readonly title: string; readonly said: string },
): LockyardError | undefined {
  if (account.isOver && exit.code === 0) return undefined;
  const tail = said === "" ? "" : ` It said: ${said}`;
  const when = account.isOver ? "after its turn" : "before its turn was over";
  return exit.signal === null
    ? new LockyardError("AGENT_EXITED", `${title} ended with exit code ${exit.code} ${when}.${tail}`)
    : new LockyardError("AGENT_CRASHED", `${title} was ended by ${exit.signal} ${when}.${tail}`, {
        hint: exit.signal === "SIGKILL" ? "Nobody here sent it: look for the out-of-memory killer (dmesg)." : undefined,
      });
}

const UNITS: readonly (readonly [RegExp, number])[] = [
  [/(\d+)\s*(?:d|days?)\b/i, 86_400_000],
  [/(\d+)\s*(?:h|hours?)\b/i, 3_600_000],
  [/(\d+)\s*(?:m|min|minutes?)\b/i, 60_000],
  [/(\d+(?:\.\d+)?)\s*(?:s|sec|seconds?)\b/i, 1_000],
];

/** `try again in 2 hours 5 minutes`. Undefined when nothing of the kind is said. */
function waitIn(message: string): number | undefined {
  const after = /(?:try again|retry|retrying|resets?) (?:in|after)([^.;]{1,80}(?:\.\d[^.;]{0,20})?)/i.exec(
    message,
  )?.[1];
  if (after === undefined) return undefined;
  const ms = UNITS.reduce((sum, [pattern, unit]) => sum + Number(pattern.exec(after)?.[1] ?? 0) * unit, 0);
  return ms > 0 ? ms : undefined;
}

/** `usage limit reached|1796100000`: seconds since 1970. */
function waitUntil(message: string, wallMs: number): number | undefined {
  const at = /\|(\d{10})\b/.exec(message)?.[1];
  return at === undefined ? undefined : Math.max(0, Number(at) * 1_000 - wallMs);
}
