import { expect, test } from "vitest";
import { MapLedger } from "../stores/memory/map-ledger.ts";
import { BOUNDS } from "./bounds.ts";
import type { Declaration } from "./command.ts";
import { DEFAULT_DECLARER, declare, standing } from "./counters.ts";
import type { Decision } from "./decision.ts";
import { turn } from "./turn.ts";

const said = (by: string, capacity: number, more: Partial<Declaration> = {}): Declaration => {
  return { by, capacity, authority: false, intervalMs: 0, members: [], ...more };
};

test("an authority wins over smaller numbers, the last one over the first", () => {
  expect(standing([said("a", 1), said("b", 5, { authority: true })])?.by).toBe("b");
  expect(standing([said("a", 3, { authority: true }), said("b", 5, { authority: true })])?.by).toBe("b");
});

test("what exists from the start never counts beside another number, in any order", () => {
  const standard = said(DEFAULT_DECLARER, 1);
  expect(standing([standard, said("a", 5)])?.by).toBe("a");
  expect(standing([said("a", 5), standard])?.by).toBe("a");
  expect(standing([standard])?.by).toBe(DEFAULT_DECLARER);
});

test("of two rates the slower counts", () => {
  expect(standing([said("a", 1, { intervalMs: 100 }), said("b", 1, { intervalMs: 500 })])?.by).toBe("b");
});

test("beyond the bound the most generous declaration is forgotten, never the one that counts", () => {
  const ledger = new MapLedger();
  const number = BOUNDS.declarationsPerResource;
  const commands = Array.from({ length: number + 20 }, (_, at) => {
    return {
      type: "declare",
      node: "c:x",
      kind: "capacity",
      capacity: 1_000 - at,
      by: `o${at}`,
      authority: false,
    } as const;
  });
  turn(ledger, { commands, nowMs: 0, callerId: "o0" });
  const counter = ledger.counter("c:x");
  expect(counter?.declarations).toHaveLength(number);
  expect(counter?.capacity).toBe(1_000 - number - 19);
});

test("to say the same again writes nothing and wakes nobody", () => {
  const ledger = new MapLedger();
  const command = { type: "declare", node: "c:x", kind: "capacity", capacity: 2, by: "a", authority: false } as const;
  turn(ledger, { commands: [command], nowMs: 0, callerId: "a" });
  const freed = new Set<string>();
  // The rest of a decision is not touched by a declaration.
  declare({ ledger, freed, effects: [] } as unknown as Decision, command);
  expect([...freed]).toEqual([]);
});
