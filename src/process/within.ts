import type { Clock } from "../core/ports.ts";

/** Waits for the event, but not longer than this. False when it did not come. Rejects when the event does. */
export async function within(clock: Clock, limitMs: number, event: Promise<unknown>): Promise<boolean> {
  let cancel: (() => void) | undefined;
  const late = new Promise<false>((resolve) => {
    const timer = clock.setTimer(limitMs, () => resolve(false));
    cancel = () => timer.cancel();
  });
  try {
    return await Promise.race([event.then(() => true), late]);
  } finally {
    cancel?.();
  }
}
