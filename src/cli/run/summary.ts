/** What a finished run amounts to. */
import { neutralise } from "../../edges/basics.ts";
import type { AgentResult, TaskExecutionMetrics } from "../../index.ts";
import { count, duration } from "../terminal/duration.ts";
import type { Style } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { wrap } from "../terminal/width.ts";
import { wordOf } from "./event-lines.ts";

export interface RunSummary {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly cancelled: number;
  readonly skipped: number;
  /** Milliseconds from the hand-over to the last end. */
  readonly makespanMs: number;
  /** Milliseconds all tasks ran, one after another. */
  readonly runMs: number;
  /** `runMs` over the time from the first start to the last end: what running at once gained. 0 when nothing ran. */
  readonly speedup: number;
  readonly lockWaitMs: number;
  readonly costUsd: number | null;
  readonly slowest: readonly { readonly taskId: string; readonly ms: number }[];
  readonly contended: readonly { readonly resourceId: string; readonly waits: number; readonly waitMs: number }[];
}

const LISTED = 5;
/** Column at which figures begin. */
const FIGURES_AT = 14;

export function summarise(
  results: readonly AgentResult[],
  makespanMs: number,
  contention: TaskExecutionMetrics["resourceContention"],
): RunSummary {
  const of = (status: AgentResult["status"]) => results.filter((result) => result.status === status).length;
  const runMs = sum(results.map(({ executionTimeMs }) => executionTimeMs));
  const spanMs = spanOf(results);
  const costs = results.flatMap(({ usage }) => usage?.costUsd ?? []);
  const ran = results.filter(({ startedAt }) => startedAt !== null);
  return {
    total: results.length,
    succeeded: of("succeeded"),
    failed: of("failed"),
    timedOut: of("timed_out"),
    cancelled: of("cancelled"),
    skipped: of("skipped"),
    makespanMs: Math.round(makespanMs),
    runMs: Math.round(runMs),
    speedup: spanMs > 0 ? Math.round((runMs / spanMs) * 100) / 100 : 0,
    lockWaitMs: Math.round(sum(results.map(({ lockWaitMs }) => lockWaitMs))),
    costUsd: costs.length === 0 ? null : sum(costs),
    slowest: ran
      .toSorted((a, b) => b.executionTimeMs - a.executionTimeMs)
      .slice(0, LISTED)
      .map(({ taskId, executionTimeMs }) => ({ taskId, ms: Math.round(executionTimeMs) })),
    contended: contention
      .filter(({ waitMs }) => waitMs > 0)
      .toSorted((a, b) => b.waitMs - a.waitMs)
      .slice(0, LISTED)
      .map(({ resourceId, waits, waitMs }) => ({ resourceId, waits, waitMs: Math.round(waitMs) })),
  };
}

/** Milliseconds from the first start to the last end of those that ran. */
function spanOf(results: readonly AgentResult[]): number {
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const { startedAt, executionTimeMs, finishedAt } of results) {
    if (startedAt === null) continue;
    // Of several attempts the last one's start is told; none can have begun later than it ended minus what it ran.
    firstMs = Math.min(firstMs, Date.parse(startedAt), Date.parse(finishedAt) - executionTimeMs);
    lastMs = Math.max(lastMs, Date.parse(finishedAt));
  }
  return Math.max(0, lastMs - firstMs);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

export interface SummaryOptions {
  readonly style: Style;
  readonly columns: number;
  readonly workflowId: string;
  readonly results: readonly AgentResult[];
}

/** The final lines: what did not succeed first, then the figures. */
export function summaryLines(
  summary: RunSummary,
  { style, columns, workflowId, results }: SummaryOptions,
): readonly string[] {
  const { total, succeeded, makespanMs, runMs, speedup, lockWaitMs } = summary;
  const ran = results.filter(({ startedAt }) => startedAt !== null).length;
  const isFine = succeeded === total;
  const head = isFine
    ? style.green(`${style.signs.ok} ${workflowId}: ${count(total, "task")} succeeded`)
    : style.red(`${style.signs.failed} ${workflowId}: ${succeeded} of ${count(total, "task")} succeeded`);
  const others = (
    [
      [summary.failed, "failed"],
      [summary.timedOut, "timed out"],
      [summary.cancelled, "cancelled"],
      [summary.skipped, "skipped"],
    ] as const
  ).flatMap(([number, word]) => (number > 0 ? [`${number} ${word}`] : []));
  const figures: (readonly [string, string])[] = [
    ["took", duration(makespanMs)],
    [
      "run time",
      `${duration(runMs)} in all${ran > 1 ? `: ${speedup.toFixed(1)}${style.signs.times} as fast as one after another` : ""}`,
    ],
  ];
  if (lockWaitMs >= 1) figures.push(["lock wait", `${duration(lockWaitMs)} in all`]);
  if (summary.costUsd !== null) figures.push(["cost", `$${summary.costUsd.toFixed(2)}`]);
  if (total > 1 && summary.slowest.length > 0) {
    figures.push([
      "slowest",
      summary.slowest.map(({ taskId, ms }) => `${neutralise(taskId)} ${duration(ms)}`).join(", "),
    ]);
  }
  if (summary.contended.length > 0) {
    figures.push([
      "contended",
      summary.contended
        .map(
          ({ resourceId, waits, waitMs }) => `${neutralise(resourceId)} ${duration(waitMs)} in ${count(waits, "wait")}`,
        )
        .join(", "),
    ]);
  }
  return [
    "",
    ...notSucceeded(results, { style, columns }),
    style.bold(head) + (others.length > 0 ? `, ${others.join(", ")}` : ""),
    ...figures.flatMap(([name, value]) =>
      wrap(value, columns - FIGURES_AT).map(
        (line, at) => `  ${style.dim((at === 0 ? name : "").padEnd(FIGURES_AT - 2))}${line}`,
      ),
    ),
  ];
}

/** What failed or was skipped because of it, once more: the lines above may be far away. */
function notSucceeded(
  results: readonly AgentResult[],
  { style, columns }: { readonly style: Style; readonly columns: number },
): readonly string[] {
  const bad = results.filter(({ success, status }) => !success && status !== "cancelled");
  if (bad.length === 0 || results.length <= LISTED) return [];
  const shown = bad.toSorted((a, b) => weight(b) - weight(a)).slice(0, 2 * LISTED);
  const rows = shown.map((result) => [
    neutralise(result.taskId),
    wordOf(result.status),
    (neutralise(result.errorMessage ?? "").split("\n", 1)[0] ?? "").trim(),
  ]);
  const hidden = bad.length - shown.length;
  return [
    ...table(rows, { columns, indent: 2 }),
    ...(hidden > 0 ? [style.dim(`  and ${hidden} more that did not succeed`)] : []),
    "",
  ];
}

function weight({ status }: AgentResult): number {
  return status === "failed" || status === "timed_out" ? 1 : 0;
}
