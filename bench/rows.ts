/**
 * Rows suffice: a process that lives for one command reads what it touches and nothing else, however full the store is.
 * Cold start to exit over a bare node, and the throughput of one and four processes, on a store with 100,000 live tasks
 * and 1,000,000 finished ones (full-store.ts). Wall time.
 *
 * "hot": the name it reads is wanted by half of those who wait. "inside" is the part after Node and our code were loaded.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bareNodeMs, bundled, coldMs } from "./cold-start.ts";
import { FINISHED, fullStore, LIVE } from "./full-store.ts";
import type { Bench } from "./harness.ts";
import { processes } from "./sqlite-processes.ts";

type Figures = Readonly<Record<string, number>>;

function exec(storeFile: string, name: string): Promise<Figures> {
  return bundled("exec-process.ts", (script) => {
    const ms = coldMs([script, storeFile, name]);
    const inside = Array.from({ length: 9 }, () =>
      Number(spawnSync(process.execPath, [script, storeFile, name], { encoding: "utf8" }).stdout),
    );
    return { ms, inside: inside.sort((a, b) => a - b)[4] ?? 0 };
  });
}

async function onCopy<T>(use: (file: string) => Promise<T>, isEmpty: boolean): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-"));
  const file = join(folder, "store.db");
  try {
    if (!isEmpty) copyFileSync(await fullStore(), file);
    return await use(file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  name: "rows",
  title: `one command on a store with ${LIVE.toLocaleString("en")} live and ${FINISHED.toLocaleString("en")} finished tasks`,
  unit: "figure",
  measure: "wall",
  rounds: 5,
  cases: [
    { name: "bare node", peer: true, run: async () => ({ ms: bareNodeMs() }) },
    { name: "exec, empty store", run: () => onCopy((file) => exec(file, "free"), true) },
    { name: "exec, full store", run: async () => exec(await fullStore(), "free") },
    { name: "exec, full store, hot name", run: async () => exec(await fullStore(), "hot") },
    { name: "1 process, full store", run: () => onCopy((file) => processes(1, file), false) },
    { name: "4 processes, full store", run: () => onCopy((file) => processes(4, file), false) },
  ],
  limits: [
    {
      figure: "P9 one command over a bare node",
      value: "ms",
      differenceOf: "exec, full store",
      to: "bare node",
      atMost: 150,
    },
    {
      figure: "P9 the same, hot name",
      value: "ms",
      differenceOf: "exec, full store, hot name",
      to: "bare node",
      atMost: 150,
    },
    {
      figure: "four processes against one",
      value: "tasks/s",
      ratioOf: "4 processes, full store",
      to: "1 process, full store",
      atLeast: 0.9,
    },
  ],
};
