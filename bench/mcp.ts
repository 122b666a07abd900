/**
 * How long a host waits for a server it starts: from the start to the answer of its first call, the handshake and the list of
 * tools included. `status` opens the store and looks at it. The least server of the protocol's own SDK stands beside it.
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundled } from "./cold-start.ts";
import type { Bench } from "./harness.ts";

const ENTRY = fileURLToPath(new URL("../bin/lockyard.js", import.meta.url));
const RUNS = 9;

const HANDSHAKE = [
  {
    id: 1,
    method: "initialize",
    params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
  },
  { method: "notifications/initialized" },
  { id: 2, method: "tools/list" },
  { id: 3, method: "tools/call", params: { name: "status", arguments: {} } },
];

interface Ready {
  /** Milliseconds to the list of tools: from then on a host may call. */
  readonly ready: number;
  /** Milliseconds to the answer of the first call. */
  readonly answered: number;
}

function start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const startMs = performance.now();
    const child = spawn(process.execPath, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "ignore"] });
    let text = "";
    let ready = 0;
    child.stdout.setEncoding("utf8").on("data", (piece: string) => {
      text += piece;
      if (ready === 0 && text.includes('"id":2')) ready = performance.now() - startMs;
      if (!text.includes('"id":3')) return;
      resolve({ ready, answered: performance.now() - startMs });
      child.stdin.end();
    });
    child.once("error", reject).once("exit", (code) => reject(new Error(`ended with ${code}: ${text.slice(0, 200)}`)));
    for (const message of HANDSHAKE) child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
  });
}

/** Medians, after one start that warms the caches of files and compiled code. */
async function medians(args: readonly string[]): Promise<Readonly<Record<string, number>>> {
  const folder = mkdtempSync(join(tmpdir(), "lockyard-bench-mcp-"));
  try {
    const env = { LOCKYARD_STORE: join(folder, "store.db"), HOME: folder };
    await start(args, env);
    const all: Ready[] = [];
    for (let run = 0; run < RUNS; run++) all.push(await start(args, env));
    const median = (of: (each: Ready) => number) => all.map(of).sort((a, b) => a - b)[RUNS >> 1] ?? 0;
    return { ready: median(({ ready }) => ready), "first call": median(({ answered }) => answered) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export const bench: Bench = {
  name: "mcp",
  title: "a server that a host starts",
  unit: "ms",
  measure: "wall",
  rounds: 3,
  needsDist: true,
  cases: [
    { name: "SDK alone", peer: true, run: () => bundled("bare-mcp.ts", (file) => medians([file])) },
    { name: "lockyard mcp", run: () => medians([ENTRY, "mcp"]) },
  ],
  limits: [{ figure: "ready for its first call", valueOf: "lockyard mcp", value: "ready", atMost: 400 }],
};
