import fc from "fast-check";
import { expect, test } from "vitest";
import { editDistance, suggest } from "./suggest.ts";

test("a swap of neighbours is one step", () => {
  expect(editDistance("biuld", "build")).toBe(1);
  expect(suggest("biuld", ["port", "build", "claude"])).toBe("build");
});

test("case alone is forgiven", () => {
  expect(suggest("Build", ["guild", "build"])).toBe("build");
});

test("a word that is far from all gets no suggestion", () => {
  expect(suggest("database", ["build", "port"])).toBeUndefined();
  expect(suggest("x".repeat(10_000), ["build"])).toBeUndefined();
});

test("distance is symmetric, zero only between equals, and at most the longer length", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });
  fc.assert(
    fc.property(word, word, (a, b) => {
      const steps = editDistance(a, b);
      expect(steps).toBe(editDistance(b, a));
      expect(steps === 0).toBe(a === b);
      expect(steps).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
