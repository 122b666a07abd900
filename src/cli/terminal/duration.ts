/** Durations and moments as people read them: `340ms`, `3.2s`, `42s`, `2m10s`, `1h04m`, `2d3h`. */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** At most two units, the smaller one left out when it is zero. Negative and broken numbers read `0ms`. */
export function duration(ms: number): string {
  if (!(ms > 0)) return "0ms";
  if (ms < 999.5) return `${Math.max(1, Math.round(ms))}ms`;
  // 9,960 ms would print as 10.0s.
  if (ms < 9_950) return `${(ms / SECOND).toFixed(1).replace(/\.0$/, "")}s`;
  const seconds = Math.round(ms / SECOND);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), "m", seconds % 60, "s");
  const minutes = Math.round(ms / MINUTE);
  if (minutes < 24 * 60) return pair(Math.floor(minutes / 60), "h", minutes % 60, "m");
  if (!Number.isFinite(ms)) return "for ever";
  const hours = Math.round(ms / HOUR);
  return hours % 24 === 0 ? `${hours / 24}d` : `${Math.floor(hours / 24)}d${hours % 24}h`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${String(small).padStart(2, "0")}${smallUnit}`;
}

/** For a line that ticks: whole seconds, so that it changes once a second. */
export function elapsed(ms: number): string {
  return ms < MINUTE ? `${Math.max(0, Math.floor(ms / SECOND))}s` : duration(Math.floor(ms / SECOND) * SECOND);
}

/** `10m`, `1h30m`, `90s`, `500ms`, `1d`, a bare number counts as seconds; undefined when it is none of these. */
export function parseDuration(text: string): number | undefined {
  const whole = text.trim();
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(whole)) return Number(whole) * SECOND;
  if (!/^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(whole)) return undefined;
  let ms = 0;
  for (const [, amount = "0", unit = "s"] of whole.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)) {
    ms += Number(amount) * (UNITS[unit] ?? 0);
  }
  return ms;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: SECOND, m: MINUTE, h: HOUR, d: DAY };

/** `1,234`. Not by toLocaleString: loading its tables costs a command that prints one number 10 milliseconds. */
export function grouped(number: number): string {
  const [whole = "", ...rest] = String(number).split(".");
  return [whole.replaceAll(/\B(?=(?:\d{3})+$)/g, ","), ...rest].join(".");
}

/** `1,234 tasks`, `1 task`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${grouped(number)} ${number === 1 ? noun : plural}`;
}

/** `12.4 MB`. */
export function bytes(size: number): string {
  if (size < 1_000) return `${size} B`;
  const units = ["KB", "MB", "GB", "TB", "PB"];
  let amount = size / 1_000;
  let at = 0;
  while (amount >= 999.5 && at < units.length - 1) {
    amount /= 1_000;
    at++;
  }
  return `${amount < 99.5 ? amount.toFixed(1).replace(/\.0$/, "") : Math.round(amount)} ${units[at]}`;
}
