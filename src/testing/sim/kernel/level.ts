/** The kernel level: simulated processes against the production ledgers, turn by turn. */
import type { Level } from "../levels.ts";
import { MemorySimStore } from "../memory-sim-store.ts";
import { SqliteSimFile } from "../sqlite-sim-store.ts";
import { newKernelCatalogue, runKernelSeed } from "./run.ts";

const ON_MEMORY = new Map([["turn undone by a full disk", "memory has no disk"]]);
const ON_SQLITE = new Map([
  ["turn undone by a broken invariant", "injected on the memory ledger only"],
  ["command refused as a bug", "injected on the memory ledger only"],
]);

export function kernelLevel(ledger: "memory" | "sqlite"): Level {
  const catalogue = newKernelCatalogue();
  if (ledger === "memory") {
    const run: Level["run"] = (seed) => runKernelSeed(seed, new MemorySimStore(), catalogue);
    return { name: "kernel", catalogue, excused: ON_MEMORY, run, close: () => undefined };
  }
  const file = new SqliteSimFile();
  const run: Level["run"] = (seed) => {
    const store = file.openStore();
    try {
      return runKernelSeed(seed, store, catalogue);
    } finally {
      store.close();
    }
  };
  return { name: "kernel", catalogue, excused: ON_SQLITE, run, close: () => file.close() };
}
