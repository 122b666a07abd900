/**
 * P2: what one task costs the kernel does not depend on how many wait. N tasks with two locks of 1,024 names and one of
 * ten slots stand in line; then 20,000 of them are served, each settlement in a turn of its own.
 */

import { seededRandom } from "../src/clock/virtual-clock.ts";
import { ClaimCache, type Mode } from "../src/core/claims.ts";
import type { Command } from "../src/core/command.ts";
import type { Ledger } from "../src/core/ledger.ts";
import { turn } from "../src/core/turn.ts";
import { MapLedger } from "../src/stores/memory/map-ledger.ts";
import { newOwner } from "../src/testing/rows.ts";
import { newRow } from "./admission-runs.ts";
import { type Bench, cpuMs } from "./harness.ts";

const NAMES = 1_024;
const SERVED = 8_000;

function counting(ledger: MapLedger, calls: { count: number }): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const member = Reflect.get(target, name, target) as unknown;
      if (typeof member !== "function") return member;
      return (...args: unknown[]) => {
        calls.count++;
        return Reflect.apply(member, target, args) as unknown;
      };
    },
  });
}

async function serve(waiting: number, isCounting: boolean): Promise<Record<string, number>> {
  const random = seededRandom(7);
  const base = new MapLedger(1);
  const calls = { count: 0 };
  const ledger = isCounting ? counting(base, calls) : base;
  const cache = new ClaimCache();
  let running: { key: number; fence: number }[] = [];
  let nowMs = 0;
  const run = (commands: readonly Command[]): void => {
    nowMs++;
    for (const effect of turn(ledger, { commands, nowMs, callerId: "o" })) {
      if (effect.type === "admitted") running.push({ key: effect.row.key, fence: effect.row.fence });
    }
    base.commit();
  };
  run([{ type: "owner-join", owner: newOwner({ ownerId: "o" }) }]);
  run([{ type: "declare", node: "l:slots", kind: "limit", capacity: 10, by: "o", authority: false }]);
  for (let id = 0; id < waiting; id++) {
    const pick = (): { node: string; mode: Exclude<Mode, 4 | 5>; units: number } => ({
      node: `n:bench:lock${Math.floor(random() * NAMES)}`,
      mode: 2,
      units: 1,
    });
    const task = { id, atMs: id, runMs: 1, predictedMs: 1, claims: [pick(), pick()], agent: -1 };
    run([{ type: "submit", row: newRow(task, cache, id) }]);
  }
  calls.count = 0;
  const cpu = await cpuMs(() => {
    for (let served = 0; served < SERVED; served++) {
      const [first, ...rest] = running;
      if (first === undefined) throw new Error("nothing runs");
      running = rest;
      run([{ type: "settle", ...first, status: "succeeded", result: null }]);
    }
  });
  return isCounting ? { calls: calls.count / SERVED } : { cpuUs: (cpu * 1_000) / SERVED };
}

async function both(waiting: number): Promise<Record<string, number>> {
  return { ...(await serve(waiting, true)), ...(await serve(waiting, false)) };
}

export const bench: Bench = {
  name: "flat",
  title: "kernel calls and CPU for one task, by how many wait",
  unit: "per task",
  measure: "cpu",
  rounds: 3,
  cases: [
    { name: "10,000 waiting", peer: true, run: () => both(10_000) },
    { name: "100,000 waiting", run: () => both(100_000) },
    { name: "1,000,000 waiting", run: () => both(1_000_000) },
  ],
  limits: [
    { figure: "P2 ledger calls", value: "calls", ratioOf: "1,000,000 waiting", to: "10,000 waiting", atMost: 1.2 },
    { figure: "P2 CPU", value: "cpuUs", ratioOf: "1,000,000 waiting", to: "10,000 waiting", atMost: 1.5 },
  ],
};
