import fc from "fast-check";
import { expect, test } from "vitest";
import { comesAfter, findCycles, topologicalOrder } from "./graph.ts";

const graphOf = (edges: readonly (readonly [number, number])[], size: number) => {
  const graph = new Map<string, string[]>();
  for (let id = 0; id < size; id++) graph.set(`t${id}`, []);
  for (const [from, to] of edges) graph.get(`t${from % size}`)?.push(`t${to % size}`);
  return graph;
};

const anyGraph = fc
  .tuple(fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 60 }), fc.integer({ min: 1, max: 15 }))
  .map(([edges, size]) => graphOf(edges, size));

test("a cycle is named in the order of waiting", () => {
  const graph = new Map([
    ["a", ["c"]],
    ["b", ["a"]],
    ["c", ["b"]],
  ]);
  expect(findCycles(graph)).toEqual([["a", "c", "b"]]);
});

test("every cycle that is told is one, and none is told exactly when an order exists", () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const cycles = findCycles(graph);
      for (const cycle of cycles) {
        for (const [index, id] of cycle.entries()) expect(graph.get(id)).toContain(cycle[(index + 1) % cycle.length]);
      }
      expect(cycles.length === 0).toBe(topologicalOrder(graph).length === graph.size);
    }),
  );
});

test("in the order everything stands after what it waits for", () => {
  fc.assert(
    fc.property(anyGraph, (graph) => {
      const order = topologicalOrder(graph);
      for (const [at, id] of order.entries()) {
        for (const other of graph.get(id) ?? []) {
          expect(order.indexOf(other)).toBeLessThan(at);
          expect(comesAfter(graph, id, other)).toBe(true);
          expect(comesAfter(graph, other, id)).toBe(false);
        }
      }
    }),
  );
});

test("a chain of 20,000 tasks and its closing are found without recursion", () => {
  const chain = new Map(Array.from({ length: 20_000 }, (_, id) => [`t${id}`, id === 0 ? [] : [`t${id - 1}`]]));
  expect(topologicalOrder(chain)).toHaveLength(20_000);
  expect(findCycles(chain)).toEqual([]);
  expect(comesAfter(chain, "t19999", "t0")).toBe(true);
  chain.set("t0", ["t19999"]);
  expect(findCycles(chain)[0]).toHaveLength(20_000);
});

test("a ladder of diamonds is walked once a task, not once a way", () => {
  const ladder = new Map<string, string[]>([
    ["0a", []],
    ["0b", []],
  ]);
  for (let level = 1; level < 1_000; level++) {
    for (const side of ["a", "b"]) ladder.set(`${level}${side}`, [`${level - 1}a`, `${level - 1}b`]);
  }
  expect(findCycles(ladder)).toEqual([]);
  expect(comesAfter(ladder, "999a", "nowhere")).toBe(false);
});
