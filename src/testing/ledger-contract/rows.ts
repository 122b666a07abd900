/** Rows: kept, found, undone. */
import { EXCLUSIVE, resolvedClaim, SHARED, UNITS } from "../../core/claims.ts";
import type { TaskRow } from "../../core/row.ts";
import { newRow, plainRow } from "../rows.ts";
import { type AddTest, type Change, keysOf, line } from "./fixture.ts";

export function rowTests(it: AddTest): void {
  it("a new row watches nothing, holds nothing and is found by key and by id", (world, expect) => {
    const key = world.insert({
      taskId: "a",
      queueTimeoutMs: 50,
      limits: ["l:x"],
      claims: [resolvedClaim("f:/a", EXCLUSIVE)],
      payload: { deep: [1] },
    });
    world.turn((ledger) => {
      const row = ledger.get(key);
      expect(row === undefined).toBe(false);
      expect(ledger.find("workflow", "a") === row).toBe(true);
      expect(ledger.get(key + 1)).toBe(undefined);
      expect(ledger.find("workflow", "b")).toBe(undefined);
      if (row === undefined) return;
      const {
        watch,
        watchMode,
        holdsClaims,
        holdsLimits,
        passed,
        fence,
        members,
        holderKey,
        dueAtMs,
        submittedAtMs,
        payload,
      } = row;
      expect({ watch, watchMode, holdsClaims, holdsLimits, passed, fence, members }).toEqual({
        watch: "",
        watchMode: 0,
        holdsClaims: false,
        holdsLimits: false,
        passed: 0,
        fence: 0,
        members: null,
      });
      expect({ holderKey, dueAtMs, submittedAtMs, payload }).toEqual({
        holderKey: key,
        dueAtMs: 1_050,
        submittedAtMs: 1_000,
        payload: { deep: [1] },
      });
    });
  });

  it("an id is given once", (world, expect) => {
    world.insert({ taskId: "a" });
    world.turn((ledger) => {
      expect(ledger.insert(newRow({ taskId: "a" }), ledger.nextKey(), 0)).toBe(undefined);
      expect(ledger.insert(newRow({ taskId: "b" }), ledger.nextKey(), 0) === undefined).toBe(false);
      expect(ledger.insert(newRow({ taskId: "b" }), ledger.nextKey(), 0)).toBe(undefined);
    });
  });

  it("a request's locks stand under the name of the task it belongs to", (world, expect) => {
    const key = world.insert({ taskId: "a" });
    const request = world.insert({ taskId: "r", kind: "request", parentKey: key });
    world.turn((ledger) => expect(ledger.get(request)?.holderKey).toBe(key));
  });

  it("one key is one object throughout a turn, however it is found", (world, expect) => {
    const key = world.wait({ taskId: "a" }, "f:/x", EXCLUSIVE);
    world.turn((ledger) => {
      const row = ledger.get(key);
      expect(ledger.head(line("f:/x", EXCLUSIVE), Number.NEGATIVE_INFINITY, 0) === row).toBe(true);
      expect(ledger.find("workflow", "a") === row).toBe(true);
      expect(ledger.rowsOf("alpha", 10, 0)[0] === row).toBe(true);
    });
  });

  it("what was put is there in later turns, field by field", (world, expect) => {
    const key = world.insert({ taskId: "a" });
    const change: Change = {
      ownerId: "beta",
      status: "needs_input",
      rank: -1.5,
      holdsLimits: true,
      watchSinceMs: 12.25,
      waitingSinceMs: 3,
      passed: 7,
      fence: 9_007_199_254_740_000,
      stop: "timed_out",
      quarantined: true,
      lockWaitMs: 0.5,
      admittedAtMs: 44,
      dueAtMs: 77,
    };
    world.change(key, change);
    world.turn((ledger) => {
      const row = ledger.get(key);
      for (const [field, value] of Object.entries(change)) expect(row?.[field as keyof TaskRow], field).toEqual(value);
    });
  });

  it("a turn can be undone: rows, holds, counts, keys and fences are as before", (world, expect) => {
    world.declare({ node: "c:x", kind: "capacity", capacity: 4 });
    const claims = [resolvedClaim("f:/a", EXCLUSIVE), resolvedClaim("c:x", UNITS, 2)];
    const key = world.insert({ taskId: "a", claims });
    const other = world.wait({ taskId: "b" }, "f:/a", EXCLUSIVE);
    const before = world.turn((ledger) => [ledger.get(key), ledger.get(other)].map((row) => row && plainRow(row)));
    world.open.undo(() => {
      const { ledger } = world.open;
      world.grant(key);
      world.put(other, { watch: "", watchMode: 0, passed: 3, status: "blocked" });
      ledger.insert(newRow({ taskId: "c" }), ledger.nextKey(), 0);
      ledger.nextFence();
      ledger.setLastNowMs(99_999);
    });
    world.turn((ledger) => {
      expect([ledger.get(key), ledger.get(other)].map((row) => row && plainRow(row))).toEqual(before);
      expect(ledger.conflict(resolvedClaim("f:/a", SHARED), [])).toBe(null);
      expect(ledger.counter("c:x")?.used).toBe(0);
      expect(ledger.find("workflow", "c")).toBe(undefined);
      expect(ledger.head(line("f:/a", EXCLUSIVE), Number.NEGATIVE_INFINITY, 0)?.key).toBe(other);
      expect(ledger.lastNowMs()).toBe(0);
      expect(ledger.nextKey()).toBe(other + 1);
    });
  });

  it("keys grow by one and fences grow, over turns too", (world, expect) => {
    const first = world.turn((ledger) => [ledger.nextKey(), ledger.nextKey(), ledger.nextFence(), ledger.nextFence()]);
    const then = world.turn((ledger) => [ledger.nextKey(), ledger.nextFence()]);
    const [key = 0, second, fence = 0, fenceAfter = 0] = first;
    expect([second, then[0]]).toEqual([key + 1, key + 2]);
    expect(fenceAfter).toBeGreaterThan(fence);
    expect(then[1] ?? 0).toBeGreaterThan(fenceAfter);
  });

  it("requests of a holder are the live ones, by key", (world, expect) => {
    const key = world.insert({ taskId: "a" });
    const requests = ["r1", "r2", "r3"].map((taskId) => world.insert({ taskId, kind: "request", parentKey: key }));
    world.insert({ taskId: "child", parentKey: key });
    world.change(requests[1] ?? 0, { status: "succeeded" });
    world.turn((ledger) => expect(keysOf(ledger.requestsOf(key))).toEqual([requests[0], requests[2]]));
  });

  it("rows that wait inside a holder are told apart from all others", (world, expect) => {
    const inside = world.wait({ taskId: "a", ancestors: [9] }, "f:/x", SHARED);
    world.wait({ taskId: "b" }, "f:/x", SHARED);
    world.insert({ taskId: "c", ancestors: [9] });
    world.turn((ledger) => expect(keysOf(ledger.waitingInside())).toEqual([inside]));
    world.change(inside, { watch: "", watchMode: 0 });
    world.turn((ledger) => expect(keysOf(ledger.waitingInside())).toEqual([]));
  });

  it("rows of an owner are its unfinished ones, by key, page by page", (world, expect) => {
    const keys = ["a", "b", "c", "d"].map((taskId) => world.insert({ taskId }));
    world.insert({ taskId: "e", ownerId: "beta" });
    world.change(keys[1] ?? 0, { status: "failed" });
    world.turn((ledger) => {
      expect(keysOf(ledger.rowsOf("alpha", 2, 0))).toEqual([keys[0], keys[2]]);
      expect(keysOf(ledger.rowsOf("alpha", 2, keys[2] ?? 0))).toEqual([keys[3]]);
      expect(keysOf(ledger.rowsOf("gamma", 2, 0))).toEqual([]);
    });
  });
}
