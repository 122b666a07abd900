import fc from "fast-check";
import { expect, test } from "vitest";
import { textDiff } from "./text-diff.ts";

test("what goes and what comes is shown with a little around it", () => {
  const lines = Array.from({ length: 12 }, (_, index) => `line ${index}`);
  const after = lines.toSpliced(6, 1, "new", "newer");
  expect(textDiff(lines.join("\n"), after.join("\n"))).toEqual([
    "…",
    "  line 4",
    "  line 5",
    "- line 6",
    "+ new",
    "+ newer",
    "  line 7",
    "  line 8",
    "…",
  ]);
});

test("nothing is shown when nothing changes, and all when all does", () => {
  expect(textDiff("a\nb\n", "a\nb\n")).toEqual([]);
  expect(textDiff("", "a\n")).toEqual(["+ a"]);
  expect(textDiff("a\n", "")).toEqual(["- a"]);
});

test("what is shown makes the one text into the other", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", ""), { maxLength: 8 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const shown = textDiff(before.map((line) => `${line}\n`).join(""), after.map((line) => `${line}\n`).join(""));
      const count = (sign: string) => shown.filter((line) => line.startsWith(`${sign} `)).length;
      expect(count("+") - count("-")).toBe(after.length - before.length);
      expect(shown.length === 0).toBe(before.join("\n") === after.join("\n") && before.length === after.length);
    }),
  );
});
