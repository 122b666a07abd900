/** What `exec` says, on standard error: what the command prints is the command's alone. */
import { neutralise } from "../../edges/basics.ts";
import type { AgentResult } from "../../index.ts";
import { duration } from "../terminal/duration.ts";
import type { Output } from "../terminal/output.ts";
import type { WaitLook } from "./wait-line.ts";

export interface Started {
  readonly pid: number;
  /** `build, src/api`. */
  readonly what: string;
  readonly waitedMs: number;
  /** Whether the wait was told of. */
  readonly hasSpoken: boolean;
}

export interface ExecVoice {
  line(text: string): void;
  waits(look: WaitLook): void;
  started(facts: Started): void;
  notAdmitted(text: string): void;
  failed(result: AgentResult): void;
  finished(result: AgentResult, exitCode: number): void;
}

/** Sentences for people, one line each. */
export function peopleVoice(err: Output): ExecVoice {
  const line = (text: string) => err.line(`lockyard: ${neutralise(text)}`);
  return {
    line,
    waits: ({ sentence }) => line(`${sentence} Ctrl-C leaves the line.`),
    started: ({ what, waitedMs, hasSpoken }) => {
      if (hasSpoken) line(`got ${what} after ${duration(waitedMs)}.`);
    },
    notAdmitted: line,
    failed: (result) => {
      const code = result.success ? "BUG" : result.error.code;
      line(`error ${code}: ${result.errorMessage ?? ""} Nothing was started.`);
    },
    finished: () => undefined,
  };
}

/** A line of JSON each, for programs. */
export function jsonVoice(err: Output, workflowId: string): ExecVoice {
  return {
    line: (message) => err.json({ type: "note", workflowId, message }),
    waits: ({ sentence }) => err.json({ type: "waiting", workflowId, reason: sentence }),
    started: ({ pid, waitedMs }) => err.json({ type: "started", workflowId, pid, waitedMs: Math.round(waitedMs) }),
    notAdmitted: (message) => err.json({ type: "not-admitted", workflowId, message }),
    failed: () => undefined,
    finished: (result, exitCode) => err.json({ type: "finished", workflowId, exitCode, result }),
  };
}
