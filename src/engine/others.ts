/**
 * Tasks of a shared store that other processes stand behind: cancelled from here, or waited for because they bear the same
 * idempotency key. Nobody tells us of others' rows, so they are looked at until they have ended.
 */
import { BOUNDS, DEFAULTS, LEASE } from "../core/bounds.ts";
import type { Awaitable, StoreView } from "../core/ports.ts";
import { isFinal, type TaskRow } from "../core/row.ts";
import type { AgentResult } from "../core/task.ts";
import type { Agenda } from "./agenda.ts";
import type { ManagerParts } from "./parts.ts";
import { RepeatedLook } from "./repeated-look.ts";
import type { TurnQueue } from "./turn-queue.ts";

const LOOK_MS = 100;

export interface OthersWiring {
  readonly parts: ManagerParts;
  readonly agenda: Agenda;
  readonly turns: TurnQueue;
  readonly ownerId: string;
  readonly view: <T>(read: (view: StoreView) => T) => Awaitable<T>;
}

/** How somebody's task ended; null when nothing of it is known any more. */
export interface TheirEnd {
  readonly status: TaskRow["status"] | null;
  /** Null when nobody wrote one. */
  readonly result: AgentResult | null;
}

interface Watched {
  readonly workflowId: string;
  readonly taskId: string;
  /** 0 for no limit. */
  readonly untilMs: number;
  readonly onEnd: (end: TheirEnd) => void;
}

export class Others {
  readonly #wiring: OthersWiring;
  readonly #watched = new Set<Watched>();
  readonly #look: RepeatedLook;

  constructor(wiring: OthersWiring) {
    this.#wiring = wiring;
    const { agenda, parts } = wiring;
    const delayMs = () => (this.#watched.size > 0 ? LOOK_MS : null);
    this.#look = new RepeatedLook({ agenda, clock: parts.clock, look: () => this.#lookNow(), delayMs });
  }

  /** Asks tasks of others to end. Resolves with how many ended as cancelled, after they are gone. */
  async cancel(isMeant: (row: TaskRow) => boolean, workflowId: string): Promise<number> {
    const { view, turns, ownerId, parts } = this.#wiring;
    const rows = await view((store) =>
      store
        .tasks({ workflowId, limit: BOUNDS.tasksPerWorkflow })
        .filter((row) => row.kind === "task" && row.ownerId !== ownerId && !isFinal(row.status) && isMeant(row)),
    );
    const untilMs = parts.clock.nowMs() + parts.graceMs + DEFAULTS.proofMs + 2 * LEASE.beatMs;
    const ends = rows.map((row) => this.#end(row, untilMs));
    for (const { key } of rows) turns.push({ type: "cancel", key, status: "cancelled", result: undefined }, null);
    const ended = await Promise.all(ends);
    return ended.filter(({ status }) => status === "cancelled").length;
  }

  /** Told when the task of another process has ended. */
  watch(workflowId: string, taskId: string, onEnd: (end: TheirEnd) => void): void {
    this.#add({ workflowId, taskId, untilMs: 0, onEnd });
  }

  /** Nobody waits any more. */
  close(): void {
    this.#look.stop();
    this.#watched.clear();
  }

  #end({ workflowId, taskId }: TaskRow, untilMs: number): Promise<TheirEnd> {
    return new Promise((resolve) => {
      this.#add({ workflowId, taskId, untilMs, onEnd: resolve });
    });
  }

  #add(watched: Watched): void {
    this.#watched.add(watched);
    this.#look.begin();
  }

  async #lookNow(): Promise<void> {
    const { view, parts } = this.#wiring;
    const watched = [...this.#watched];
    const ends = await view((store) => watched.map((each) => endOf(store, each)));
    const nowMs = parts.clock.nowMs();
    for (const [index, each] of watched.entries()) {
      const end = ends[index];
      const isGivenUp = each.untilMs > 0 && nowMs > each.untilMs;
      if (end === undefined || (end.status !== null && !isFinal(end.status) && !isGivenUp)) continue;
      this.#watched.delete(each);
      each.onEnd(end);
    }
  }
}

function endOf(store: StoreView, { workflowId, taskId }: Watched): TheirEnd {
  const row = store.task(workflowId, taskId);
  if (row === undefined || !isFinal(row.status)) return { status: row?.status ?? null, result: null };
  const result = store.result(workflowId, taskId);
  const isResult = typeof result === "object" && result !== null && "taskId" in result && "status" in result;
  return { status: row.status, result: isResult ? (result as AgentResult) : null }; // as whoever ran it wrote it
}
