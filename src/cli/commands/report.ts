/** `lockyard report`: what ran, how long it waited and for what, what running at once gained. From the store's rows. */
import { IsoTimes, neutralise } from "../../edges/basics.ts";
import { resourceId } from "../../edges/names.ts";
import { LIVE_STATUSES, type StoreView } from "../../edges/store.ts";
import type { AgentResult, Clock, TaskStatus } from "../../index.ts";
import type { ReportOptions } from "../control-commands.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { findWorkflow } from "../look/find-workflow.ts";
import { workspaceRoot } from "../look/workspace.ts";
import { earlierResults } from "../run/earlier.ts";
import { readRunNote } from "../run/run-note.ts";
import { type RunSummary, summarise } from "../run/summary.ts";
import { withStore } from "../store/reach.ts";
import type { Surroundings } from "../surroundings.ts";
import { count, duration } from "../terminal/duration.ts";
import { table } from "../terminal/table.ts";

interface Reporting {
  readonly options: ReportOptions;
  readonly surroundings: Surroundings;
}

/** Workflows listed. */
const LISTED = 50;

export function reportCommand(name: string | undefined, { options, surroundings }: Reporting): Promise<ExitCode> {
  return withStore("report", { options, surroundings }, async ({ store, clock }) => {
    const { out, cwd } = surroundings;
    if (options.prometheus === true) {
      out.write(store.view((view) => prometheus(view, workspaceRoot(cwd))));
      return EXIT.ok;
    }
    if (name === undefined) {
      const rows = store.view((view) => history(view));
      if (options.json === true) out.json({ type: "report", workflows: rows });
      else out.lines(historyLines(rows, surroundings));
      return EXIT.ok;
    }
    const report = store.view((view) => reportOf(view, findWorkflow(view, name), clock));
    if (options.json === true) out.json({ type: "report", ...report });
    else out.lines(reportLines(report, surroundings));
    return EXIT.ok;
  });
}

interface Quantiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
}

interface WorkflowReport {
  readonly workflowId: string;
  /** `running`, `left` (to go on with) or `finished`; null of what a program ran. */
  readonly state: string | null;
  readonly startedAt: string | null;
  /** Tasks that have not ended. */
  readonly live: number;
  readonly summary: RunSummary;
  readonly queue: Quantiles;
  readonly lockWait: Quantiles;
  readonly run: Quantiles;
  readonly attempts: number;
  readonly throughputPerMinute: number;
}

function reportOf(view: StoreView, workflowId: string, clock: Clock): WorkflowReport {
  const results = [...earlierResults(view, workflowId, clock).values()];
  const note = readRunNote(view, workflowId);
  const started = results.filter(({ startedAt }) => startedAt !== null);
  const spanMs = spanOf(started);
  return {
    workflowId,
    state: note?.state ?? null,
    startedAt: note === undefined ? null : new IsoTimes(clock).textOfWall(note.startedAtMs),
    live: view.count({ workflowId }),
    summary: { ...summarise(results, spanMs, []), contended: note?.summary?.contended ?? [] },
    queue: quantiles(started.map(({ queuedMs }) => queuedMs)),
    lockWait: quantiles(started.map(({ lockWaitMs }) => lockWaitMs)),
    run: quantiles(started.map(({ executionTimeMs }) => executionTimeMs)),
    attempts: results.reduce((sum, { attempts }) => sum + attempts, 0),
    throughputPerMinute: spanMs > 0 ? Math.round((started.length / spanMs) * 600_000) / 10 : 0,
  };
}

/** Milliseconds from the first start to the last end. */
function spanOf(results: readonly AgentResult[]): number {
  const starts = results.map(({ startedAt }) => Date.parse(startedAt ?? ""));
  const ends = results.map(({ finishedAt }) => Date.parse(finishedAt));
  const least = starts.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return Math.max(0, ends.reduce((a, b) => Math.max(a, b), 0) - (Number.isFinite(least) ? least : 0));
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0);
  return { p50Ms: at(0.5), p95Ms: at(0.95) };
}

