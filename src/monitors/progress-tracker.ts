/** The default progress tracker: when a task probably ends. */
import type { ProgressTracker } from "../core/ports.ts";

/**
 * From the fraction done, `elapsed / progress`; from the usual duration when nothing was reported; from both, weighted by
 * the fraction, because early fractions say little. Null when neither says anything, or when a task that reports nothing has
 * already taken longer than usual: then nobody knows.
 */
export function defaultProgressTracker(): ProgressTracker {
  return {
    estimate({ startedWallMs, nowWallMs, progress, typicalMs }) {
      const elapsedMs = Math.max(0, nowWallMs - startedWallMs);
      const fraction = progress > 0 ? Math.min(progress, 1) : 0;
      if (fraction === 0) return typicalMs !== null && elapsedMs <= typicalMs ? startedWallMs + typicalMs : null;
      const extrapolatedMs = elapsedMs / fraction;
      const totalMs = typicalMs === null ? extrapolatedMs : fraction * extrapolatedMs + (1 - fraction) * typicalMs;
      return Math.max(nowWallMs, startedWallMs + totalMs);
    },
  };
}
