import { expect, test } from "vitest";
import { declareCommands, declareResources, describeDeclared, parseRate } from "./declared.ts";

const options = { by: "option resources", workspace: "ws", cores: 2 };

test("build exists from the start: one unit per four cores, at least one", () => {
  expect(declareResources(undefined, options).get("build")).toMatchObject({
    node: "c:build",
    capacity: 1,
    declaredBy: "default",
  });
  expect(declareResources({}, { ...options, cores: 16 }).get("build")?.capacity).toBe(4);
  expect(declareResources({ build: { capacity: 3 } }, options).get("build")).toMatchObject({
    capacity: 3,
    declaredBy: "option resources",
  });
});

test("pools and rates are read", () => {
  const declared = declareResources(
    {
      port: { pool: "3000-3009", env: "PORT" },
      dirs: { pool: ["a", "b"], scope: "workspace" },
      claude: { rate: "60/min", burst: 5 },
    },
    options,
  );
  expect(declared.get("port")).toMatchObject({ kind: "pool", capacity: 10, env: "PORT", node: "p:port" });
  expect(declared.get("dirs")).toMatchObject({ members: ["a", "b"], node: "p:ws:dirs" });
  expect(declared.get("claude")).toMatchObject({ kind: "rate", capacity: 5, intervalMs: 1_000 });
  expect([...declared.values()].map(describeDeclared)).toEqual([
    "1 unit",
    "10 members",
    "2 members",
    "1 every 1,000 ms, 5 at once",
  ]);
});

test("every fault is told, with its place", () => {
  const bad = {
    "a:b": { capacity: 1 },
    zero: { capacity: 0 },
    both: { capacity: 1, rate: "1/s" },
    none: {},
    slow: { rate: "fast" },
    text: "x",
    twice: { pool: ["a", "a"] },
    down: { pool: "9-3" },
    key: { capacity: 1, capactiy: 2 },
    env: { pool: "1-2", env: "A-B" },
    scope: { capacity: 1, scope: "cluster" },
  };
  expect(() => declareResources(bad as never, options)).toThrow(
    expect.objectContaining({
      code: "INVALID_OPTION",
      faults: Object.keys(bad).map((name) => expect.objectContaining({ where: `resources.${name}` })),
    }),
  );
});

test("a rate is units per second, minute or hour", () => {
  expect(["10/s", "60/min", "0.5/h", "0/s", "60", "1/day"].map(parseRate)).toEqual([
    100,
    1_000,
    7_200_000,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a store is told what is declared and by whom; what exists from the start belongs to nobody", () => {
  const declared = declareResources(
    { port: { pool: "1-2" }, claude: { rate: "60/min", burst: 5 } },
    { ...options, authority: true },
  );
  const said = { by: "owner-1", source: "option resources", authority: true };
  expect(declareCommands(declared.values(), "owner-1")).toEqual([
    {
      type: "declare",
      node: "c:build",
      kind: "capacity",
      capacity: 1,
      by: "default",
      source: "default",
      authority: false,
    },
    { type: "declare", node: "p:port", kind: "pool", capacity: 2, members: ["1", "2"], ...said },
    { type: "declare", node: "r:claude", kind: "rate", capacity: 5, intervalMs: 1_000, ...said },
  ]);
});
