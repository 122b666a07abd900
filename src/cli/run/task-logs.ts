/**
 * What tasks print, in a file each beside the store, so that `lockyard logs` can show it while they run and afterwards. A
 * full disk ends a log, never a task. What was told is in the file at once: whoever hears of a task's end reads all of it.
 */
import { appendFileSync, closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { BOUNDS } from "../../edges/basics.ts";
import type { JsonValue, LockyardEvent } from "../../index.ts";

/** As long as results. */
const KEPT_MS = 14 * 24 * 3_600_000;
/** Longest name of a file, in characters that need one byte each. */
const NAME = 200;

/** The log of a task of the store in this file. */
export function logFile(store: string, workflowId: string, taskId: string): string {
  return join(dirname(store), "logs", nameOf(workflowId), `${nameOf(taskId)}.log`);
}

/** Of what is too long the end tells more. */
function nameOf(id: string): string {
  return encodeURIComponent(id).replaceAll(".", "%2E").slice(-NAME);
}

interface Log {
  readonly file: number;
  bytes: number;
}

export class TaskLogs {
  readonly #store: () => string | null;
  readonly #workflowId: string;
  readonly #logs = new Map<string, Log>();
  #isBroken = false;

  /** `store`: the file of the shared store, once it is open; null for none. */
  constructor(workflowId: string, store: () => string | null) {
    this.#workflowId = workflowId;
    this.#store = store;
  }

  event(event: LockyardEvent): void {
    if (event.type === "task-output") this.#write(event.taskId, textOf(event.chunk));
    else if (event.type === "task-finished") this.#end(event.taskId);
  }

  close(): void {
    for (const taskId of this.#logs.keys()) this.#end(taskId);
  }

  #end(taskId: string): void {
    const log = this.#logs.get(taskId);
    if (log === undefined) return;
    this.#logs.delete(taskId);
    closeSync(log.file);
  }

  #write(taskId: string, text: string): void {
    const log = this.#logs.get(taskId) ?? this.#open(taskId);
    if (log === undefined || log.bytes > BOUNDS.spillBytes) return;
    log.bytes += Buffer.byteLength(text);
    try {
      appendFileSync(log.file, log.bytes > BOUNDS.spillBytes ? "\n… the rest is left out …\n" : text);
    } catch {
      this.#isBroken = true;
      this.#end(taskId);
    }
  }

  #open(taskId: string): Log | undefined {
    const store = this.#store();
    if (store === null || this.#isBroken) return undefined;
    const file = logFile(store, this.#workflowId, taskId);
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      const log = { file: openSync(file, "a", 0o600), bytes: 0 };
      this.#logs.set(taskId, log);
      return log;
    } catch {
      this.#isBroken = true;
      return undefined;
    }
  }
}

/** Logs of runs that are long over go. */
export function forgetOldLogs(store: string, nowWallMs: number): void {
  const folder = join(dirname(store), "logs");
  try {
    for (const name of readdirSync(folder).slice(0, BOUNDS.finishedHistory)) {
      const path = join(folder, name);
      if (nowWallMs - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // There are none yet, or somebody else is at it.
  }
}

/** `{ stream, text }` of a command, or anything a function emitted. */
function textOf(chunk: JsonValue): string {
  if (typeof chunk === "string") return chunk;
  const isPiece = typeof chunk === "object" && chunk !== null && "text" in chunk && typeof chunk.text === "string";
  return isPiece ? String(chunk.text) : `${JSON.stringify(chunk)}\n`;
}
