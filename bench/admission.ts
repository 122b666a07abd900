/**
 * The admission rule on a stream of tasks with hierarchical names, units and limits, beside all-or-nothing FIFO with
 * skipping, in virtual time: repeats exactly for a seed. With `--data` the lengths are those of real coding-agent runs.
 */
import { type RunFigures, throughFifoSkip, throughKernel } from "./admission-runs.ts";
import type { Bench } from "./harness.ts";
import { mixedStream } from "./streams.ts";

const TASKS = 15_000;
/** A task of predicted length p is ranked as if it had come four lengths later, but never more than eight mean lengths. */
const STRETCH = 4;
const LATEST_MS = 8_000;

const at = (round: number, dataDir: string | undefined) => mixedStream(round + 1, TASKS, dataDir);

export const bench: Bench = {
  name: "admission",
  title: `mean and longest wait, ${TASKS.toLocaleString("en")} tasks, load 0.75 of 8 slots`,
  unit: "ms",
  measure: "count",
  rounds: 5,
  cases: [
    {
      name: "fifo-skip",
      peer: true,
      run: async ({ round, dataDir }): Promise<RunFigures> => throughFifoSkip(at(round, dataDir)),
    },
    {
      name: "lockyard fifo",
      run: async ({ round, dataDir }): Promise<RunFigures> =>
        throughKernel(at(round, dataDir), (task) => task.atMs, 50),
    },
    {
      name: "lockyard",
      run: async ({ round, dataDir }): Promise<RunFigures> =>
        throughKernel(at(round, dataDir), (task) => task.atMs + Math.min(STRETCH * task.predictedMs, LATEST_MS), 50),
    },
  ],
  limits: [
    { figure: "mean wait", value: "meanMs", ratioOf: "lockyard", to: "fifo-skip", atMost: 0.95 },
    { figure: "longest wait", value: "maxMs", ratioOf: "lockyard", to: "fifo-skip", atMost: 1.2 },
    { figure: "tasks lost", value: "lost", valueOf: "lockyard", atMost: 0 },
    { figure: "invariants broken", value: "violations", valueOf: "lockyard", atMost: 0 },
  ],
};
