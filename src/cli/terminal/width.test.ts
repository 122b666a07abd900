import fc from "fast-check";
import { expect, test } from "vitest";
import { cut, pad, width, wrap } from "./width.ts";

test("wide characters take two columns, marks and colours none", () => {
  expect(["abc", "日本", "e\u0301", "\u001b[31mred\u001b[39m", "👍", ""].map(width)).toEqual([3, 4, 1, 3, 2, 0]);
});

test("a cut text is never wider than asked", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 30 }), (text, columns) => {
      expect(width(cut(text, columns))).toBeLessThanOrEqual(columns);
    }),
  );
});

test("a cut in the middle of a colour closes it", () => {
  expect(cut("\u001b[31mabcdef\u001b[39m", 4)).toBe("\u001b[31mabc…\u001b[0m");
  expect(cut("abc", 3)).toBe("abc");
});

test("padding goes by columns, not by characters", () => {
  expect(pad("日", 4)).toBe("日  ");
});

test("lines break between words and keep every word", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
      fc.integer({ min: 12, max: 40 }),
      (words, columns) => {
        const lines = wrap(words.join(" "), columns);
        expect(lines.join(" ")).toBe(words.join(" "));
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
      },
    ),
  );
});
