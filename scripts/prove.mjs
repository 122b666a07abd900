// `node scripts/dev.mjs prove -- [--long] [FILE...]`: the proofs over real processes, with their counts. `--long` is the
// form whose counts stand in GUARANTEES.md: one after another, for half an hour and more.
import { spawnSync } from "node:child_process";
import { ROOT } from "./once.mjs";

const args = process.argv.slice(2);
const isLong = args.includes("--long");
const files = args.filter((argument) => argument !== "--long");
const vitest = ["node_modules/vitest/vitest.mjs", "run", "--project", "prove"];
const { status } = spawnSync(process.execPath, [...vitest, ...(isLong ? ["--no-file-parallelism"] : []), ...files], {
  cwd: ROOT,
  stdio: "inherit",
  env: { ...process.env, ...(isLong ? { LOCKYARD_PROOFS: "long" } : {}) },
});
process.exitCode = status ?? 1;
