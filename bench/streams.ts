/** Streams of tasks for the admission benches: arrival, length, predicted length, claims. Seeded; real sizes when given. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { seededRandom } from "../src/clock/virtual-clock.ts";

export interface StreamClaim {
  readonly node: string;
  /** 1 shared, 2 exclusive, 3 units. */
  readonly mode: 1 | 2 | 3;
  readonly units: number;
}
export interface StreamTask {
  readonly id: number;
  readonly atMs: number;
  readonly runMs: number;
  readonly predictedMs: number;
  readonly claims: readonly StreamClaim[];
  /** Index of an agent limit it also counts against, or -1. */
  readonly agent: number;
}
export interface Stream {
  readonly tasks: readonly StreamTask[];
  readonly slots: number;
  readonly capacities: Readonly<Record<string, number>>;
  readonly agentLimits: readonly number[];
}

const MEAN_MS = 1_000;

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Relative sizes of real coding-agent runs (cost as a stand-in for work), or lognormal ones of the same spread. */
function sizes(random: () => number, dataDir: string | undefined, count: number): number[] {
  if (dataDir === undefined) return Array.from({ length: count }, () => Math.exp(1.0 * normal(random)));
  const { rows } = JSON.parse(readFileSync(join(dataDir, "agents", "openhands_instance_cost.json"), "utf8")) as {
    rows: number[][];
  };
  const costs = rows.map((row) => row[3] ?? 0).filter((cost) => cost > 0);
  return Array.from({ length: count }, () => Math.min(20, costs[Math.floor(random() * costs.length)] ?? 1));
}

const path = (directory: number, file: number): string =>
  file < 0 ? `f:/repo/d${directory}` : `f:/repo/d${directory}/f${file}`;

function mixedClaims(random: () => number): StreamClaim[] {
  const kind = random();
  const directory = Math.floor(random() * 10);
  const lock = (node: string, mode: 1 | 2): StreamClaim => ({ node, mode, units: 1 });
  if (kind < 0.03)
    return [lock(path(directory, -1), 2), lock(path((directory + 1 + Math.floor(random() * 9)) % 10, -1), 2)];
  if (kind < 0.08) return [lock(path(directory, -1), 2)];
  if (kind < 0.16) return [{ node: "c:build", mode: 3, units: 1 + Math.floor(random() * 2) }];
  if (kind >= 0.6) return [];
  const files = new Set(
    Array.from({ length: 1 + Math.floor(random() * 3) }, () => Math.min(39, Math.floor(40 * random() ** 2))),
  );
  return [...files].map((file) => lock(path(file % 10, file), random() < 0.5 ? 2 : 1));
}

/** Poisson arrivals at a load of 0.75 of eight slots; six tasks in ten claim something; two agents have limits of their own. */
export function mixedStream(seed: number, count: number, dataDir: string | undefined): Stream {
  const random = seededRandom(seed);
  const slots = 8;
  const raw = sizes(random, dataDir, count);
  const mean = raw.reduce((sum, size) => sum + size, 0) / count;
  let atMs = 0;
  const tasks = raw.map((size, id): StreamTask => {
    atMs += (-Math.log(1 - random()) * MEAN_MS) / (slots * 0.75);
    const runMs = Math.max(1, (size / mean) * MEAN_MS);
    const agent = random() < 0.3 ? Math.floor(random() * 2) : -1;
    return { id, atMs, runMs, predictedMs: runMs * Math.exp(0.7 * normal(random)), claims: mixedClaims(random), agent };
  });
  return { tasks, slots, capacities: { "c:build": 4 }, agentLimits: [4, 5] };
}

export const ADVERSARIES = ["wide-claim", "readers-writer", "unit-hog", "closed-limit"] as const;
export type Adversary = (typeof ADVERSARIES)[number];

/** Milliseconds between arrivals: busy, and not more than can be served. */
const GAP_MS = { "wide-claim": 150, "readers-writer": 150, "unit-hog": 300, "closed-limit": 200 } as const;

/** One victim in the middle of a stream that would starve it for ever under plain skipping. */
export function adversaryStream(kind: Adversary, seed: number, count: number): Stream {
  const random = seededRandom(seed);
  const tasks = Array.from({ length: count }, (_, id): StreamTask => {
    const isVictim = id === Math.floor(count / 4);
    const runMs = 500 + random() * 1_000;
    return {
      id,
      atMs: id * GAP_MS[kind],
      runMs,
      predictedMs: runMs,
      claims: adversaryClaims(kind, isVictim, random),
      agent: kind === "closed-limit" && (isVictim || random() < 0.09) ? 0 : -1,
    };
  });
  return { tasks, slots: 8, capacities: { "c:build": 4 }, agentLimits: [1] };
}

function adversaryClaims(kind: Adversary, isVictim: boolean, random: () => number): StreamClaim[] {
  const file = Math.floor(random() * 8);
  switch (kind) {
    case "wide-claim":
      return [{ node: isVictim ? "f:/repo" : `f:/repo/d${file}/x`, mode: 2, units: 1 }];
    case "readers-writer":
      return [{ node: "f:/repo/d0", mode: isVictim ? 2 : 1, units: 1 }];
    case "unit-hog":
      return [{ node: "c:build", mode: 3, units: isVictim ? 4 : 1 }];
    case "closed-limit":
      return isVictim ? [{ node: "f:/repo/d0", mode: 2, units: 1 }] : [{ node: `f:/repo/d${file}`, mode: 2, units: 1 }];
  }
}
