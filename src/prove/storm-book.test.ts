/** The monitor sees what it must see, and accuses nobody else. */
import { expect, test } from "vitest";
import { Faults } from "./proof.ts";
import { StormBook } from "./storm-book.ts";

function judged(lines: readonly string[], alive: readonly number[] = []) {
  const faults = new Faults();
  const book = new StormBook({ faults, isAlive: ({ fence }) => alive.includes(fence) });
  // Cut at an awkward place, as a growing file is.
  const text = lines.map((line) => `${line}\n`).join("");
  book.read(text.slice(0, 10));
  book.read(text.slice(10));
  book.look();
  return { faults: faults.list(), overlaps: book.overlaps };
}

test("holders that end, or die without a word, before the next begins are innocent", () => {
  const lines = [
    "b 1 w/a 10 x:p:1",
    "t 1 w/a 10 -",
    "e 1 w/a 10 -",
    "b 2 w/b 11 x:p:1",
    "b 3 w/c 12 x:p/q:1,s:r:1",
    "b 4 w/d 13 s:r:1",
  ];
  expect(judged(lines, [3, 4])).toEqual({ faults: [], overlaps: 0 });
});

test("whoever acts after a conflicting holder began is seen, above and below too", () => {
  const lines = ["b 1 w/a 10 x:p:1", "b 2 w/b 11 s:p/q:1", "e 1 w/a 10 -"];
  expect(judged(lines)).toMatchObject({ overlaps: 1, faults: [expect.stringContaining("w/a (fence 1) acted on p")] });
});

test("whoever is only alive after a conflicting holder began is seen as well", () => {
  const lines = ["b 1 w/a 10 s:p:1", "b 2 w/b 11 x:p:1"];
  expect(judged(lines, [1])).toMatchObject({ overlaps: 1, faults: [expect.stringContaining("was alive")] });
});

test("units beyond the capacity are seen, up to it they are not", () => {
  const two = ["b 1 w/a 10 u:storm_units:2", "b 2 w/b 11 u:storm_units:1", "t 1 w/a 10 -"];
  expect(judged(two).overlaps).toBe(0);
  const three = [
    "b 1 w/a 10 u:storm_units:2",
    "b 2 w/b 11 u:storm_units:1",
    "b 3 w/c 12 u:storm_units:1",
    "t 1 w/a 10 -",
  ];
  expect(judged(three).overlaps).toBe(0);
  expect(judged([...three, "e 2 w/b 11 -"])).toMatchObject({
    overlaps: 1,
    faults: [expect.stringContaining("4 units")],
  });
});

test("a fence that comes twice, and one that comes after a higher one, are seen", () => {
  const twice = ["b 1 w/a 10 x:p:1", "e 1 w/a 10 -", "b 1 w/b 11 x:q:1"];
  expect(judged(twice).faults).toEqual([expect.stringContaining("Fence 1 began twice")]);
  const late = ["b 2 w/a 10 x:p:1", "e 2 w/a 10 -", "b 1 w/b 11 s:p/q:1"];
  expect(judged(late).faults).toEqual([expect.stringContaining("fence 1 on p/q after fence 2")]);
});
