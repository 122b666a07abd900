// Which steps there are. A step whose files do not exist yet is not listed.
import { counted, exists, hasTests, script, suite } from "./steps.mjs";

const MINUTE = 60_000;

const colors = process.stdout.isTTY ? "--colors=force" : "--colors=off";
const biome = (...args) => script("lint", MINUTE, "node_modules/@biomejs/biome/bin/biome", ...args, colors);

/** Under a minute together. */
export function quickSteps() {
  return [
    biome("ci", "--error-on-warnings", "--max-diagnostics=50"),
    counted("types", 2 * MINUTE, "scripts/types.mjs"),
    script("unused", MINUTE, "node_modules/knip/bin/knip.js", "--no-config-hints"),
    suite("unit", 3 * MINUTE),
    ...(hasTests("test/contract") ? [suite("contract", 3 * MINUTE)] : []),
    ...simulation("sim-short", 20, MINUTE),
  ];
}

/** Within 10 minutes together. */
export function allSteps() {
  return [
    ...quickSteps(),
    script("build", 2 * MINUTE, "scripts/build.mjs", "--if-stale"),
    ...(hasTests("test/sim") ? [suite("sim", 5 * MINUTE)] : []),
    ...(hasTests("test/cli") ? [suite("cli", 5 * MINUTE)] : []),
    counted("package-check", 5 * MINUTE, "scripts/package-check.mjs"),
    ...(hasTests("test/package") ? [suite("package", 5 * MINUTE)] : []),
  ];
}

/** Only CI has the time. */
export function longSteps() {
  return [...simulation("sim-long", 5_000, 15 * MINUTE)];
}

function simulation(name, seeds, limitMs) {
  return exists("scripts/sim.mjs")
    ? [script(name, limitMs, "scripts/sim.mjs", "--seeds", String(seeds), "--seed", "1")]
    : [];
}
