/** Fair shares, on the kernel itself: who is admitted after whom. */
import { expect, test } from "vitest";
import { MapLedger } from "../stores/memory/map-ledger.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import type { Command, Effect } from "./command.ts";
import { MACHINE_LIMIT, PLACE_MS } from "./shares.ts";
import { turn } from "./turn.ts";

/** One machine with so many slots; each flow may use all of them. */
function machine(slots: number, weights: Readonly<Record<string, number>>) {
  const ledger = new MapLedger(1_000);
  const order: string[] = [];
  const running: { readonly key: number; readonly fence: number }[] = [];
  let nowMs = 1_000_000;
  const carryOut = (commands: readonly Command[]): void => {
    const take = (effects: readonly Effect[]) => {
      for (const effect of effects) {
        if (effect.type === "refused") throw new Error(effect.message);
        if (effect.type !== "admitted") continue;
        order.push(effect.row.taskId);
        running.push({ key: effect.row.key, fence: effect.row.fence });
      }
      ledger.commit();
    };
    take(turn(ledger, { commands, nowMs, callerId: "alpha" }));
    while (ledger.carry().length > 0) take(turn(ledger, { commands: [{ type: "tick" }], nowMs, callerId: "alpha" }));
  };
  const limit = (node: string, capacity: number, intervalMs: number): Command => {
    return { type: "declare", node, kind: "limit", capacity, by: "alpha", authority: true, intervalMs };
  };
  carryOut([
    { type: "owner-join", owner: newOwner() },
    limit(MACHINE_LIMIT, slots, 0),
    ...Object.entries(weights).map(([flow, weight]) => limit(`l:${flow}`, 1_000_000, PLACE_MS / weight)),
  ]);
  let made = 0;
  return {
    order,
    submit: (flow: string, count: number, rank = 0) => {
      for (let left = count; left > 0; left -= 64)
        carryOut(
          Array.from({ length: Math.min(64, left) }, () => ({
            type: "submit",
            row: newRow({ taskId: `${flow}${++made}`, limits: [`l:${flow}`, MACHINE_LIMIT], rank }),
          })),
        );
    },
    /** So many tasks end, the one that runs longest first; each takes `eachMs`. */
    serve: (count: number, eachMs = 1_000) => {
      for (let done = 0; done < count; done++) {
        nowMs += eachMs;
        const next = running.shift();
        if (next !== undefined) carryOut([{ type: "settle", ...next, status: "succeeded", result: null }]);
      }
    },
  };
}

const of = (order: readonly string[], flow: string) => order.filter((taskId) => taskId.startsWith(flow)).length;

test("five tasks that come later do not wait for the ten thousand that came first", () => {
  const world = machine(2, { a: 1, b: 1 });
  world.submit("a", 10_000);
  world.serve(500);
  const before = of(world.order, "a");
  world.submit("b", 5);
  while (of(world.order, "b") < 5) world.serve(1);
  // One of each in turn: five of the others at most, and the slots that were taken.
  expect(of(world.order, "a") - before).toBeLessThanOrEqual(6);
});

test("who waits long for slow tasks is treated the same: time in line goes by what is served", () => {
  const world = machine(1, { a: 1, b: 1 });
  world.submit("a", 1_000);
  world.serve(10, 3_600_000);
  const before = of(world.order, "a");
  world.submit("b", 5);
  while (of(world.order, "b") < 5) world.serve(1);
  expect(of(world.order, "a") - before).toBeLessThanOrEqual(6);
});

test("two workflows share by their weights from the moment both wait, however much one had before", () => {
  const world = machine(1, { a: 1, b: 3 });
  world.submit("a", 2_000);
  world.serve(700);
  const from = world.order.length;
  world.submit("b", 2_000);
  world.serve(400);
  const served = world.order.slice(from);
  expect(of(served, "b") / of(served, "a")).toBeGreaterThan(2.7);
  expect(of(served, "b") / of(served, "a")).toBeLessThan(3.3);
});

test("within one workflow the order of arrival stays, and priority goes first", () => {
  const world = machine(1, { a: 1 });
  world.submit("a", 20);
  world.submit("a", 1, -60_000);
  world.serve(30);
  expect(world.order.slice(0, 4)).toEqual(["a1", "a21", "a2", "a3"]);
  expect(world.order).toHaveLength(21);
});

test("a flood of higher priority lets the others through after so many", () => {
  const world = machine(1, { a: 1, b: 1 });
  world.submit("a", 1);
  world.submit("b", 1);
  let passed = 0;
  while (!world.order.some((taskId) => taskId.startsWith("b"))) {
    world.submit("a", 1, -60_000);
    world.serve(1);
    passed++;
    expect(passed).toBeLessThan(20_000);
  }
});
