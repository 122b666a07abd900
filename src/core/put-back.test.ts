import { describe, expect, test } from "vitest";
import { MapLedger } from "../stores/memory/map-ledger.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import { EDGE } from "./bounds.ts";
import { EXCLUSIVE, RATE, resolvedClaim, UNITS } from "./claims.ts";
import type { Command, Effect } from "./command.ts";
import type { TaskRow } from "./row.ts";
import { turn } from "./turn.ts";

function world() {
  const ledger = new MapLedger();
  const run = (nowMs: number, ...commands: Command[]): Effect[] => {
    const effects = turn(ledger, { commands, nowMs, callerId: "alpha" });
    ledger.commit();
    return effects;
  };
  run(0, { type: "owner-join", owner: newOwner({ ownerId: "alpha" }) });
  const row = (taskId: string): TaskRow => {
    const found = ledger.find("workflow", taskId);
    if (found === undefined) throw new Error(`no row ${taskId}`);
    return found;
  };
  const submit = (taskId: string, over: Parameters<typeof newRow>[0]): Command => {
    return { type: "submit", row: newRow({ ownerId: "alpha", taskId, ...over }) };
  };
  const putBack = (taskId: string, over: Partial<Extract<Command, { type: "put-back" }>> = {}): Command => {
    const { key, fence } = row(taskId);
    return { type: "put-back", key, fence, taken: [], claims: null, ...over };
  };
  return { ledger, run, row, submit, putBack };
}

const PORTS = ["3000", "3001"];
const pool: Command = {
  type: "declare",
  node: "p:port",
  kind: "pool",
  capacity: 2,
  by: "alpha",
  authority: false,
  members: PORTS,
};
const port = resolvedClaim("p:port", UNITS);
const file = resolvedClaim("f:/a", EXCLUSIVE);

describe("a pool member that a stranger uses", () => {
  test("is passed over: the next free one is given in the same turn, and the locks stay with the lowest rank", () => {
    const { run, row, submit, putBack } = world();
    run(0, pool, submit("a", { rank: 1, claims: [port, file] }), submit("b", { rank: 2, claims: [file] }));
    expect(row("a").members).toEqual({ "p:port": ["3000"] });
    run(1, putBack("a", { taken: [{ node: "p:port", members: ["3000"] }] }));
    expect([row("a").status, row("a").members]).toEqual(["running", { "p:port": ["3001"] }]);
    expect(row("b").status).toBe("waiting");
  });

  test("is tried again after a while; until then whoever finds none waits and holds nothing", () => {
    const { ledger, run, row, submit, putBack } = world();
    run(0, pool, submit("a", { claims: [port, file] }));
    for (const member of PORTS) run(1, putBack("a", { taken: [{ node: "p:port", members: [member] }] }));
    expect([row("a").status, row("a").watch, row("a").holdsClaims]).toEqual(["waiting", "p:port", false]);
    expect(ledger.nextDueAtMs()).toBe(1 + EDGE.memberOutMs);
    expect(run(EDGE.memberOutMs, { type: "tick" })).toEqual([]);
    run(1 + EDGE.memberOutMs, { type: "tick" });
    expect(row("a").members).toEqual({ "p:port": ["3000"] });
    expect(ledger.counter("p:port")).toMatchObject({ out: [], dueAtMs: 0, used: 1 });
  });

  test("is forgotten when the pool is declared without it", () => {
    const { ledger, run, submit, putBack } = world();
    run(0, pool, submit("a", { claims: [port] }));
    run(1, putBack("a", { taken: [{ node: "p:port", members: ["3000"] }] }));
    run(2, { ...pool, capacity: 1, members: ["3001"] });
    expect(ledger.counter("p:port")?.out).toEqual([]);
  });
});

test("a pool that is declared anew never gives out what somebody holds", () => {
  const { run, row, submit } = world();
  run(0, pool, submit("a", { claims: [port] }));
  run(1, { ...pool, members: ["3001", "3000"] }, submit("b", { claims: [port] }));
  expect([row("a").members, row("b").members]).toEqual([{ "p:port": ["3000"] }, { "p:port": ["3001"] }]);
});

test("a path that leads elsewhere is claimed anew, and stands behind whoever has it", () => {
  const { run, row, submit, putBack } = world();
  const there = resolvedClaim("f:/b", EXCLUSIVE);
  run(0, submit("a", { rank: 1, claims: [file] }), submit("other", { rank: 2, claims: [there] }));
  run(1, putBack("a", { claims: [file, there] }));
  expect([row("a").status, row("a").watch]).toEqual(["waiting", "f:/b"]);
  const { key, fence } = row("other");
  run(2, { type: "settle", key, fence, status: "succeeded", result: null });
  expect([row("a").status, row("a").claims]).toEqual(["running", [file, there]]);
});

test("what does not run any more is not put back", () => {
  const { run, submit, putBack } = world();
  run(0, submit("a", { claims: [file] }));
  const late = putBack("a");
  run(1, putBack("a"));
  expect(run(2, late)).toMatchObject([{ type: "refused", code: "STALE_FENCE" }]);
});

describe("an overloaded provider", () => {
  const rate = { type: "declare", node: "r:api", kind: "rate", capacity: 1, intervalMs: 100, by: "alpha" } as const;
  const call = resolvedClaim("r:api", RATE);
  const slow = (forMs: number): Command => ({ type: "slow-down", node: "r:api", forMs });

  test("gives nothing before the time it asked for, then one unit, then less often", () => {
    const { run, row, submit } = world();
    run(0, { ...rate, authority: false }, slow(1_000));
    run(1, submit("a", { claims: [call] }), submit("b", { rank: 1, claims: [call] }));
    run(999, { type: "tick" });
    expect(row("a").status).toBe("waiting");
    run(1_000, { type: "tick" });
    expect([row("a").status, row("b").status]).toEqual(["running", "waiting"]);
    run(1_199, { type: "tick" });
    expect(row("b").status).toBe("waiting");
    run(1_200, { type: "tick" });
    expect(row("b").status).toBe("running");
  });

  test("many who tell of one overload halve its pace once, and the longest wait counts", () => {
    const { ledger, run } = world();
    run(0, { ...rate, authority: false }, slow(500), slow(900), slow(200));
    expect(ledger.counter("r:api")?.overload).toMatchObject({ untilMs: 900, strain: 1 });
    run(901, slow(100));
    expect(ledger.counter("r:api")?.overload).toMatchObject({ untilMs: 1_001, strain: 2 });
  });

  test("recovers when it was quiet for a while", () => {
    const { ledger, run, row, submit } = world();
    run(0, { ...rate, authority: false }, slow(10));
    run(10 + EDGE.recoveryMs, submit("a", { claims: [call] }));
    expect(row("a").status).toBe("running");
    expect(ledger.counter("r:api")).toMatchObject({ overload: null, nextAtMs: 110 + EDGE.recoveryMs });
  });

  test("that nobody declared is refused", () => {
    const { run } = world();
    expect(run(0, slow(10))).toMatchObject([{ type: "refused", code: "UNKNOWN_RESOURCE" }]);
  });
});
