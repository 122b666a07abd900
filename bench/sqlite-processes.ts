/** Several processes that run no-op tasks through the library on one file, and what came of it. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProcessFigures } from "./workers/sqlite-process.ts";

export const SECONDS = 4;
const CONCURRENCY = 25;
/** For a process to load, open the store and warm up. */
const START_UP_MS = 4_000;

type Figures = Readonly<Record<string, number>>;

export async function processes(count: number, file: string): Promise<Figures> {
  const startAtMs = Date.now() + START_UP_MS;
  const args = [file, String(startAtMs), String(startAtMs + SECONDS * 1_000), String(CONCURRENCY)];
  const all = await Promise.all(Array.from({ length: count }, () => child(args)));
  const rates = all.map(({ tasks, seconds }) => tasks / seconds);
  const total = rates.reduce((sum, rate) => sum + rate, 0);
  const turnsMs = all.flatMap((one) => one.turnsMs).sort((a, b) => a - b);
  const fair = total / count;
  return {
    "tasks/s": total,
    "slowest share": Math.min(...rates) / fair,
    "turn p50 ms": turnsMs[Math.floor(turnsMs.length * 0.5)] ?? 0,
    "turn p99.9 ms": turnsMs[Math.floor(turnsMs.length * 0.999)] ?? 0,
    "tasks a turn": all.reduce((sum, { tasks }) => sum + tasks, 0) / turnsMs.length,
  };
}

function child(args: readonly string[]): Promise<ProcessFigures> {
  const script = fileURLToPath(new URL("./workers/sqlite-process.ts", import.meta.url));
  const started = spawn(process.execPath, ["--no-warnings", script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  started.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  return new Promise((resolve, reject) => {
    started.on("error", reject);
    started.on("close", (code) => {
      if (code === 0) resolve(JSON.parse(output) as ProcessFigures);
      else reject(new Error(`a process of the bench ended with ${code}`));
    });
  });
}
