/**
 * Trying again until another process has let go of the file. SQLite's own waiting is not fair and stops this process;
 * a try every few milliseconds, a little at random, is both fair enough and harmless.
 */
import { LockyardError } from "../../core/errors.ts";
import type { Clock } from "../../core/ports.ts";
import { findLockHolder, heldMessage } from "./lock-holder.ts";

export interface Patience {
  readonly clock: Clock;
  readonly file: string;
  /** Milliseconds after which it gives up with STORE_BUSY. */
  readonly limitMs: number;
  /** Milliseconds after which it says, once, who keeps the file. */
  readonly noticeMs: number;
  readonly onNotice: (line: string) => void;
}

/** What `attempt` answers, as soon as that is not null. Rejects with STORE_BUSY naming who keeps the file. */
export async function untilFree<T>(patience: Patience, attempt: () => T | null): Promise<T> {
  const { clock, file, limitMs, noticeMs, onNotice } = patience;
  const startMs = clock.nowMs();
  for (let hasNotice = false; ; ) {
    const answer = attempt();
    if (answer !== null) return answer;
    const waitedMs = clock.nowMs() - startMs;
    if (waitedMs >= limitMs) {
      throw new LockyardError("STORE_BUSY", heldMessage(file, waitedMs, findLockHolder(file)), {
        hint: "Nothing was changed. End or continue what holds the store, then try again.",
      });
    }
    if (!hasNotice && waitedMs >= noticeMs) {
      hasNotice = true;
      onNotice(heldMessage(file, waitedMs, findLockHolder(file)));
    }
    await new Promise<void>((resolve) => clock.setTimer(1 + 4 * clock.random(), resolve));
  }
}
