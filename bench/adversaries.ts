/**
 * Four streams that starve a victim for ever under plain skipping: a wide claim among narrow ones, a writer among readers,
 * one that wants all units, one behind a limit of its own. Virtual time; repeats exactly for a seed.
 */
import { type RunFigures, throughFifoSkip, throughKernel } from "./admission-runs.ts";
import type { Bench } from "./harness.ts";
import { ADVERSARIES, adversaryStream, type Stream } from "./streams.ts";

const TASKS = 3_000;

const worst = (round: number, run: (stream: Stream) => RunFigures): RunFigures =>
  ADVERSARIES.map((kind) => run(adversaryStream(kind, round + 1, TASKS))).reduce((a, b) => ({
    meanMs: Math.max(a.meanMs, b.meanMs),
    p99Ms: Math.max(a.p99Ms, b.p99Ms),
    maxMs: Math.max(a.maxMs, b.maxMs),
    maxPassed: Math.max(a.maxPassed, b.maxPassed),
    lost: a.lost + b.lost,
    violations: a.violations + b.violations,
  }));

export const bench: Bench = {
  name: "adversaries",
  title: `worst of four adversaries, ${TASKS.toLocaleString("en")} tasks each`,
  unit: "ms",
  measure: "count",
  rounds: 3,
  cases: [
    { name: "fifo-skip", peer: true, run: async ({ round }): Promise<RunFigures> => worst(round, throughFifoSkip) },
    {
      name: "lockyard",
      run: async ({ round }): Promise<RunFigures> =>
        worst(round, (stream) => throughKernel(stream, (task) => task.atMs, 20)),
    },
  ],
  limits: [
    { figure: "L4 passes", value: "maxPassed", valueOf: "lockyard", atMost: 16 },
    { figure: "longest wait", value: "maxMs", ratioOf: "lockyard", to: "fifo-skip", atMost: 0.1 },
    { figure: "tasks lost", value: "lost", valueOf: "lockyard", atMost: 0 },
    { figure: "invariants broken", value: "violations", valueOf: "lockyard", atMost: 0 },
  ],
};
