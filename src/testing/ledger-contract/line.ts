/** Who waits where, what is counted, what is due, and what there is one of. */
import { EXCLUSIVE, RATE, resolvedClaim, SHARED, UNITS, UNITS_INSIDE, type WatchMode } from "../../core/claims.ts";
import { newOwner, newRow } from "../rows.ts";
import { type AddTest, type Change, keysOf, line } from "./fixture.ts";

const OUT = [{ member: "a", untilMs: 7.5 }];
const OVERLOAD = { untilMs: 9, strain: 2, sinceMs: 3 };

export function lineTests(it: AddTest): void {
  it("the line of a node is in rank order, ties by key, each mode for itself", (world, expect) => {
    const last = world.wait({ taskId: "last", rank: 5 }, "f:/x", EXCLUSIVE);
    const first = world.wait({ taskId: "first", rank: -2.5 }, "f:/x", EXCLUSIVE);
    const tie = world.wait({ taskId: "tie", rank: 5 }, "f:/x", EXCLUSIVE);
    const reader = world.wait({ taskId: "reader", rank: -9 }, "f:/x", SHARED);
    world.turn((ledger) => {
      const seen: number[] = [];
      let row = ledger.head(line("f:/x", EXCLUSIVE), Number.NEGATIVE_INFINITY, 0);
      for (; row !== undefined && seen.length < 9; row = ledger.head(line("f:/x", EXCLUSIVE), row.rank, row.key)) {
        seen.push(row.key);
      }
      expect(seen).toEqual([first, last, tie]);
      expect(ledger.head(line("f:/x", SHARED), Number.NEGATIVE_INFINITY, 0)?.key).toBe(reader);
      expect(ledger.head(line("f:/x/", EXCLUSIVE), Number.NEGATIVE_INFINITY, 0)).toBe(undefined);
    });
  });

  it("what is put in a turn is seen in that turn", (world, expect) => {
    const key = world.insert({ taskId: "a" });
    world.turn((ledger) => {
      expect([ledger.hasWaiting(), ledger.requestsOf(key).length, ledger.reservations().length]).toEqual([false, 0, 0]);
      const request = ledger.insert(newRow({ taskId: "r", kind: "request", parentKey: key }), ledger.nextKey(), 0);
      expect(keysOf(ledger.requestsOf(key))).toEqual([request?.key ?? 0]);
      world.put(key, { watch: "f:/x", watchMode: EXCLUSIVE, passed: 16, reserved: true });
      expect([ledger.hasWaiting(), ledger.reservations().length]).toEqual([true, 1]);
    });
  });

  it("who leaves the line, or moves, is not met there any more", (world, expect) => {
    const key = world.wait({ taskId: "a" }, "f:/x", EXCLUSIVE);
    world.turn((ledger) => {
      expect(ledger.hasWaiting()).toBe(true);
      world.put(key, { watch: "f:/y", watchMode: SHARED });
      expect(ledger.head(line("f:/x", EXCLUSIVE), Number.NEGATIVE_INFINITY, 0)).toBe(undefined);
      expect(ledger.head(line("f:/y", SHARED), Number.NEGATIVE_INFINITY, 0)?.key).toBe(key);
      world.put(key, { watch: "", watchMode: 0 });
      expect(ledger.hasWaiting()).toBe(false);
    });
    world.turn((ledger) => expect(ledger.hasWaiting()).toBe(false));
  });

  it("the lines at nodes are by node as given, then mode, then gate, and each is there as long as somebody stands in it", (world, expect) => {
    world.wait({ taskId: "a" }, "f:/x/", SHARED);
    const alone = world.wait({ taskId: "b", limits: ["l:b"] }, "c:x", UNITS);
    for (const taskId of ["c", "d"]) world.wait({ taskId, limits: ["l:a"] }, "c:x", UNITS);
    world.wait({ taskId: "e", limits: ["l:a"] }, "c:x", UNITS_INSIDE);
    const nodes = ["f:/x", "c:x", "f:/x/", "c:y"];
    world.turn((ledger) => {
      const lines = ledger.lines(new Set(nodes)).map(({ node, mode, gate }) => ({ node, mode, gate }));
      expect(lines).toEqual([
        { node: "c:x", mode: UNITS, gate: "l:a" },
        { node: "c:x", mode: UNITS, gate: "l:b" },
        { node: "c:x", mode: UNITS_INSIDE, gate: "l:a" },
        { node: "f:/x/", mode: SHARED, gate: "" },
      ]);
      world.put(alone, { watch: "", watchMode: 0 });
      expect(ledger.lines(["c:x"]).length).toBe(2);
    });
  });

  it("the first at a node is the lowest ranked of all its lines", (world, expect) => {
    world.wait({ taskId: "a", rank: 3 }, "r:x", RATE);
    const first = world.wait({ taskId: "b", rank: 2, limits: ["l:a"] }, "r:x", RATE);
    world.wait({ taskId: "c", rank: 2, limits: ["l:b"] }, "r:x", RATE);
    world.turn((ledger) => {
      expect(ledger.first("r:x")?.key).toBe(first);
      expect(ledger.first("r:y")).toBe(undefined);
    });
  });

  it("the heads on a claim's path are the first of each line it conflicts with, by rank", (world, expect) => {
    const below = world.wait({ taskId: "a", rank: 3 }, "f:/x/y/", SHARED);
    const writer = world.wait({ taskId: "b", rank: 2 }, "f:/x", EXCLUSIVE);
    world.wait({ taskId: "c", rank: 4 }, "f:/x", EXCLUSIVE);
    world.wait({ taskId: "d", rank: 1 }, "f:/z", EXCLUSIVE);
    world.turn((ledger) => {
      expect(keysOf(ledger.heads(resolvedClaim("f:/x/y", EXCLUSIVE)))).toEqual([writer, below]);
      expect(keysOf(ledger.heads(resolvedClaim("f:/x/y", SHARED)))).toEqual([writer]);
    });
  });

  it("reservations are in rank order, and the next is the lowest ranked that was passed often enough", (world, expect) => {
    const passed = (taskId: string, rank: number, over: Change, mode: WatchMode = EXCLUSIVE) => {
      const key = world.wait({ taskId, rank }, mode === UNITS ? "c:x" : "f:/x", mode);
      world.change(key, over);
      return key;
    };
    const high = passed("high", 9, { passed: 16 });
    const low = passed("low", 2, { passed: 20 });
    passed("seldom", 1, { passed: 15 });
    const reserved = [
      passed("two", 7, { passed: 16, reserved: true }),
      passed("one", 3, { passed: 16, reserved: true }, UNITS),
    ];
    world.turn((ledger) => {
      expect(keysOf(ledger.reservations())).toEqual([reserved[1], reserved[0]]);
      expect(ledger.nextToReserve()?.key).toBe(low);
      world.put(low, { reserved: true });
      expect(keysOf(ledger.reservations())).toEqual([low, reserved[1], reserved[0]]);
      expect(ledger.nextToReserve()?.key).toBe(high);
      world.put(high, { watch: "r:x", watchMode: RATE });
      expect(ledger.nextToReserve()).toBe(undefined);
    });
  });
}

