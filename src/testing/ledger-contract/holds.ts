/** Who holds what, and who is in whose way. */
import { EXCLUSIVE, type Mode, RATE, resolvedClaim, SHARED, UNITS } from "../../core/claims.ts";
import { type AddTest, keysOf } from "./fixture.ts";

export function lockTests(it: AddTest): void {
  const cases: readonly (readonly [held: string, mode: Mode, asked: string, askedMode: Mode, node: string | null])[] = [
    ["f:/a/b", EXCLUSIVE, "f:/a/b", SHARED, "f:/a/b"],
    ["f:/a/b", SHARED, "f:/a/b", EXCLUSIVE, "f:/a/b"],
    ["f:/a/b", SHARED, "f:/a/b", SHARED, null],
    ["f:/a", EXCLUSIVE, "f:/a/b/c", SHARED, "f:/a"],
    ["f:", SHARED, "f:/a/b", EXCLUSIVE, "f:"],
    ["f:/a/b/c", EXCLUSIVE, "f:/a", SHARED, "f:/a/"],
    ["f:/a/b/c", SHARED, "f:/a", SHARED, null],
    ["f:/a/bc", EXCLUSIVE, "f:/a/b", EXCLUSIVE, null],
    ["f:/a/b", EXCLUSIVE, "f:/a/bc", EXCLUSIVE, null],
    ["f:/a-b", EXCLUSIVE, "f:/a", EXCLUSIVE, null],
    ["f:/a0", EXCLUSIVE, "f:/a", EXCLUSIVE, null],
    ["f:/ä/ö", EXCLUSIVE, "f:/ä", SHARED, "f:/ä/"],
    ["n:w:types", EXCLUSIVE, "n:w:types/users", SHARED, "n:w:types"],
    ["n:w:types", EXCLUSIVE, "n:v:types", EXCLUSIVE, null],
  ];
  it("a lock is blocked at its node, above it or below it, never by a sibling", (world, expect) => {
    for (const [held, mode, asked, askedMode, node] of cases) {
      const key = world.insert({
        taskId: `${held} ${mode} ${asked} ${askedMode}`,
        claims: [resolvedClaim(held, mode)],
      });
      world.turn(() => world.grant(key));
      const found = world.turn((ledger) => ledger.conflict(resolvedClaim(asked, askedMode), []));
      expect(found, `${held} ${mode} held, ${asked} ${askedMode} asked`).toBe(node);
      world.turn(() => world.letGo(key));
      expect(world.turn((ledger) => ledger.conflict(resolvedClaim(asked, askedMode), []))).toBe(null);
    }
  });

  it("of several blockers the node itself is named first, then the outermost ancestor, then what lies below", (world, expect) => {
    const at = (node: string) => resolvedClaim(node, SHARED);
    const keys = ["f:/a/b", "f:", "f:/a", "f:/a/b/c/d"].map((node) => world.hold({ taskId: node, claims: [at(node)] }));
    const names: (string | null)[] = [];
    for (const key of keys) {
      names.push(world.turn((ledger) => ledger.conflict(resolvedClaim("f:/a/b", EXCLUSIVE), [])));
      world.turn(() => world.letGo(key));
    }
    expect(names).toEqual(["f:/a/b", "f:", "f:/a", "f:/a/b/"]);
  });

  it("holders left out do not block, their requests neither, others on the same node do", (world, expect) => {
    const one = world.hold({ taskId: "one", claims: [resolvedClaim("f:/a", SHARED)] });
    const request = world.hold({
      taskId: "more",
      kind: "request",
      parentKey: one,
      claims: [resolvedClaim("f:/a/b", EXCLUSIVE)],
    });
    const asked = resolvedClaim("f:/a", EXCLUSIVE);
    expect(world.turn((ledger) => ledger.conflict(asked, [one]))).toBe(null);
    expect(world.turn((ledger) => ledger.conflict(asked, [request]))).toBe("f:/a");
    const two = world.hold({ taskId: "two", claims: [resolvedClaim("f:/a", SHARED)] });
    expect(world.turn((ledger) => ledger.conflict(asked, [one]))).toBe("f:/a");
    expect(world.turn((ledger) => ledger.conflict(asked, [one, two]))).toBe(null);
  });

  it("the holders in the way are named once each, by key, as the task under whose name they stand", (world, expect) => {
    const one = world.hold({
      taskId: "one",
      label: "the one",
      claims: [resolvedClaim("f:/a", SHARED), resolvedClaim("f:/a/b", SHARED)],
    });
    const more = world.hold({
      taskId: "more",
      kind: "request",
      parentKey: one,
      claims: [resolvedClaim("f:/a/c", EXCLUSIVE)],
    });
    const two = world.hold({ taskId: "two", claims: [resolvedClaim("f:", SHARED)] });
    world.hold({ taskId: "other", claims: [resolvedClaim("f:/b", EXCLUSIVE)] });
    const asked = resolvedClaim("f:/a", EXCLUSIVE);
    const named = (except: readonly number[], limit: number) =>
      world.turn((ledger) =>
        ledger.holders(asked, except, limit).map(({ key, taskId, node, mode }) => ({ key, taskId, node, mode })),
      );
    expect(named([], 10)).toEqual([
      { key: one, taskId: "one", node: "f:/a", mode: SHARED },
      { key: one, taskId: "one", node: "f:/a/c", mode: EXCLUSIVE },
      { key: two, taskId: "two", node: "f:", mode: SHARED },
    ]);
    expect(named([], 2).length).toBe(2);
    expect(named([one], 10).map(({ key }) => key)).toEqual([two]);
    expect(more > one).toBe(true);
  });
}

