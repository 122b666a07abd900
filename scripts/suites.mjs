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
    suite("unit", 6 * MINUTE),
    ...(hasTests("test/contract") ? [suite("contract", 5 * MINUTE)] : []),
    ...simulation("sim-short", { ledger: "memory", seeds: 20, limitMs: MINUTE }),
  ];
}

/** Within 10 minutes together. */
export function allSteps() {
  return [
    ...quickSteps(),
    script("build", 2 * MINUTE, "scripts/build.mjs", "--if-stale"),
    ...simulation("sim-short-sqlite", { ledger: "sqlite", seeds: 20, limitMs: MINUTE }),
    ...(hasTests("test/stores") ? [suite("stores", 8 * MINUTE)] : []),
    ...(hasTests("test/sim") ? [suite("sim", 5 * MINUTE)] : []),
    ...(hasTests("test/cli") ? [suite("cli", 10 * MINUTE)] : []),
    ...(hasTests("test/mcp") ? [suite("mcp", 10 * MINUTE)] : []),
    ...(hasTests("test/zoo") ? [suite("zoo", 10 * MINUTE)] : []),
    counted("package-check", 5 * MINUTE, "scripts/package-check.mjs"),
    ...(hasTests("test/package") ? [suite("package", 8 * MINUTE)] : []),
  ];
}

/** Only CI has the time. */
export function longSteps() {
  return [
    // Real hosts from npm, against scripted models: Claude Code and Codex; with LOCKYARD_HOSTS=all Gemini and opencode.
    ...(hasTests("test/hosts") ? [suite("hosts", 10 * MINUTE)] : []),
    ...(hasTests("test/prove") ? [suite("prove", 10 * MINUTE)] : []),
    ...simulation("sim-long", { ledger: "memory", seeds: 4_000, limitMs: 10 * MINUTE }),
    ...simulation("sim-long-sqlite", { ledger: "sqlite", seeds: 800, limitMs: 10 * MINUTE }),
  ];
}

function simulation(name, { ledger, seeds, limitMs }) {
  const args = ["--ledger", ledger, "--seeds", String(seeds), "--seed", "1"];
  return exists("scripts/sim.mjs") ? [script(name, limitMs, "scripts/sim.mjs", ...args)] : [];
}
