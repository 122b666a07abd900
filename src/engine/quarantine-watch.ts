/**
 * What becomes of tasks that need what a task holds that could not be stopped: they wait (nothing is done here), end as
 * skipped, or the lock is taken from it after a while.
 */
import { BOUNDS } from "../core/bounds.ts";
import { explain } from "../core/explain.ts";
import type { Awaitable, QuarantinePolicy, StoreView } from "../core/ports.ts";
import type { Agenda } from "./agenda.ts";
import type { ManagerParts } from "./parts.ts";
import { RepeatedLook } from "./repeated-look.ts";
import type { Stop } from "./task-record.ts";
import type { TurnQueue } from "./turn-queue.ts";

const LOOK_MS = 1_000;

export interface QuarantineWiring {
  readonly parts: ManagerParts;
  readonly agenda: Agenda;
  readonly turns: TurnQueue;
  readonly ownerId: string;
  readonly view: <T>(read: (view: StoreView) => T) => Awaitable<T>;
  readonly stop: (taskId: string, stop: Stop) => void;
}

interface Behind {
  readonly taskId: string;
  readonly reason: string;
  /** Rows of the quarantined holders. */
  readonly holders: readonly number[];
}

export class QuarantineWatch {
  readonly #wiring: QuarantineWiring;
  readonly #policy: QuarantinePolicy;
  /** When each quarantined holder was first seen in somebody's way here. */
  readonly #firstSeenMs = new Map<number, number>();
  #isOn = false;
  readonly #look: RepeatedLook;

  constructor(wiring: QuarantineWiring) {
    this.#wiring = wiring;
    const { agenda, parts } = wiring;
    this.#policy = parts.onQuarantine ?? "wait";
    const delayMs = () => (this.#isOn ? LOOK_MS : null);
    this.#look = new RepeatedLook({ agenda, clock: parts.clock, look: () => this.#lookNow(), delayMs });
  }

  /** While tasks of this process have not ended. */
  attend(isAwaited: boolean): void {
    if (this.#policy === "wait" || this.#isOn === isAwaited) return;
    this.#isOn = isAwaited;
    if (isAwaited) this.#look.begin();
    else this.#look.stop();
  }

  async #lookNow(): Promise<void> {
    const { parts, ownerId, view, stop, turns } = this.#wiring;
    const nowMs = parts.clock.nowMs();
    const behind = await view((store) => behindQuarantine(store, { ownerId, nowMs, root: parts.root }));
    if (this.#policy === "skip") {
      for (const { taskId, reason } of behind) {
        const message = `Task ${taskId} was skipped because ${reason}`;
        stop(taskId, { status: "skipped", code: "QUARANTINED", message });
      }
    } else if (this.#policy !== "wait") {
      for (const key of new Set(behind.flatMap(({ holders }) => holders))) {
        const sinceMs = this.#firstSeenMs.get(key) ?? nowMs;
        if (this.#firstSeenMs.size < BOUNDS.noticedSubjects) this.#firstSeenMs.set(key, sinceMs);
        if (nowMs - sinceMs >= this.#policy.takeAfterMs) turns.push({ type: "unlock", key }, null);
      }
    }
  }
}

/** Tasks of this owner that wait behind a quarantined holder. */
function behindQuarantine(
  store: StoreView,
  { ownerId, nowMs, root }: { readonly ownerId: string; readonly nowMs: number; readonly root: string },
): readonly Behind[] {
  const quarantined = store.tasks({ statuses: ["ending"], limit: BOUNDS.statusRows }).filter((row) => row.quarantined);
  if (quarantined.length === 0) return [];
  const keys = new Map(quarantined.map((row) => [`${row.workflowId}\u0000${row.taskId}`, row.key]));
  const waiting = store.tasks({ ownerId, statuses: ["waiting"], limit: BOUNDS.finishedHistory });
  return waiting.flatMap((row) => {
    if (row.kind !== "task") return [];
    const { reason, blockedBy } = explain(store, row, { nowMs, root });
    const holders = blockedBy.flatMap(({ workflowId, taskId }) => keys.get(`${workflowId}\u0000${taskId}`) ?? []);
    return holders.length === 0 ? [] : [{ taskId: row.taskId, reason, holders }];
  });
}
