import { describe, expect, it } from "vitest";
import { resolvedClaim, UNITS } from "../../core/claims.ts";
import type { Command } from "../../core/command.ts";
import { turn } from "../../core/turn.ts";
import { newOwner, newRow } from "../../testing/rows.ts";
import { MapLedger } from "./map-ledger.ts";

function worldWith(commands: readonly Command[]): MapLedger {
  const ledger = new MapLedger();
  for (const command of commands) {
    turn(ledger, { commands: [command], nowMs: 1, callerId: "alpha" });
    ledger.commit();
  }
  return ledger;
}

const declare = (capacity: number): Command => {
  return { type: "declare", node: "c:build", kind: "capacity", capacity, by: "file", authority: true };
};

describe("a turn of the memory ledger that is undone", () => {
  it("gives back the owner it dropped and the place it took", () => {
    const ledger = worldWith(
      ["alpha", "beta"].map((name) => ({ type: "owner-join", owner: newOwner({ ownerId: name }) })),
    );
    ledger.putPlace({ placeKey: "kept", rank: 1, untilMs: 9 });
    ledger.commit();
    ledger.dropOwner("beta");
    ledger.putOwner(newOwner({ beatAtMs: 77 }));
    ledger.dropPlace("kept");
    ledger.putPlace({ placeKey: "new", rank: 2, untilMs: 9 });
    ledger.undo();
    expect([...ledger.owners()].map(({ ownerId, beatAtMs }) => [ownerId, beatAtMs])).toEqual([
      ["alpha", 1],
      ["beta", 1],
    ]);
    expect(ledger.place("kept")?.rank).toBe(1);
    expect(ledger.place("new")).toBeUndefined();
  });

  it("keeps units that are out although the number was made smaller since", () => {
    const ledger = worldWith([
      { type: "owner-join", owner: newOwner() },
      declare(4),
      { type: "submit", row: newRow({ claims: [resolvedClaim("c:build", UNITS, 4)] }) },
      declare(2),
    ]);
    ledger.undo();
    expect(ledger.counter("c:build")).toMatchObject({ capacity: 2, used: 4 });
    const [holder] = ledger.rows();
    expect(holder && ledger.unitsHeld("c:build", holder)).toBe(4);
  });
});