export function counterTests(it: AddTest): void {
  it("a counter is kept as it was put", (world, expect) => {
    const declarations = [{ by: "alpha", capacity: 3, authority: true, intervalMs: 20, members: ["a"] }];
    world.declare({
      node: "r:x",
      kind: "rate",
      capacity: 3,
      intervalMs: 20,
      nextAtMs: 5.5,
      dueAtMs: 30,
      declarations,
      members: ["a"],
    });
    const read = () => world.turn((ledger) => ({ ...ledger.counter("r:x") }));
    const expected = {
      node: "r:x",
      kind: "rate",
      capacity: 3,
      used: 0,
      intervalMs: 20,
      nextAtMs: 5.5,
      dueAtMs: 30,
      declarations,
      members: ["a"],
      out: [],
      overload: null,
    };
    expect(read()).toEqual(expected);
    world.turn((ledger) => {
      const counter = ledger.counter("r:x");
      if (counter === undefined) return;
      counter.capacity = 2;
      counter.used = 1;
      counter.dueAtMs = 0;
      counter.declarations = [];
      counter.out = OUT;
      counter.overload = OVERLOAD;
      ledger.putCounter(counter);
      expect(ledger.counter("r:x") === counter).toBe(true);
    });
    const changed = { capacity: 2, used: 1, dueAtMs: 0, declarations: [], out: OUT, overload: OVERLOAD };
    expect(read()).toEqual({ ...expected, ...changed });
    expect(world.turn((ledger) => ledger.counter("r:y"))).toBe(undefined);
  });

  it("counters are found by who declared them, and no more once withdrawn", (world, expect) => {
    const by = (name: string) => ({ by: name, capacity: 1, authority: false, intervalMs: 0, members: [] });
    world.declare({ node: "c:b", declarations: [by("alpha"), by("beta")] });
    world.declare({ node: "c:a", declarations: [by("alpha")] });
    const declared = (name: string) =>
      world.turn((ledger) =>
        ledger
          .countersDeclaredBy(name)
          .map(({ node }) => node)
          .sort(),
      );
    expect([declared("alpha"), declared("beta"), declared("gamma")]).toEqual([["c:a", "c:b"], ["c:b"], []]);
    world.turn((ledger) => {
      const counter = ledger.counter("c:b");
      if (counter === undefined) return;
      counter.declarations = [by("beta")];
      ledger.putCounter(counter);
    });
    expect([declared("alpha"), declared("beta")]).toEqual([["c:a"], ["c:b"]]);
  });

  it("what is due is found when its time has come, soonest first", (world, expect) => {
    world.declare({ node: "r:x", kind: "rate", dueAtMs: 40 });
    world.declare({ node: "r:y", kind: "rate", dueAtMs: 20 });
    const rows = [30, 10, 10, 0].map((dueAtMs, index) => {
      const key = world.insert({ taskId: `t${index}` });
      world.change(key, { dueAtMs });
      return key;
    });
    world.turn((ledger) => {
      expect(ledger.nextDueAtMs()).toBe(10);
      expect(keysOf(ledger.dueRows(30, 9))).toEqual([rows[1], rows[2], rows[0]]);
      expect(keysOf(ledger.dueRows(29, 1))).toEqual([rows[1]]);
      expect(ledger.dueCounters(20).map(({ node }) => node)).toEqual(["r:y"]);
    });
    for (const key of rows) world.change(key, { dueAtMs: 0 });
    world.turn((ledger) => expect(ledger.nextDueAtMs()).toBe(20));
  });
}

