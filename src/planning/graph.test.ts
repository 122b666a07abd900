import fc from "fast-check";
import { expect, test } from "vitest";
import { longestChains, Reachability, taskGraph } from "./graph.ts";
import { layoutOf } from "./layout.ts";

const diamond = taskGraph([
  { taskId: "a" },
  { taskId: "b", dependsOn: ["a"] },
  { taskId: "c", dependsOn: ["a", "a"] },
  { taskId: "d", dependsOn: ["b", "c", "nowhere"] },
]);

test("a diamond has three levels, four edges and an unknown dependency", () => {
  expect(diamond).toMatchObject({
    levels: [0, 1, 1, 2],
    edges: 4,
    cycle: null,
    unknown: [{ taskId: "d", dependsOn: "nowhere" }],
  });
});

test("a cycle is printed as one reads it, and tasks behind it are not blamed", () => {
  const { cycle } = taskGraph([
    { taskId: "behind", dependsOn: ["x"] },
    { taskId: "x", dependsOn: ["y"] },
    { taskId: "y", dependsOn: ["x"] },
  ]);
  expect(cycle).toEqual(["x", "y", "x"]);
  expect(taskGraph([{ taskId: "self", dependsOn: ["self"] }]).cycle).toEqual(["self", "self"]);
});

test("heads, tails and the critical path follow the longest chain", () => {
  const chains = longestChains(diamond, [1, 5, 2, 3]);
  expect(chains).toEqual({ headMs: [0, 1, 1, 6], tailMs: [8, 3, 3, 0], criticalPath: [0, 1, 3], criticalPathMs: 9 });
});

test("a layout gives every task a place of its own, after all it depends on", () => {
  const dag = fc.array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 30 }).map((lists) =>
    taskGraph(
      lists.map((list, index) => ({
        taskId: `t${index}`,
        dependsOn: index === 0 ? [] : list.map((number) => `t${number % index}`),
      })),
    ),
  );
  fc.assert(
    fc.property(dag, (graph) => {
      const { levels, height } = layoutOf(graph);
      const placed = levels.flat();
      expect(new Set(placed.map(({ level, row }) => `${level}:${row}`)).size).toBe(graph.taskIds.length);
      expect(Math.max(...placed.map(({ row }) => row))).toBe(height - 1);
      const levelOf = new Map(placed.map(({ taskId, level }) => [taskId, level]));
      const reachability = new Reachability(graph);
      for (const [place, list] of graph.before.entries()) {
        for (const earlier of list) {
          expect(levelOf.get(graph.taskIds[earlier] ?? "")).toBeLessThan(levelOf.get(graph.taskIds[place] ?? "") ?? 0);
          expect(reachability.reaches(earlier, place)).toBe(true);
          expect(reachability.reaches(place, earlier)).toBe(false);
        }
      }
    }),
  );
});

test("a layout uncrosses what can be uncrossed", () => {
  const { levels } = layoutOf(
    taskGraph([{ taskId: "a" }, { taskId: "b" }, { taskId: "x", dependsOn: ["b"] }, { taskId: "y", dependsOn: ["a"] }]),
  );
  const rowOf = new Map(levels.flat().map(({ taskId, row }) => [taskId, row]));
  expect((rowOf.get("a") ?? 0) < (rowOf.get("b") ?? 0)).toBe((rowOf.get("y") ?? 0) < (rowOf.get("x") ?? 0));
});
