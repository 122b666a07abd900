/** Durations as people write them in plans: `500ms`, `90s`, `10m`, `1h30m`, `2d`. */
import { MAX_TIMER_MS } from "../core/bounds.ts";

const UNIT_MS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;

/** One or more numbers with their unit, the greater unit first. */
export const DURATION_PATTERN =
  /^(?=\d)(?:\d{1,9}(?:\.\d{1,3})?d)?(?:\d{1,9}(?:\.\d{1,3})?h)?(?:\d{1,9}(?:\.\d{1,3})?m(?!s))?(?:\d{1,9}(?:\.\d{1,3})?s)?(?:\d{1,12}ms)?$/;

export const DURATION_EXAMPLES = "500ms, 90s, 10m, 1h30m or 2d";

/** Milliseconds of a duration, or what is wrong with it. At least 1 ms, at most what a timer can hold (24.8 days). */
export function parseDuration(
  text: string,
): { readonly ms: number } | { readonly what: string; readonly hint: string } {
  if (!DURATION_PATTERN.test(text)) {
    const bare = /^\d+(\.\d+)?$/.test(text);
    return {
      what: `${JSON.stringify(text.slice(0, 40))} is not a duration`,
      hint: bare ? `say the unit: ${text}s or ${text}m` : `write ${DURATION_EXAMPLES}`,
    };
  }
  let ms = 0;
  for (const [, number = "0", unit = "ms"] of text.matchAll(/([\d.]+)(ms|[dhms])/g)) {
    ms += Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]; // the pattern lets only these units through
  }
  ms = Math.round(ms);
  if (ms < 1)
    return { what: `${text} is no time at all`, hint: "write at least 1ms, or leave the key out for no limit" };
  if (ms > MAX_TIMER_MS)
    return { what: `${text} is longer than 24 days, which is the limit`, hint: "leave the key out for no limit" };
  return { ms };
}
