/**
 * P9: from pressing enter to the end of the command, over a bare node, on a store with 100,000 live tasks and 1,000,000
 * finished ones. The built command line, started directly, with Node's compile cache warm; median of 15 starts a round.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { bareNodeMs, coldMs } from "./cold-start.ts";
import { FINISHED, fullStore, LIVE } from "./full-store.ts";
import type { Bench } from "./harness.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));

function lockyard(...args: readonly string[]): number {
  return coldMs([`${ROOT}bin/lockyard.js`, ...args], { NO_COLOR: "1" });
}

/** What `npm pack` would upload, in KB. */
function tarballKb(): number {
  const { stdout, status } = spawnSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`npm pack ended with ${status}`);
  const parsed = JSON.parse(stdout) as
    | readonly { readonly size: number }[]
    | Readonly<Record<string, { readonly size: number }>>;
  // A list from npm 7 to 11, keyed by name from 12.
  const size = Array.isArray(parsed) ? parsed[0]?.size : Object.values(parsed)[0]?.size;
  if (size === undefined) throw new Error("npm pack did not tell a size");
  return size / 1_000;
}

export const bench: Bench = {
  name: "cold",
  title: `commands on a store with ${LIVE.toLocaleString("en")} live and ${FINISHED.toLocaleString("en")} finished tasks`,
  unit: "ms (KB for the package)",
  measure: "wall",
  rounds: 5,
  needsDist: true,
  cases: [
    { name: "bare node", peer: true, run: async () => bareNodeMs() },
    { name: "lockyard --version", run: async () => lockyard("--version") },
    { name: "lockyard status", run: async () => lockyard("status", "--store", await fullStore()) },
    {
      name: "lockyard exec -- true",
      run: async () => lockyard("exec", "--store", await fullStore(), "--use", "build", "--", "true"),
    },
    { name: "package", run: async () => tarballKb() },
  ],
  limits: [
    { figure: "P9 --version over a bare node", differenceOf: "lockyard --version", to: "bare node", atMost: 60 },
    { figure: "P9 status over a bare node", differenceOf: "lockyard status", to: "bare node", atMost: 100 },
    { figure: "P9 exec over a bare node", differenceOf: "lockyard exec -- true", to: "bare node", atMost: 150 },
    { figure: "P9 package", valueOf: "package", atMost: 600 },
  ],
};
