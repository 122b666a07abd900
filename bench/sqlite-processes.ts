/** Several processes that run no-op tasks through the library on one file, and what came of it. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ProcessFigures } from "./workers/sqlite-process.ts";

export const SECONDS = 4;
const CONCURRENCY = 25;
/** Longer than any of them may take: a process that hangs fails the bench, it does not stop it. */
const LIMIT_MS = 120_000;

type Figures = Readonly<Record<string, number>>;

/** Starts them, waits until all are open and warm, lets them run at the same time. */
export async function processes(count: number, file: string, tier: "process" | "power" = "process"): Promise<Figures> {
  const script = fileURLToPath(new URL("./workers/sqlite-process.ts", import.meta.url));
  const children = Array.from({ length: count }, () =>
    fork(script, [file, String(CONCURRENCY), tier], { execArgv: ["--no-warnings"] }),
  );
  try {
    await Promise.all(children.map((child) => answer(child)));
    const all = (await Promise.all(children.map((child) => answer(child, SECONDS)))) as ProcessFigures[];
    const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once("exit", resolve))));
    for (const child of children) child.send("end");
    await ended;
    return summed(all);
  } finally {
    for (const child of children) child.kill("SIGKILL");
  }
}

function summed(all: readonly ProcessFigures[]): Figures {
  const rates = all.map(({ tasks, seconds }) => tasks / seconds);
  const perSecond = rates.reduce((sum, rate) => sum + rate, 0);
  const tasks = all.reduce((sum, one) => sum + one.tasks, 0);
  const turnsMs = all.flatMap((one) => one.turnsMs).sort((a, b) => a - b);
  return {
    "tasks/s": perSecond,
    "slowest share": Math.min(...rates) / (perSecond / all.length),
    "turn p50 ms": turnsMs[Math.floor(turnsMs.length * 0.5)] ?? 0,
    "turn p99.9 ms": turnsMs[Math.floor(turnsMs.length * 0.999)] ?? 0,
    "tasks a turn": tasks / Math.max(1, turnsMs.length),
    "CPU µs/task": (all.reduce((sum, one) => sum + one.cpuMs, 0) * 1_000) / Math.max(1, tasks),
  };
}

/** Says something, or nothing, and waits for what comes back. */
function answer(child: ChildProcess, message?: number): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`a process did not answer within ${LIMIT_MS} ms`)), LIMIT_MS);
    const onExit = (code: number | null): void => {
      clearTimeout(limit);
      reject(new Error(`a process of the bench ended with ${code}`));
    };
    child.once("exit", onExit);
    child.once("message", (given) => {
      clearTimeout(limit);
      child.removeListener("exit", onExit);
      resolve(given);
    });
    if (message !== undefined) child.send(message);
  });
}
