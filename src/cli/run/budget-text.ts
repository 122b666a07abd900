import { count } from "../terminal/duration.ts";

/** The sentence of a budget that is used up: what, how far, how to go on, how to stop. */
export function budgetText(
  reason: string,
  { done, total, workflowId }: { readonly done: number; readonly total: number; readonly workflowId: string },
): string {
  const spent = /^Paused: (.*?), nothing was stopped/s.exec(reason)?.[1] ?? reason;
  const more = /\$[\d.]+ of \$([\d.]+)/.exec(spent);
  const ms = /of ([\d,]+) ms passed/.exec(spent)?.[1];
  const [, limit = "", unit = ""] = /of ([\d,]+) (tasks|tokens)/.exec(spent) ?? [];
  const flag =
    more !== null
      ? ` --usd ${2 * Number(more[1])}`
      : limit !== ""
        ? ` --${unit} ${2 * Number(limit.replaceAll(",", ""))}`
        : ms === undefined
          ? ""
          : ` --wall ${(2 * Number(ms.replaceAll(",", ""))) / 1_000}s`;
  return `Paused: ${spent}, ${done} of ${count(total, "task")} done, nothing killed. Continue: lockyard resume ${workflowId}${flag}. Stop: lockyard cancel ${workflowId}`;
}
