/** How an attempt failed, from what the agent answered and how its program ended. */
import { LockyardError } from "../../core/errors.ts";
import { readMember } from "../../core/member.ts";
import { neutralise } from "../../process/neutralise.ts";
import type { Redactor } from "../../process/redact.ts";
import type { Exit } from "../../process/spawn.ts";
import { RpcError } from "./json-rpc.ts";

const AUTH_REQUIRED = -32_000;
/** In what models' providers say when there is too much at once. */
const OVERLOAD =
  /\b(?:429|529)\b|rate.?limit|too many requests|overloaded|resource.?exhausted|quota|usage limit|capacity/i;

export interface FailureParts {
  readonly name: string;
  readonly redactor: Redactor;
}

/** What the agent answered a request with. */
export function answeredFailure(error: unknown, { name, redactor }: FailureParts): Error {
  if (!(error instanceof RpcError)) return error instanceof Error ? error : new Error(String(error));
  const said = neutralise(redactor.text(messageOf(error))).trim();
  if (error.code === AUTH_REQUIRED && !OVERLOAD.test(said)) {
    return new LockyardError("AGENT_FAILED", `${name} is not logged in: ${said}`, {
      hint: "Log in with the agent's own command line once, or hand its key over: passEnv, authMethod.",
    });
  }
  if (isOverload(error) || OVERLOAD.test(said)) {
    const after = retryAfterMs(error.data);
    return Object.assign(new LockyardError("RATE_LIMITED", `${name} was told to wait: ${said}`), {
      retryable: true,
      ...(after === undefined ? undefined : { retryAfterMs: after }),
    });
  }
  return new LockyardError("AGENT_FAILED", `${name} answered with error ${error.code}: ${said}`);
}

/** Its program ended before the turn did. */
export function endedFailure(exit: Exit, said: string, { name, redactor }: FailureParts): Error {
  const shown = neutralise(redactor.text(said)).trim();
  const tail = shown === "" ? "" : ` It said: ${shown}`;
  return exit.signal === null
    ? new LockyardError("AGENT_EXITED", `${name} ended with exit code ${exit.code} before its turn did.${tail}`)
    : new LockyardError("AGENT_CRASHED", `${name} was ended by ${exit.signal}.${tail}`);
}

/** Undefined when its turn ended as it should. */
export function stoppedFailure(stopReason: unknown, name: string): LockyardError | undefined {
  switch (stopReason) {
    case "end_turn":
      return undefined;
    case "max_tokens":
      return new LockyardError("AGENT_REPORTED_FAILURE", `${name} stopped at its limit of tokens.`);
    case "max_turn_requests":
      return new LockyardError("AGENT_REPORTED_FAILURE", `${name} stopped at its limit of requests in one turn.`);
    case "refusal":
      return new LockyardError("AGENT_REPORTED_FAILURE", `${name} refused to go on.`);
    case "cancelled":
      return new LockyardError("AGENT_REPORTED_FAILURE", `${name} says that its turn was cancelled; nobody here did.`);
    default:
      return new LockyardError(
        "AGENT_REPORTED_FAILURE",
        `${name} ended its turn for a reason that is not known here: ${JSON.stringify(stopReason)?.slice(0, 100)}.`,
      );
  }
}

/** Agents put what they know into `data`, as a text or with a member of its own. */
function messageOf({ message, data }: RpcError): string {
  const more = [data, readMember(data, "message"), readMember(data, "details"), readMember(data, "error")].find(
    (text) => typeof text === "string" && text !== "" && text !== message,
  );
  return more === undefined ? message : `${message}: ${String(more)}`;
}

function isOverload({ code, data }: RpcError): boolean {
  return [code, readMember(data, "status"), readMember(data, "code"), readMember(data, "statusCode")].some(
    (number) => number === 429 || number === 529,
  );
}

function retryAfterMs(data: unknown): number | undefined {
  const ms = readMember(data, "retryAfterMs");
  const seconds = readMember(data, "retryAfter");
  if (typeof ms === "number" && ms >= 0) return ms;
  return typeof seconds === "number" && seconds >= 0 ? seconds * 1_000 : undefined;
}