function reportLines(report: WorkflowReport, { out }: Surroundings): readonly string[] {
  const { summary, queue, lockWait, run, live } = report;
  const pair = ({ p50Ms, p95Ms }: Quantiles) => `${duration(p50Ms)} half of them, ${duration(p95Ms)} one in twenty`;
  const others = (["failed", "timedOut", "cancelled", "skipped"] as const).flatMap((key) =>
    summary[key] > 0 ? [`${summary[key]} ${key === "timedOut" ? "timed out" : key}`] : [],
  );
  const rows: (readonly [string, string])[] = [
    ["tasks", [`${summary.succeeded} of ${count(summary.total, "task")} succeeded`, ...others].join(", ")],
    ["state", live > 0 ? `${count(live, "task")} not ended yet` : (report.state ?? "ended")],
    ["took", `${duration(summary.makespanMs)}, ${report.throughputPerMinute} tasks a minute`],
    ["speed-up", `${summary.speedup.toFixed(1)} times as fast as one after another`],
    ["in line", pair(queue)],
    ["for locks", pair(lockWait)],
    ["running", pair(run)],
    ["attempts", String(report.attempts)],
    ["cost", summary.costUsd === null ? "" : `$${summary.costUsd.toFixed(2)}`],
    ["slowest", summary.slowest.map(({ taskId, ms }) => `${taskId} ${duration(ms)}`).join(", ")],
    [
      "contended",
      summary.contended
        .map((each) => `${each.resourceId} ${duration(each.waitMs)} in ${count(each.waits, "wait")}`)
        .join(", "),
    ],
  ];
  const { style } = out;
  const told = rows.filter(([, text]) => text !== "").map(([key, text]) => [style.dim(key), neutralise(text)]);
  return [style.bold(neutralise(report.workflowId)), ...table(told, { columns: out.columns(), indent: 2 })];
}

interface HistoryRow {
  readonly workflowId: string;
  readonly total: number;
  readonly live: number;
  readonly succeeded: number;
  readonly unsuccessful: number;
  readonly state: string | null;
  readonly makespanMs: number | null;
  readonly speedup: number | null;
}

const UNSUCCESSFUL: readonly TaskStatus[] = ["failed", "timed_out", "cancelled", "skipped"];

function history(view: StoreView): readonly HistoryRow[] {
  const rows = view.workflows(1_000).map(({ workflowId, total, live }) => {
    const note = readRunNote(view, workflowId);
    const row: HistoryRow = {
      workflowId,
      total,
      live,
      succeeded: view.count({ workflowId, statuses: ["succeeded"] }),
      unsuccessful: view.count({ workflowId, statuses: UNSUCCESSFUL }),
      state: note?.state ?? null,
      makespanMs: note?.summary?.makespanMs ?? null,
      speedup: note?.summary?.speedup ?? null,
    };
    return { row, startedAtMs: note?.startedAtMs ?? 0 };
  });
  return rows
    .toSorted((a, b) => b.startedAtMs - a.startedAtMs)
    .slice(0, LISTED)
    .map(({ row }) => row);
}

function historyLines(rows: readonly HistoryRow[], { out }: Surroundings): readonly string[] {
  if (rows.length === 0) return ["Nothing ran yet. Try: lockyard run PLAN"];
  const { style } = out;
  const cells = rows.map((row) => [
    neutralise(row.workflowId),
    `${row.succeeded} of ${row.total}`,
    row.unsuccessful > 0 ? style.red(String(row.unsuccessful)) : "-",
    row.live > 0 ? `${row.live} not ended` : (row.state ?? "ended"),
    row.makespanMs === null ? "-" : duration(row.makespanMs),
    row.speedup === null ? "-" : `${row.speedup.toFixed(1)}${style.signs.times}`,
  ]);
  const head = ["WORKFLOW", "SUCCEEDED", "NOT", "STATE", "TOOK", "SPEED-UP"].map(style.bold);
  return table(cells, { columns: out.columns(), head });
}

/** The text format of Prometheus: tasks by status, and what is held of every number. */
function prometheus(view: StoreView, root: string): string {
  const label = (text: string) => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  const statuses = [...LIVE_STATUSES, "succeeded" as const, ...UNSUCCESSFUL];
  const tasks = statuses.map((status) => `lockyard_tasks{status="${status}"} ${view.count({ statuses: [status] })}`);
  const counters = view.counters().filter(({ kind }) => kind === "capacity" || kind === "pool");
  const of = (what: "used" | "capacity") =>
    counters.map(
      (counter) => `lockyard_resource_${what}{resource="${label(resourceId(counter.node, root))}"} ${counter[what]}`,
    );
  const quarantined = view.tasks({ statuses: ["ending"], limit: 1_000 }).filter((row) => row.quarantined).length;
  return `${[
    "# HELP lockyard_tasks Tasks the store knows, by status.",
    "# TYPE lockyard_tasks gauge",
    ...tasks,
    "# HELP lockyard_quarantined Tasks that could not be stopped and hold their locks.",
    "# TYPE lockyard_quarantined gauge",
    `lockyard_quarantined ${quarantined}`,
    "# HELP lockyard_resource_used Units in use.",
    "# TYPE lockyard_resource_used gauge",
    ...of("used"),
    "# HELP lockyard_resource_capacity Units there are.",
    "# TYPE lockyard_resource_capacity gauge",
    ...of("capacity"),
  ].join("\n")}\n`;
}
