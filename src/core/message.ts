/**
 * What one process asks of the process that stands behind a task, handed on by the store (`tell`): the command line speaks
 * to a run in another terminal with it. Plain JSON.
 */
import type { JsonObject, JsonValue } from "./task.ts";

export type Message =
  | { readonly kind: "answer"; readonly input: JsonValue }
  /** Starts nothing more, until `resume`. `reason` is a sentence. */
  | { readonly kind: "pause"; readonly reason: string }
  /** Goes on; with other limits when some are given. */
  | {
      readonly kind: "resume";
      readonly costUsd?: number;
      readonly tokens?: number;
      readonly tasks?: number;
      readonly wallMs?: number;
    }
  /** Null: as it was configured. */
  | { readonly kind: "configure"; readonly maxConcurrentTasks: number | null }
  /** A process that the task started waits for tasks of its own; 0 when it waits no more. Told again while it lasts. */
  | { readonly kind: "waits"; readonly forMs: number }
  | { readonly kind: "retry"; readonly taskIds: readonly string[] };

const KINDS: ReadonlySet<unknown> = new Set<Message["kind"]>([
  "answer",
  "pause",
  "resume",
  "configure",
  "waits",
  "retry",
]);

/** Null for what a newer program says and this one does not know. */
export function messageOf(given: JsonObject): Message | null {
  // Written by `tell` of one of our own programs: the kind says the rest.
  return KINDS.has(given.kind) ? (given as unknown as Message) : null;
}

/** Where notes about a workflow or a task are kept in a store. */
export const NOTE = {
  /** Why nothing of a workflow is started; absent while it is not paused. */
  pause: (workflowId: string) => `pause ${workflowId}`,
  /** What a task asks, by the key of its row. */
  question: (key: number) => `question ${key}`,
  /** All that is needed to go on with a run whose process is gone. */
  run: (workflowId: string) => `run ${workflowId}`,
} as const;
