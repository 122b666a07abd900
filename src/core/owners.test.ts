import { describe, expect, it } from "vitest";
import { MapLedger } from "../stores/memory/map-ledger.ts";
import { newOwner, newRow } from "../testing/rows.ts";
import { LEASE } from "./bounds.ts";
import { EXCLUSIVE, resolvedClaim } from "./claims.ts";
import type { Command, Effect } from "./command.ts";
import { turn } from "./turn.ts";

function world(): (nowMs: number, ...commands: Command[]) => Effect[] {
  const ledger = new MapLedger();
  return (nowMs, ...commands) => {
    const effects = turn(ledger, { commands, nowMs, callerId: "beta" });
    ledger.commit();
    return effects;
  };
}

const join = (ownerId: string): Command => ({ type: "owner-join", owner: newOwner({ ownerId }) });
const gone = (isProven: boolean): Command => ({ type: "owner-gone", ownerId: "alpha", isProven });
const codes = (effects: readonly Effect[]): string[] => {
  return effects.map((effect) => (effect.type === "refused" ? effect.code : effect.type));
};

describe("an owner that is reported gone", () => {
  it("stays when it has beaten since it was judged, unless its death is proven", () => {
    const run = world();
    run(0, join("alpha"));
    run(LEASE.timeToLiveMs, { type: "owner-beat", ownerId: "alpha" });
    expect(codes(run(LEASE.timeToLiveMs + 500, gone(false)))).toEqual(["STALE_FENCE"]);
    expect(codes(run(LEASE.timeToLiveMs + 600, gone(true)))).toEqual(["owner-gone"]);
  });

  it("loses its place when its lease has lapsed", () => {
    const run = world();
    run(0, join("alpha"));
    expect(codes(run(LEASE.timeToLiveMs + 1, gone(false)))).toEqual(["owner-gone"]);
  });
});

describe("a suspended task", () => {
  it("does not stand in line before it has an owner again", () => {
    const run = world();
    run(0, join("alpha"), join("beta"));
    run(1, { type: "submit", row: newRow({ orphan: "suspend", status: "blocked" }) });
    expect(codes(run(2, gone(true)))).toEqual(["suspended", "owner-gone"]);
    expect(codes(run(3, { type: "enqueue", key: 1, rank: 0 }))).toEqual(["STALE_FENCE"]);
    expect(codes(run(4, { type: "enqueue", key: 1, rank: 0, ownerId: "beta" }))).toEqual(["admitted"]);
  });
});

describe("the place of a waiter that was cancelled", () => {
  it("is not lost to a submission that is refused", () => {
    const run = world();
    run(0, join("alpha"), join("beta"));
    const claims = [resolvedClaim("f:/src", EXCLUSIVE)];
    const row = (taskId: string, rank: number): Command => {
      return { type: "submit", row: newRow({ taskId, rank, claims, placeKey: "session" }) };
    };
    run(1, { type: "submit", row: newRow({ taskId: "holder", claims }) });
    run(2, row("first", 10), row("second", 20));
    run(3, { type: "cancel", key: 2, status: "cancelled", result: null });
    expect(codes(run(4, row("second", 40)))).toEqual(["DUPLICATE_TASK"]);
    const [submitted] = run(5, row("again", 50));
    expect(submitted).toMatchObject({ type: "submitted", row: { rank: 10 } });
  });
});
