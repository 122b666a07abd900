/** Random programs of several processes on one store, killed and stopped as they go: every counter is exact afterwards. */
import { type ChildProcess, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import { seededRandom } from "../../src/clock/virtual-clock.ts";
import { judgeOwners, OwnerJudge } from "../../src/process/owner-judge.ts";
import { openSqliteStore } from "../../src/stores/sqlite/index.ts";
import { LIMIT_MS, sized } from "./form.ts";
import { usePlaces } from "./places.ts";
import { COUNTERS } from "./program.ts";

const WORKER = fileURLToPath(new URL("./program-worker.ts", import.meta.url));
const PROGRAMS = sized({ short: 20, long: 200 });
const PROCESSES = 4;
/** Entries between two faults, so that a slow machine sees no more of them than a fast one. */
const FAULT_EVERY = 15;
const LOOK_MS = 20;
const SEED = 5;

const places = usePlaces();
const living = new Map<string, ChildProcess>();
let weather: NodeJS.Timeout | undefined;
afterEach(() => {
  clearInterval(weather);
  for (const child of living.values()) child.kill("SIGKILL");
});

/** Runs programs until so many have completed. */
async function runPrograms(place: string): Promise<Readonly<Record<string, number>>> {
  const random = seededRandom(SEED);
  const counts = { started: 0, kills: 0, stops: 0 };
  const errors: string[] = [];
  const killed = new Set<string>();
  const completed = (): number => linesOf(place, "completed").length;
  let nextAt = FAULT_EVERY;
  const strike = (): void => {
    const entries = linesOf(place, "journal").length;
    if (entries < nextAt) return;
    nextAt = entries + FAULT_EVERY * (0.5 + random());
    const [name, child] = [...living][Math.floor(random() * living.size)] ?? [];
    if (name === undefined) return;
    if (random() < 0.5) {
      counts.kills++;
      killed.add(name);
      child?.kill("SIGKILL");
    } else {
      counts.stops++;
      child?.kill("SIGSTOP");
      setTimeout(() => child?.kill("SIGCONT"), 20 + random() * 300);
    }
  };
  await new Promise<void>((resolve, reject) => {
    const start = (): void => {
      const name = `program${counts.started++}`;
      const args = ["--no-warnings", WORKER, place, name, String(SEED * 10_000 + counts.started)];
      const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
      living.set(name, child);
      child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
      child.once("close", (code) => {
        living.delete(name);
        if (!killed.has(name) && code !== 0) reject(new Error(`${name} ended with ${code}: ${errors.join("\n")}`));
        else if (completed() + living.size < PROGRAMS) start();
        else if (living.size === 0) resolve();
      });
    };
    for (let count = 0; count < PROCESSES; count++) start();
    weather = setInterval(strike, LOOK_MS);
  });
  clearInterval(weather);
  return { ...counts, completed: completed() };
}

function linesOf(place: string, file: string): readonly string[] {
  const full = path.join(place, file);
  return fs.existsSync(full) ? fs.readFileSync(full, "utf8").split("\n").slice(0, -1) : [];
}

test(
  "random programs end as worked out beforehand, and their counters are exact after processes were killed and stopped",
  async () => {
    const place = places.make();
    const chaos = await runPrograms(place);
    expect(linesOf(place, "faults")).toEqual([]);
    expect(chaos.completed).toBeGreaterThanOrEqual(PROGRAMS);

    // No entry twice, none overwritten: what the journal has, the counter has; what was acknowledged, both have.
    const entries = new Set<string>();
    for (const counter of COUNTERS) {
      const ids = linesOf(place, counter);
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) entries.add(`${counter}:${id}`);
    }
    const journal = linesOf(place, "journal").map((line) => line.replace(" ", ":"));
    expect(journal.filter((entry) => !entries.has(entry))).toEqual([]);
    // Whoever was killed between the two had written one entry that the journal has not.
    expect(entries.size - journal.length).toBeGreaterThanOrEqual(0);
    expect(entries.size - journal.length).toBeLessThanOrEqual((chaos.kills ?? 0) * 4);
    const results = linesOf(place, "results").map((line) => line.split(" "));
    const acknowledged = results.flatMap(([, , ...own]) => own);
    expect(acknowledged.filter((entry) => !entries.has(entry))).toEqual([]);
    expect(new Set(acknowledged).size).toBe(acknowledged.length);

    // The store knows every result it acknowledged, and nobody is left in it.
    const clock = systemClock();
    const store = await openSqliteStore({ file: path.join(place, "store.db"), clock });
    const judge = new OwnerJudge({ clock });
    await judgeOwners({ store, clock, judge });
    const lost = store.view((view) =>
      results.filter(([id = "", status]) => {
        const [workflowId = "", taskId = ""] = id.split("/");
        return view.task(workflowId, taskId)?.status !== status;
      }),
    );
    const left = store.view((view) => ({
      rows: view.tasks({}).length,
      holds: view.holds({}).length,
      owners: view.owners().length,
    }));
    await store.close();
    places.note("programs", { seed: SEED, counts: { ...chaos, entries: entries.size, results: results.length } });
    expect(lost).toEqual([]);
    expect(left).toEqual({ rows: 0, holds: 0, owners: 0 });
  },
  LIMIT_MS,
);
