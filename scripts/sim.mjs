// `npm run sim -- --seeds N --seed S`: the production kernel and manager in simulated worlds, judged by a monitor with
// books of its own. Exits 1 when a seed violates an invariant, or when a long run never saw something it must have seen.
import { parseArgs } from "node:util";
import { systemClock } from "../src/clock/system-clock.ts";
import { kernelLevel } from "../src/testing/sim/kernel/level.ts";
import { managerLevel } from "../src/testing/sim/manager/level.ts";
import { simulate } from "../src/testing/sim/simulate.ts";

const LEVELS = { kernel: kernelLevel, manager: managerLevel };
const USAGE = `npm run sim -- [--seeds N] [--seed S] [--ledger memory|sqlite] [--level ${Object.keys(LEVELS).join("|")}] [--trace]

  --seeds N    how many worlds (default 200); from 1,000 on, events that never happened are a failure
  --seed S     the first of them (default 1); one seed gives the same trace every time
  --ledger L   of the kernel level: memory (default) or sqlite, several connections to one file
  --level L    only this level
  --trace      prints everything that happens`;

class UsageError extends Error {}

function readOptions() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "200" },
      seed: { type: "string", default: "1" },
      ledger: { type: "string", default: "memory" },
      level: { type: "string" },
      trace: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  const whole = (name) => {
    const value = Number(values[name]);
    if (!Number.isSafeInteger(value) || value < 0)
      throw new UsageError(`--${name} is ${values[name]}; it must be a whole number.`);
    return value;
  };
  if (values.ledger !== "memory" && values.ledger !== "sqlite")
    throw new UsageError(`--ledger is ${values.ledger}; it must be memory or sqlite.`);
  if (values.level !== undefined && LEVELS[values.level] === undefined)
    throw new UsageError(`--level is ${values.level}; it must be ${Object.keys(LEVELS).join(" or ")}.`);
  const levels = values.level === undefined ? Object.keys(LEVELS) : [values.level];
  return {
    seeds: whole("seeds"),
    seed: whole("seed"),
    ledger: values.ledger,
    levels,
    isTraced: values.trace,
    isHelp: values.help,
  };
}

async function main() {
  const { ledger, levels, isHelp, ...options } = readOptions();
  if (isHelp) return console.log(USAGE);
  for (const name of levels) {
    const level = LEVELS[name](ledger);
    try {
      const command = `npm run sim -- --level ${name} --ledger ${ledger}`;
      const report = await simulate(level, {
        ...options,
        command,
        clock: systemClock(),
        say: (line) => console.log(line),
      });
      if (report.failed.length > 0 || report.missing.length > 0) process.exitCode = 1;
    } finally {
      level.close();
    }
  }
}

main().catch((error) => {
  const isUsage = error instanceof UsageError || String(error?.code).startsWith("ERR_PARSE_ARGS");
  console.error(isUsage ? `${error.message}\n\n${USAGE}` : error);
  process.exitCode = isUsage ? 2 : 1;
});
