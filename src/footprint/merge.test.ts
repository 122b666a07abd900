import { expect, test } from "vitest";
import { BOUNDS } from "../core/bounds.ts";
import { pathClaims } from "./merge.ts";

const many = (count: number, path: (index: number) => string) => Array.from({ length: count }, (_, at) => path(at));

test("a few files are locked one by one", () => {
  expect(pathClaims(["a.ts", "src/b.ts"], "/repo")).toEqual([{ write: "/repo/a.ts" }, { write: "/repo/src/b.ts" }]);
});

test("many files are locked by the directories that hold them, and at last all of it", () => {
  expect(
    pathClaims(
      many(500, (at) => `src/p${at % 3}/f${at}.ts`),
      "/repo",
    ),
  ).toEqual([{ write: "/repo/src/p0" }, { write: "/repo/src/p1" }, { write: "/repo/src/p2" }]);
  expect(
    pathClaims(
      many(500, (at) => `d${at}/f.ts`),
      "/repo",
    ),
  ).toEqual([{ write: "/repo" }]);
});

test("what lies deeper than a path may be is locked by its directory", () => {
  const deep = `${"d/".repeat(60)}f.ts`;
  const [claim] = pathClaims([deep], "/repo");
  const levels = claim !== undefined && "write" in claim ? claim.write.split("/").length - 1 : 0;
  expect(levels).toBeGreaterThan(20);
  expect(levels).toBeLessThanOrEqual(BOUNDS.pathDepth);
});
