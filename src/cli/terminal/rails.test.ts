import fc from "fast-check";
import { expect, test } from "vitest";
import { type RailNode, railsOf } from "./rails.ts";
import { styleOf } from "./style.ts";

const { signs } = styleOf({ isInteractive: false, hasColour: false, hasUnicode: true });
const draw = (nodes: readonly RailNode[], maxRails = 12) =>
  railsOf(nodes, { signs, maxRails })?.map((row) => row.trimEnd());

test("a fan comes together", () => {
  expect(draw([{ dependsOn: [] }, { dependsOn: [0] }, { dependsOn: [0] }, { dependsOn: [1, 2] }])).toEqual([
    "●",
    "├─●",
    "└─│─●",
    "●─┴─┘",
  ]);
});

test("a chain stays narrow", () => {
  expect(draw([{ dependsOn: [] }, { dependsOn: [0] }, { dependsOn: [1] }])).toEqual(["●", "└─●", "●─┘"]);
});

test("tasks without dependencies stand alone", () => {
  expect(draw([{ dependsOn: [] }, { dependsOn: [] }])).toEqual(["●", "●"]);
});

test("too many rails are not drawn at all", () => {
  const wide = Array.from({ length: 5 }, () => ({ dependsOn: [] as number[] }));
  expect(draw([...wide, { dependsOn: [0, 1, 2, 3, 4] }], 4)).toBeUndefined();
});

test("every row has one node and all rows one width", () => {
  const graphs = fc.array(fc.array(fc.nat(30), { maxLength: 3 }), { maxLength: 12 }).map((lists) =>
    lists.map((list, at) => ({
      dependsOn: [...new Set(list.map((value) => value % Math.max(1, at)))].filter((value) => value < at),
    })),
  );
  fc.assert(
    fc.property(graphs, (nodes) => {
      const rows = railsOf(nodes, { signs, maxRails: 100 }) ?? [];
      expect(rows).toHaveLength(nodes.length);
      for (const row of rows) expect(row.split("●")).toHaveLength(2);
      expect(new Set(rows.map((row) => row.length)).size).toBeLessThanOrEqual(1);
    }),
  );
});