export function bookTests(it: AddTest): void {
  it("what is carried is there in the next turn, the beginning of a line included", (world, expect) => {
    const carry = [
      { node: "f:/x", mode: EXCLUSIVE, gate: "", afterRank: Number.NEGATIVE_INFINITY, afterKey: 0 },
      { node: "f:/y/", mode: SHARED, gate: "l:a r:b", afterRank: -2.25, afterKey: 12 },
    ] as const;
    world.turn((ledger) => ledger.setCarry(carry));
    expect(world.turn((ledger) => ledger.carry())).toEqual(carry);
    world.turn((ledger) => ledger.setCarry([]));
    expect(world.turn((ledger) => ledger.carry())).toEqual([]);
  });

  it("places, owners and the greatest time are kept", (world, expect) => {
    const owner = newOwner({ ownerId: "o", pid: 4_711, startTime: 99, beatAtMs: 12.5 });
    world.turn((ledger) => {
      ledger.putPlace({ placeKey: "p", rank: 4.5, untilMs: 90 });
      ledger.putPlace({ placeKey: "p", rank: 3.5, untilMs: 95 });
      ledger.putOwner(owner);
      ledger.setLastNowMs(33.5);
    });
    world.turn((ledger) => {
      expect(ledger.place("p")).toEqual({ placeKey: "p", rank: 3.5, untilMs: 95 });
      expect(ledger.owner("o")).toEqual(owner);
      expect(ledger.lastNowMs()).toBe(33.5);
      ledger.dropPlace("p");
      ledger.dropOwner("o");
    });
    expect(world.turn((ledger) => [ledger.place("p"), ledger.owner("o")])).toEqual([undefined, undefined]);
  });

  it("every answer covers the whole store, however long ago and far apart it was written", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 1_000 });
    const keys = Array.from({ length: 150 }, (_, index) =>
      world.hold({
        taskId: `t${index}`,
        claims: [resolvedClaim(`f:/deep/${index}/x`, SHARED), resolvedClaim("c:x", UNITS)],
      }),
    );
    world.turn((ledger) => {
      expect(ledger.conflict(resolvedClaim("f:/deep", EXCLUSIVE), keys.slice(0, 149))).toBe("f:/deep/");
      expect(ledger.conflict(resolvedClaim("f:/deep", EXCLUSIVE), keys)).toBe(null);
      expect(ledger.holders(resolvedClaim("f:/deep", EXCLUSIVE), [], 1_000).length).toBe(150);
      expect(ledger.counter("c:x")?.used).toBe(150);
      expect(ledger.rowsOf("alpha", 1_000, 0).length).toBe(150);
    });
  });
}
