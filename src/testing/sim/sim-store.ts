/** A store as the simulation drives it: production code, with the faults of the world between it and its callers. */
import type { Command, Effect, Owner } from "../../core/command.ts";
import type { TaskStatus } from "../../core/task.ts";

/** What a process may ask a store about its own tasks. */
export interface Seen {
  readonly key: number;
  readonly taskId: string;
  readonly kind: "task" | "request";
  readonly status: TaskStatus;
  readonly fence: number;
  readonly ownerId: string;
  readonly members: Readonly<Record<string, readonly string[]>> | null;
}

export type TurnFault =
  /** An invariant fails at the n-th write: the turn is undone, then each command has a turn of its own. */
  | { readonly kind: "bug"; readonly atWrite: number; readonly times: number }
  /** The disk is full at the n-th write: the turn is undone and the caller told. */
  | { readonly kind: "disk"; readonly atWrite: number };

export interface SimStore {
  readonly kind: "memory" | "sqlite";
  /** Null while another process is inside a turn. Throws what the store throws: STORE_…, and then nothing has changed. */
  turn(callerId: string, commands: readonly Command[], nowMs: number): readonly Effect[] | null;
  /** The process joins, and is told from now on what turns of others do to its rows. Answers what its joining did. */
  listen(owner: Owner, nowMs: number, onEffects: (effects: readonly Effect[]) => void): readonly Effect[];
  /** Lets owners elsewhere take what was left for them (a shared file is polled). */
  poll(ownerId: string): void;
  /** Somebody stops inside a turn, until the answer is called. */
  freeze(): () => void;
  /** The next turn fails in this way. */
  failNext(fault: TurnFault): void;
  /** What went on inside, for the catalogue of things that must happen; nothing is decided by it. */
  readonly inside: { carries: number; bugs: number };
  /** Complaints of the store's own harness: a turn that was undone and left something behind. */
  readonly faults: string[];
  rowsOf(ownerId: string): readonly Seen[];
  find(workflowId: string, taskId: string): Seen | undefined;
  owners(): readonly Owner[];
  nextDueAtMs(): number;
  /** Every row and counter as text: equal before and after a turn that was undone. */
  dump(): string;
  /** Rows that have not ended. */
  liveCount(): number;
  close(): void;
}
