// `npm run bench -- NAME [--data DIR] [--rounds N]`, `npm run bench -- --list`. The contract of a benchmark is at the head
// of bench/harness.ts. Prints a markdown table and one line per limit; exits 1 when a limit is missed.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { CACHE, ROOT } from "./once.mjs";

const MARK = "\u0001bench\u0001";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    list: { type: "boolean" },
    data: { type: "string" },
    rounds: { type: "string" },
    write: { type: "boolean" },
    case: { type: "string" },
    round: { type: "string" },
    help: { type: "boolean" },
  },
});

class BenchError extends Error {}

async function main() {
  const [name] = positionals;
  if (values.list) return printList();
  if (values.help || name === undefined) {
    console.log("npm run bench -- NAME [--data DIR] [--rounds N] [--write]\nnpm run bench -- --list");
    process.exitCode = name === undefined && !values.help ? 2 : 0;
    return;
  }
  const bench = await load(name);
  if (values.case !== undefined) return runCase(bench, values.case);
  if (bench.needsDist) build();
  const rounds = Number(values.rounds ?? bench.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new BenchError(`--rounds is ${values.rounds}; it must be a whole number from 1.`);
  const figures = runRounds(bench, rounds);
  const { lines, isMet } = report(bench, rounds, figures);
  console.log(lines.join("\n"));
  keep(bench, rounds, figures);
  if (values.write) writeSection(bench, lines);
  if (!isMet) process.exitCode = 1;
}

function benchNames() {
  const folder = path.join(ROOT, "bench");
  const files = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  // A benchmark is a file that exports one; what they share (the harness, peers) does not.
  return files.filter(
    (file) => file.endsWith(".ts") && /^export const bench\b/m.test(fs.readFileSync(path.join(folder, file), "utf8")),
  );
}

async function printList() {
  for (const file of benchNames().sort()) {
    const bench = await load(file.replace(/\.ts$/, ""));
    console.log(`${bench.name.padEnd(16)} ${bench.title}`);
  }
}

async function load(name) {
  if (!benchNames().includes(`${name}.ts`)) {
    throw new BenchError(
      `There is no bench/${name}.ts. There is: ${
        benchNames()
          .map((file) => file.replace(/\.ts$/, ""))
          .join(", ") || "none yet"
      }.`,
    );
  }
  const { bench } = await import(pathToFileURL(path.join(ROOT, "bench", `${name}.ts`)).href);
  return bench;
}

/** In the child: one case, once. Whatever it prints besides is passed by. */
async function runCase(bench, caseName) {
  const found = bench.cases.find((entry) => entry.name === caseName);
  const result = await found.run({ dataDir: values.data, round: Number(values.round) });
  fs.writeSync(1, `${MARK}${JSON.stringify(typeof result === "number" ? { "": result } : result)}\n`);
  // A case that left a timer or a pool open has given its figure all the same.
  process.exit(0);
}

/** @returns {Map<string, Map<string, number[]>>} case → figure → one number per round */
function runRounds(bench, rounds) {
  const figures = new Map(bench.cases.map(({ name }) => [name, new Map()]));
  for (let round = 0; round < rounds; round++) {
    const shift = round % bench.cases.length;
    for (const { name } of [...bench.cases.slice(shift), ...bench.cases.slice(0, shift)]) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[Kround ${round + 1}/${rounds} ${name}`);
      for (const [figure, value] of Object.entries(runInProcess(bench, name, round))) {
        const byFigure = figures.get(name);
        byFigure.set(figure, [...(byFigure.get(figure) ?? []), value]);
      }
    }
  }
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
  return figures;
}

function runInProcess(bench, caseName, round) {
  const args = [
    "--expose-gc",
    "--no-warnings",
    path.join(ROOT, "scripts", "bench.mjs"),
    bench.name,
    "--case",
    caseName,
  ];
  const data = values.data === undefined ? [] : ["--data", path.resolve(values.data)];
  const child = spawnSync(process.execPath, [...args, "--round", String(round), ...data], {
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const line = child.stdout?.split("\n").find((entry) => entry.startsWith(MARK));
  if (child.status !== 0 || line === undefined) {
    throw new BenchError(
      `Case "${caseName}" of ${bench.name} ended with ${child.status ?? child.signal} and gave no figure.`,
    );
  }
  return JSON.parse(line.slice(MARK.length));
}

function build() {
  const run = spawnSync(process.execPath, [path.join(ROOT, "scripts", "build.mjs"), "--if-stale"], {
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) throw new BenchError("The build failed; its errors are above.");
}

// --- Printing ---------------------------------------------------------------------------------------------------------

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function show(value) {
  const magnitude = Math.abs(value);
  const digits = magnitude >= 100 || Number.isInteger(value) ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** The table as it is printed, and whether every promise was kept. */
function report(bench, rounds, figures) {
  const medians = new Map(
    [...figures].map(([name, byFigure]) => [name, new Map([...byFigure].map(([key, all]) => [key, median(all)]))]),
  );
  const peer = bench.cases.find((entry) => entry.peer)?.name ?? bench.cases[0].name;
  const lines = [
    `## ${bench.name}: ${bench.title}`,
    "",
    `${machine()}, ${commit()}, ${new Date().toISOString().slice(0, 16)}Z, ${rounds} rounds, ${bench.measure}`,
    "",
    `| case | ${bench.unit}: median [min–max] | × ${peer} |`,
    "|---|---:|---:|",
  ];
  for (const [name, byFigure] of figures) {
    for (const [figure, all] of byFigure) {
      const middle = medians.get(name).get(figure);
      const base = medians.get(peer).get(figure);
      const ratio = base === undefined || base === 0 ? "" : (middle / base).toFixed(3);
      const label = figure === "" ? name : `${name} ${figure}`;
      lines.push(`| ${label} | ${show(middle)} [${show(Math.min(...all))}–${show(Math.max(...all))}] | ${ratio} |`);
    }
  }
  const outcomes = bench.limits.map((limit) => judge(limit, medians, bench.unit));
  lines.push("", ...outcomes.map(({ line }) => line));
  return { lines, isMet: outcomes.every(({ isMet }) => isMet) };
}

/** `--write`: the report takes the place of what stands between this benchmark's marks in docs/benchmarks.md. */
function writeSection(bench, lines) {
  const file = path.join(ROOT, "docs", "benchmarks.md");
  const text = fs.readFileSync(file, "utf8");
  const [open, close] = [`<!-- bench ${bench.name} -->`, `<!-- end ${bench.name} -->`];
  const [from, to] = [text.indexOf(open), text.indexOf(close)];
  if (from < 0 || to < from) throw new BenchError(`docs/benchmarks.md has no place for it: ${open} … ${close}.`);
  // The heading is the page's own; in Markdown a promise needs a line of its own.
  const [, , ...rest] = lines;
  const body = rest.map((line) => line.replace(/^(pass|MISS) {2}/, "- **$1** ")).join("\n");
  fs.writeFileSync(file, `${text.slice(0, from + open.length)}\n${body}\n${text.slice(to)}`);
}

function judge(limit, medians, unit) {
  const read = (name) => {
    const value = medians.get(name)?.get(limit.value ?? "");
    if (value === undefined)
      throw new BenchError(`"${limit.figure}" compares ${name} ${limit.value ?? ""}, which no case gives.`);
    return value;
  };
  const isRatio = limit.ratioOf !== undefined;
  const subject = read(limit.ratioOf ?? limit.differenceOf ?? limit.valueOf);
  const value = isRatio
    ? subject / read(limit.to)
    : limit.differenceOf === undefined
      ? subject
      : subject - read(limit.to);
  const isMet =
    value <= (limit.atMost ?? Number.POSITIVE_INFINITY) && value >= (limit.atLeast ?? Number.NEGATIVE_INFINITY);
  const suffix = isRatio ? "x" : ` ${unit}`;
  const bounds = [
    ...(limit.atMost === undefined ? [] : [`<= ${limit.atMost}${suffix}`]),
    ...(limit.atLeast === undefined ? [] : [`>= ${limit.atLeast}${suffix}`]),
  ];
  return {
    isMet,
    line: `${isMet ? "pass" : "MISS"}  ${limit.figure} ${bounds.join(" and ")}: ${show(value)}${suffix}`,
  };
}

function machine() {
  const [cpu] = os.cpus();
  const memory = Math.round(os.totalmem() / 2 ** 30);
  return `${cpu?.model.trim() ?? os.arch()} × ${os.availableParallelism()}, ${memory} GB, ${os.platform()} ${os.release()}, Node ${process.versions.node}`;
}

function commit() {
  const git = (...args) => spawnSync("git", args, { cwd: ROOT, encoding: "utf8" });
  const head = git("rev-parse", "--short", "HEAD");
  if (head.status !== 0) return "no commit";
  return `commit ${head.stdout.trim()}${git("status", "--porcelain").stdout.trim() === "" ? "" : " with changes"}`;
}

/** The rounds themselves, for whoever wants more than medians. */
function keep(bench, rounds, figures) {
  const folder = path.join(CACHE, "bench");
  fs.mkdirSync(folder, { recursive: true });
  const cases = Object.fromEntries([...figures].map(([name, byFigure]) => [name, Object.fromEntries(byFigure)]));
  const record = {
    name: bench.name,
    unit: bench.unit,
    machine: machine(),
    commit: commit(),
    at: new Date().toISOString(),
    rounds,
    cases,
  };
  fs.writeFileSync(path.join(folder, `${bench.name}.json`), `${JSON.stringify(record, null, 2)}\n`);
}

main().catch((error) => {
  process.stderr.write(`bench: ${error instanceof BenchError ? error.message : error.stack}\n`);
  process.exitCode = 2;
});
