import type { Clock } from "../index.ts";

/** What the work answers, or a rejection after so long; the work itself goes on. */
export function within<T>(ms: number, clock: Clock, work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.setTimer(ms, () => reject(new Error(`No answer within ${ms.toLocaleString("en")} ms.`)));
    work()
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}
