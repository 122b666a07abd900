/**
 * Histories of a lock table, written down by those who used it: what was asked when, what was answered when. Two checkers
 * that share nothing but these types say whether some order of single moments explains all answers.
 */

/** Milliseconds of the machine's monotonic clock. `retMs` is Infinity when nobody heard the answer. */
interface Timed {
  readonly callMs: number;
  readonly retMs: number;
}

export interface Acquire extends Timed {
  readonly kind: "acquire";
  readonly owner: string;
  readonly resources: readonly string[];
  readonly isShared: boolean;
  readonly fence: number;
}

/** `isDone`: let go. Otherwise the answer was that this fence holds nothing (any more). */
export interface Release extends Timed {
  readonly kind: "release";
  readonly fence: number;
  readonly isDone: boolean;
}

/** From this moment on the process was being killed: what it held may go to others at any time after. */
export interface Crash {
  readonly kind: "crash";
  readonly owner: string;
  readonly callMs: number;
}

export type Operation = Acquire | Release | Crash;
export type History = readonly Operation[];

/**
 * From the file the workers append to. An acquisition nobody heard of is left out: that it happened can only make things
 * harder to explain, and it need not have happened. A release nobody heard of may have happened.
 */
export function readHistory(text: string): History {
  const operations: Operation[] = [];
  const asked = new Map<string, readonly string[]>();
  for (const line of text.split("\n")) {
    const [kind, owner = "", number, ...words] = line.split(" ");
    if (kind === "crash") operations.push({ kind, owner, callMs: Number(number) });
    else if (kind === "call") asked.set(`${owner} ${number}`, words);
    else if (kind === "ret") {
      const operation = finished({ owner, call: asked.get(`${owner} ${number}`) ?? [], ret: words });
      if (operation !== null) operations.push(operation);
      asked.delete(`${owner} ${number}`);
    }
  }
  for (const [what = "", callMs, fence] of asked.values()) {
    if (what === "release")
      operations.push({ kind: "release", fence: Number(fence), isDone: true, callMs: Number(callMs), retMs: Infinity });
  }
  return operations;
}

interface Finished {
  readonly owner: string;
  readonly call: readonly string[];
  readonly ret: readonly string[];
}

function finished({ owner, call, ret }: Finished): Operation | null {
  const [what, callMs, first = "", mode] = call;
  const [retMs, answer, fence] = ret;
  const times = { callMs: Number(callMs), retMs: Number(retMs) };
  if (what === "release") return { kind: "release", fence: Number(first), isDone: answer === "yes", ...times };
  if (answer !== "yes") return null;
  return {
    kind: "acquire",
    owner,
    resources: first.split(","),
    isShared: mode === "shared",
    fence: Number(fence),
    ...times,
  };
}
