/** When the next attempt of a task comes. */
import { DEFAULTS, MAX_TIMER_MS } from "../core/bounds.ts";
import type { RetryPolicy } from "../core/task.ts";

/** Share added to what an overloaded side asked for, so that those it turned away together do not come back together. */
const SPREAD = 0.3;

/** Whether a further attempt is allowed after `attempts` of them. No policy: one attempt in all. */
export function mayRetry(policy: RetryPolicy | undefined, attempts: number): boolean {
  return attempts < (policy?.attempts ?? 1);
}

/**
 * Milliseconds between the failure of attempt `attempt` (1 for the first) and the next start: `baseMs × 2^(attempt − 1)`,
 * or `baseMs` when the back-off is fixed, at most `maxMs`, of which the share `jitter` (default 1) is random ("full
 * jitter": Brooker, AWS Architecture Blog, 2015). Defaults 1 s and 60 s. `random` is `clock.random`.
 */
export function retryDelayMs(policy: RetryPolicy | undefined, attempt: number, random: () => number): number {
  const baseMs = policy?.baseMs ?? DEFAULTS.retryBaseMs;
  const maxMs = Math.min(policy?.maxMs ?? DEFAULTS.retryMaxMs, MAX_TIMER_MS);
  const growth = policy?.backoff === "fixed" ? 1 : 2 ** Math.min(Math.max(attempt, 1) - 1, 52);
  const wholeMs = Math.min(baseMs * growth, maxMs);
  const jitter = Math.min(Math.max(policy?.jitter ?? 1, 0), 1);
  return wholeMs * (1 - jitter) + wholeMs * jitter * random();
}

/** What was asked for, and up to 30 % more. */
export function spreadMs(askedMs: number, random: () => number): number {
  return Math.min(Math.max(askedMs, 0) * (1 + SPREAD * random()), MAX_TIMER_MS);
}