export function unitTests(it: AddTest): void {
  it("units are counted while they are held", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 5 });
    const key = world.hold({ taskId: "a", claims: [resolvedClaim("c:x", UNITS, 3)] });
    const other = world.hold({ taskId: "b", claims: [resolvedClaim("c:x", UNITS, 2)] });
    world.turn((ledger) => {
      expect(ledger.counter("c:x")?.used).toBe(5);
      expect(world.unitsHeld("c:x", key)).toBe(3);
      expect(world.unitsHeld("c:x", other)).toBe(2);
      const holders = ledger.holders(resolvedClaim("c:x", UNITS, 1), [key], 9);
      expect(holders.map(({ taskId, units }) => ({ taskId, units }))).toEqual([{ taskId: "b", units: 2 }]);
    });
    world.turn(() => world.letGo(key));
    world.turn((ledger) => expect(ledger.counter("c:x")?.used).toBe(2));
  });

  it("what an ancestor holds is not taken again", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 5 });
    const parent = world.hold({ taskId: "a", claims: [resolvedClaim("c:x", UNITS, 2)] });
    const inner = world.hold({ taskId: "b", ancestors: [parent], claims: [resolvedClaim("c:x", UNITS, 3)] });
    world.turn((ledger) => {
      expect(ledger.counter("c:x")?.used).toBe(3);
      expect(world.unitsHeld("c:x", inner)).toBe(3);
    });
    const covered = world.hold({ taskId: "c", ancestors: [parent], claims: [resolvedClaim("c:x", UNITS, 1)] });
    world.turn((ledger) => expect(ledger.counter("c:x")?.used).toBe(3));
    for (const key of [covered, inner, parent]) world.turn(() => world.letGo(key));
    world.turn((ledger) => expect(ledger.counter("c:x")?.used).toBe(0));
  });

  it("what a task and its requests hold counts for its other requests", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 9 });
    const parent = world.hold({ taskId: "a", claims: [resolvedClaim("c:x", UNITS, 2)] });
    const more = { kind: "request", parentKey: parent, ancestors: [parent] } as const;
    const one = world.hold({ taskId: "one", ...more, claims: [resolvedClaim("c:x", UNITS, 3)] });
    const two = world.hold({ taskId: "two", ...more, claims: [resolvedClaim("c:x", UNITS, 4)] });
    world.turn((ledger) => {
      expect(ledger.counter("c:x")?.used).toBe(4);
      expect([parent, one, two].map((key) => world.unitsHeld("c:x", key))).toEqual([2, 4, 4]);
    });
    for (const key of [one, two]) world.turn(() => world.letGo(key));
    world.turn((ledger) => expect(ledger.counter("c:x")?.used).toBe(2));
  });

  it("those inside a holder are known by what they hold or lean on, and take over what they lack when it lets go", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 5 });
    const parent = world.hold({ taskId: "a", claims: [resolvedClaim("c:x", UNITS, 2)] });
    const leaning = world.hold({ taskId: "b", ancestors: [parent], claims: [resolvedClaim("c:x", UNITS, 1)] });
    const taking = world.hold({ taskId: "c", ancestors: [parent], claims: [resolvedClaim("c:x", UNITS, 3)] });
    world.hold({ taskId: "d", claims: [resolvedClaim("c:x", UNITS, 1)] });
    world.hold({ taskId: "e", ancestors: [parent], claims: [resolvedClaim("f:/a", SHARED)] });
    world.turn((ledger) => {
      expect(keysOf(ledger.heldInside("c:x", parent))).toEqual([leaning, taking]);
      expect(keysOf(ledger.heldInside("c:x", leaning))).toEqual([]);
    });
    world.turn(() => world.letGo(parent));
    world.turn((ledger) => {
      expect(ledger.holders(resolvedClaim("c:x", UNITS), [], 9).map(({ taskId }) => taskId)).toEqual(["c", "d"]);
      expect([world.takeOver(leaning, "c:x"), world.takeOver(leaning, "c:x")]).toEqual([true, false]);
      expect([ledger.counter("c:x")?.used, world.unitsHeld("c:x", leaning)]).toEqual([3, 1]);
      expect([world.takeOver(taking, "c:x"), ledger.counter("c:x")?.used]).toEqual([true, 5]);
    });
    for (const key of [leaning, taking]) world.turn(() => world.letGo(key));
    world.turn((ledger) => expect(ledger.counter("c:x")?.used).toBe(1));
  });

  it("a member that several inside one holder use is free again with the last of them", (world, expect) => {
    world.declare({ node: "p:x", kind: "pool", capacity: 3, members: ["a", "b", "c"] });
    const parent = world.hold({ taskId: "a", claims: [resolvedClaim("p:x", UNITS, 1)] });
    const children = ["b", "c"].map((taskId) =>
      world.hold({ taskId, ancestors: [parent], claims: [resolvedClaim("p:x", UNITS, 1)] }),
    );
    const inner = world.hold({
      taskId: "i",
      ancestors: [...children, parent],
      claims: [resolvedClaim("p:x", UNITS, 2)],
    });
    const membersOf = (key: number) => world.turn((ledger) => ledger.get(key)?.members);
    expect([...children, inner].map(membersOf)).toEqual([{ "p:x": ["a"] }, { "p:x": ["a"] }, { "p:x": ["b", "a"] }]);
    world.turn(() => world.letGo(inner));
    world.turn(() => world.letGo(parent));
    world.turn(() => {
      for (const key of children) expect(world.takeOver(key, "p:x")).toBe(true);
    });
    const [one = 0, two = 0] = children;
    world.turn(() => world.letGo(one));
    const other = world.hold({ taskId: "d", claims: [resolvedClaim("p:x", UNITS, 1)] });
    expect([membersOf(two), membersOf(other)]).toEqual([{ "p:x": ["a"] }, { "p:x": ["b"] }]);
    world.turn(() => world.letGo(two));
    expect(membersOf(world.hold({ taskId: "e", claims: [resolvedClaim("p:x", UNITS, 1)] }))).toEqual({ "p:x": ["a"] });
  });

  it("of a pool the first free members that are not out of order are taken, each by one holder", (world, expect) => {
    world.declare({ node: "p:x", kind: "pool", capacity: 4, members: ["a", "b", "c", "d"] });
    const take = (taskId: string, units: number) =>
      world.hold({ taskId, claims: [resolvedClaim("p:x", UNITS, units)] });
    const [one, two] = [take("one", 2), take("two", 1)];
    const membersOf = (key: number) => world.turn((ledger) => ledger.get(key)?.members);
    expect([membersOf(one), membersOf(two)]).toEqual([{ "p:x": ["a", "b"] }, { "p:x": ["c"] }]);
    world.turn(() => world.letGo(one));
    expect(membersOf(one)).toEqual(null);
    expect(membersOf(take("three", 1))).toEqual({ "p:x": ["a"] });
    world.turn((ledger) => {
      const counter = ledger.counter("p:x");
      if (counter === undefined) return;
      counter.out = [{ member: "b", untilMs: 9 }];
      // Declared anew: what somebody holds is known by its name, wherever it stands in the list now.
      counter.members = ["z", "c", "b", "a", "d"];
      counter.declarations = [];
      ledger.putCounter(counter);
    });
    expect(membersOf(take("four", 2))).toEqual({ "p:x": ["z", "d"] });
  });

  it("what a row claims may change while it holds nothing, and is held from then on", (world, expect) => {
    const key = world.hold({ taskId: "one", claims: [resolvedClaim("f:/a", EXCLUSIVE)] });
    world.turn(() => world.letGo(key));
    const [other, own] = [resolvedClaim("f:/b", EXCLUSIVE), resolvedClaim("f:/a", EXCLUSIVE)];
    world.turn((ledger) => {
      const row = ledger.get(key);
      if (row === undefined) return;
      ledger.edit(row);
      ledger.reclaim(row, [other]);
      ledger.put(row);
    });
    world.turn(() => world.grant(key));
    world.turn((ledger) => {
      expect(ledger.get(key)?.claims).toEqual([other]);
      expect([ledger.conflict(own, []), ledger.conflict(other, [])]).toEqual([null, "f:/b"]);
    });
  });

  it("rates and limits are not held", (world, expect) => {
    world.declare({ node: "r:x", kind: "rate", capacity: 5 });
    world.hold({ taskId: "a", claims: [resolvedClaim("r:x", RATE, 3)] });
    world.turn((ledger) => {
      expect(ledger.counter("r:x")?.used).toBe(0);
      expect(ledger.holders(resolvedClaim("r:x", RATE), [], 9).length).toBe(0);
    });
  });
}
