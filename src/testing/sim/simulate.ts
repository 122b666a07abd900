/** Many seeds of one level, and what is said about them. */
import type { Clock } from "../../core/ports.ts";
import type { Level, SeedReport } from "./levels.ts";
import { Trace } from "./trace.ts";

/** From so many seeds on, an event that never happened is a failure. */
const ENOUGH_SEEDS = 1_000;
const LINES_SHOWN = 30;

export interface SimulateOptions {
  readonly seeds: number;
  readonly seed: number;
  readonly isTraced: boolean;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  /** How to run one seed again: `npm run sim -- --level kernel --ledger memory`. */
  readonly command: string;
}

export interface SimulateReport {
  readonly failed: readonly SeedReport[];
  readonly missing: readonly string[];
}

/** Stops at the tenth seed that fails: more of them say no more. */
const MOST_FAILURES = 10;

export async function simulate(level: Level, options: SimulateOptions): Promise<SimulateReport> {
  const { seeds, seed: first, say, clock } = options;
  const failed: SeedReport[] = [];
  const startedMs = clock.nowMs();
  let ran = 0;
  for (let seed = first; seed < first + seeds && failed.length < MOST_FAILURES; seed++) {
    const report = await runSafely(level, seed);
    ran++;
    if (options.isTraced) for (const line of report.trace.lines) say(line);
    if (options.isTraced) say(`seed ${seed}: trace ${report.trace.fingerprint()}, ${report.trace.lines.length} lines`);
    if (report.violations.length === 0) continue;
    failed.push(report);
    describeFailure(report, options);
  }
  const seconds = Math.max(0.001, (clock.nowMs() - startedMs) / 1_000);
  const missing = level.catalogue.missing().filter((name) => !level.excused.has(name));
  const isComplete = missing.length === 0;
  const bound = ran === 0 || failed.length > 0 ? "" : ` (< ${Math.min(100, 300 / ran).toPrecision(2)} % at 95 %)`;
  const known = level.catalogue.size - level.excused.size;
  const sometimes = isComplete ? `all of ${known}` : `${known - missing.length} of ${known}`;
  say(
    `${level.name}: ${ran} seeds, ${failed.length} violations${bound}, sometimes: ${sometimes}, ${(ran / seconds).toFixed(0)} seeds/s`,
  );
  const isLong = seeds >= ENOUGH_SEEDS;
  if (isLong && !isComplete && failed.length === 0)
    for (const name of missing) say(`${level.name}: never happened: ${name}`);
  return { failed, missing: isLong ? missing : [] };
}

/** Whatever is thrown, also by the simulation itself, is a failure of that seed. */
async function runSafely(level: Level, seed: number): Promise<SeedReport> {
  try {
    return await level.run(seed);
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { seed, violations: [{ rule: "crash", what }], trace: new Trace() };
  }
}

function describeFailure({ seed, violations, trace }: SeedReport, { say, command }: SimulateOptions): void {
  for (const line of trace.last(LINES_SHOWN)) say(line);
  for (const { rule, what } of violations.slice(0, 5)) say(`VIOLATION ${rule}: ${what}`);
  say(`seed ${seed}, step ${trace.lines.length}. Again: ${command} --seeds 1 --seed ${seed} --trace`);
}
