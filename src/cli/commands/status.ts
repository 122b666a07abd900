/** `lockyard status`. */
import { IsoTimes } from "../../edges/basics.ts";
import type { Clock } from "../../index.ts";
import { EXIT, type ExitCode } from "../exit-codes.ts";
import { lookAtSessions } from "../look/session-look.ts";
import { lockLines, statusLines } from "../look/status-lines.ts";
import { type StatusReport, statusReport } from "../look/status-report.ts";
import { workspaceRoot } from "../look/workspace.ts";
import type { StatusOptions } from "../program.ts";
import { freeWhatTheDeadHeld } from "../store/remains.ts";
import { noStoreText, openShared, type SharedStore } from "../store/shared-store.ts";
import type { Surroundings } from "../surroundings.ts";
import { LiveRegion } from "../terminal/live-region.ts";

export async function statusCommand(options: StatusOptions, surroundings: Surroundings): Promise<ExitCode> {
  const { out } = surroundings;
  const shared = await openShared(options, surroundings);
  if ("none" in shared) {
    if (options.json === true) out.json({ ...EMPTY, location: shared.location, none: shared.none });
    else out.line(noStoreText(shared));
    return EXIT.ok;
  }
  try {
    const look = () => reportOf(shared, options, surroundings);
    if (options.watch === true) await watch(shared, look, { options, surroundings });
    else if (options.json === true) out.json(jsonOf(await look(), shared.clock));
    else out.lines(linesOf(await look(), options, surroundings));
    return EXIT.ok;
  } finally {
    await shared.store.close();
  }
}

const EMPTY = {
  type: "status",
  running: [],
  waiting: [],
  paused: [],
  sessions: [],
  overlaps: [],
  locks: [],
  resources: [],
};

async function reportOf(
  { store, clock }: SharedStore,
  options: StatusOptions,
  { cwd }: Surroundings,
): Promise<StatusReport> {
  const root = workspaceRoot(cwd);
  const withLocks = options.locks === true || options.json === true;
  const sessions = await lookAtSessions(store, { wallMs: clock.wallMs(), root });
  const context = { location: store.location, nowMs: clock.nowMs(), root, withLocks, sessions };
  return store.view((view) => statusReport(view, context));
}

function jsonOf(report: StatusReport, clock: Clock) {
  return { type: "status", at: new IsoTimes(clock).text(clock.nowMs()), ...report };
}

function linesOf(report: StatusReport, options: StatusOptions, { out }: Surroundings): readonly string[] {
  const how = { style: out.style, columns: out.columns() };
  return options.locks === true ? lockLines(report, how) : statusLines(report, how);
}

const LOOK_MS = 500;
/** Looks between two looks for dead processes. */
const JUDGE_EVERY = 4;

interface WatchContext {
  readonly options: StatusOptions;
  readonly surroundings: Surroundings;
}

/** Until Ctrl-C, or until nobody reads: redrawn in place on a terminal, else printed whenever something changed. */
async function watch(
  { store, clock }: SharedStore,
  look: () => Promise<StatusReport>,
  { options, surroundings }: WatchContext,
): Promise<void> {
  const { out } = surroundings;
  const region = options.json !== true && out.capabilities.isInteractive ? new LiveRegion(out) : null;
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  let shown = "";
  try {
    for (let looks = 1; !stop.signal.aborted && !out.isGone; looks++) {
      const report = await look();
      const text = changing(report);
      if (region !== null) region.draw(linesOf(report, options, surroundings));
      else if (text !== shown && options.json === true) out.json(jsonOf(report, clock));
      else if (text !== shown) out.lines([...(shown === "" ? [] : [""]), ...linesOf(report, options, surroundings)]);
      shown = text;
      await pause(clock, LOOK_MS, stop.signal);
      if (looks % JUDGE_EVERY === 0) await freeWhatTheDeadHeld(store, clock);
    }
  } finally {
    process.removeListener("SIGINT", onSignal).removeListener("SIGTERM", onSignal);
    region?.close();
  }
}

/** What makes a look differ from the one before; that time passed does not. */
function changing({ running, waiting, paused, sessions, overlaps, counts }: StatusReport): string {
  return JSON.stringify([
    paused,
    sessions.map(({ sessionId, name, isInTurn, holds }) => [sessionId, name, isInTurn, holds]),
    overlaps,
    running.map(({ workflowId, taskId, status, quarantined, question }) => [
      workflowId,
      taskId,
      status,
      quarantined,
      question,
    ]),
    waiting.map(({ workflowId, taskId, blockedBy, position }) => [
      workflowId,
      taskId,
      position,
      blockedBy.map((each) => each.taskId),
    ]),
    counts,
  ]);
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      timer.cancel();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = clock.setTimer(ms, done);
    if (signal.aborted) done();
    else signal.addEventListener("abort", done, { once: true });
  });
}
