/** Runs a stream of tasks in virtual time: through the kernel, or through plain all-or-nothing FIFO that skips. */
import { ClaimCache, covers, normaliseClaims, type ResolvedClaim } from "../src/core/claims.ts";
import type { Command, Effect } from "../src/core/command.ts";
import type { NewRow, TaskRow } from "../src/core/row.ts";
import { turn } from "../src/core/turn.ts";
import { MapLedger } from "../src/stores/memory/map-ledger.ts";
import { kernelFaults } from "../src/testing/kernel-check.ts";
import { newOwner } from "../src/testing/rows.ts";
import type { Stream, StreamTask } from "./streams.ts";

export interface RunFigures {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Most often anybody was passed while it could have reserved. */
  readonly maxPassed: number;
  readonly lost: number;
  readonly violations: number;
  readonly [figure: string]: number;
}

interface Ending {
  readonly atMs: number;
  readonly task: StreamTask;
  readonly key: number;
  readonly fence: number;
}

export type Rank = (task: StreamTask) => number;

class Endings {
  readonly #list: Ending[] = [];
  get nextMs(): number {
    return this.#list[0]?.atMs ?? Number.POSITIVE_INFINITY;
  }
  add(ending: Ending): void {
    let at = this.#list.length;
    while (at > 0 && (this.#list[at - 1]?.atMs ?? 0) > ending.atMs) at--;
    this.#list.splice(at, 0, ending);
  }
  take(): Ending | undefined {
    return this.#list.shift();
  }
}

function figures(waits: number[], more: Pick<RunFigures, "maxPassed" | "lost" | "violations">): RunFigures {
  const sorted = [...waits].sort((a, b) => a - b);
  const meanMs = sorted.reduce((sum, wait) => sum + wait, 0) / sorted.length;
  return {
    meanMs,
    p99Ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0,
    maxMs: sorted[sorted.length - 1] ?? 0,
    ...more,
  };
}

/** `checkEvery`: after so many events all rows are judged by brute force (0: never). */
export function throughKernel(stream: Stream, rank: Rank, checkEvery: number): RunFigures {
  const ledger = new MapLedger(1);
  const cache = new ClaimCache();
  const endings = new Endings();
  const byId = new Map(stream.tasks.map((task) => [`t${task.id}`, task]));
  const waits: number[] = [];
  let maxPassed = 0;
  let violations = 0;
  let nowMs = 0;
  let events = 0;
  const run = (commands: readonly Command[]): void => {
    for (const effect of turn(ledger, { commands, nowMs, callerId: "o" })) {
      if (effect.type !== "admitted") continue;
      const task = byId.get(effect.row.taskId) as StreamTask;
      waits.push(nowMs - task.atMs);
      maxPassed = Math.max(maxPassed, effect.row.passed);
      endings.add({ atMs: nowMs + task.runMs, task, key: effect.row.key, fence: effect.row.fence });
    }
    ledger.commit();
    if (ledger.carry().length > 0) run([{ type: "tick" }]);
    else if (checkEvery > 0 && ++events % checkEvery === 0) {
      violations += kernelFaults({
        rows: [...ledger.rows()],
        counters: [...ledger.counters()],
        carry: ledger.carry(),
        nowMs,
      }).length;
    }
  };
  run([
    { type: "owner-join", owner: newOwner({ ownerId: "o" }) },
    { type: "declare", node: "l:slots", kind: "limit", capacity: stream.slots, by: "o", authority: false },
    ...Object.entries(stream.capacities).map(
      ([node, capacity]): Command => ({ type: "declare", node, kind: "capacity", capacity, by: "o", authority: false }),
    ),
    ...stream.agentLimits.map(
      (capacity, index): Command => ({
        type: "declare",
        node: `l:agent${index}`,
        kind: "limit",
        capacity,
        by: "o",
        authority: false,
      }),
    ),
  ]);
  let next = 0;
  for (;;) {
    const task = stream.tasks[next];
    const arrivesMs = task?.atMs ?? Number.POSITIVE_INFINITY;
    nowMs = Math.min(arrivesMs, endings.nextMs);
    if (nowMs === Number.POSITIVE_INFINITY) break;
    if (endings.nextMs <= arrivesMs) {
      const { key, fence } = endings.take() as Ending;
      run([{ type: "settle", key, fence, status: "succeeded", result: null }]);
    } else if (task !== undefined) {
      next++;
      run([{ type: "submit", row: newRow(task, cache, rank(task)) }]);
    }
  }
  return figures(waits, { maxPassed, lost: stream.tasks.length - waits.length, violations });
}

export function newRow(task: StreamTask, cache: ClaimCache, rank: number): NewRow {
  const claims = normaliseClaims(
    task.claims.map(({ node, mode, units }): ResolvedClaim => cache.get(node, mode, units)),
  );
  return {
    workflowId: "w",
    taskId: `t${task.id}`,
    agentId: "a_1",
    ownerId: "o",
    kind: "task",
    wants: "locks",
    parentKey: 0,
    ancestors: [],
    holder: "in-process",
    status: "waiting",
    rank,
    claims,
    limits: task.agent < 0 ? ["l:slots"] : ["l:slots", `l:agent${task.agent}`],
    queueTimeoutMs: 0,
    orphan: "fail",
    placeKey: "",
    label: "",
    payload: null,
  };
}

/** The peer: first in, first out; whoever does not fit whole is skipped, for ever if need be. */
export function throughFifoSkip(stream: Stream): RunFigures {
  const endings = new Endings();
  const running = new Set<StreamTask>();
  let queue: StreamTask[] = [];
  const waits: number[] = [];
  let nowMs = 0;
  let next = 0;
  const fits = (task: StreamTask): boolean => {
    if (running.size >= stream.slots) return false;
    if (
      task.agent >= 0 &&
      [...running].filter((other) => other.agent === task.agent).length >= (stream.agentLimits[task.agent] ?? 0)
    )
      return false;
    return task.claims.every((claim) =>
      claim.mode === 3
        ? [...running].reduce(
            (sum, other) => sum + (other.claims.find((c) => c.node === claim.node)?.units ?? 0),
            claim.units,
          ) <= (stream.capacities[claim.node] ?? 0)
        : ![...running].some((other) =>
            other.claims.some(
              (c) =>
                c.mode !== 3 &&
                (c.mode === 2 || claim.mode === 2) &&
                (covers(c.node, claim.node) || covers(claim.node, c.node)),
            ),
          ),
    );
  };
  for (;;) {
    const task = stream.tasks[next];
    const arrivesMs = task?.atMs ?? Number.POSITIVE_INFINITY;
    nowMs = Math.min(arrivesMs, endings.nextMs);
    if (nowMs === Number.POSITIVE_INFINITY) break;
    if (endings.nextMs <= arrivesMs) running.delete((endings.take() as Ending).task);
    else if (task !== undefined) {
      queue.push(task);
      next++;
    }
    if (running.size >= stream.slots) continue;
    const started = new Set<StreamTask>();
    for (const waiting of queue) {
      if (!fits(waiting)) continue;
      running.add(waiting);
      started.add(waiting);
      waits.push(nowMs - waiting.atMs);
      endings.add({ atMs: nowMs + waiting.runMs, task: waiting, key: 0, fence: 0 });
    }
    if (started.size > 0) queue = queue.filter((waiting) => !started.has(waiting));
  }
  return figures(waits, { maxPassed: 0, lost: stream.tasks.length - waits.length, violations: 0 });
}

/** Rows and effects are what the kernel hands out: named here so that benches need one import. */
export type { Effect, TaskRow };
