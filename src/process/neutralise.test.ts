import fc from "fast-check";
import { expect, test } from "vitest";
import { neutralise } from "./neutralise.ts";

test.for([
  ["plain\ttext\nwith lines", "plain\ttext\nwith lines"],
  ["\u001b[31mred\u001b[0m", "red"],
  ["\u001b]0;title\u0007after", "after"],
  ["\u001b]52;c;ZXZpbA==\u001b\\after", "after"],
  ["\u001b]8;;http://evil\u001b\\link\u001b]8;;\u001b\\", "link"],
  ["\u001bP1;2q data\u001b\\after", "after"],
  ["\u009b31mred", "red"],
  ["\u009d0;t\u009cafter", "after"],
  ["\u001b]unterminated\nnext line stays", "\nnext line stays"],
  ["real\rfake", "realfake"],
  ["pass\b\b\b\bfail\u007f", "passfail"],
  ["\u001bcreset", "reset"],
  ["user\u202etxt.exe", "usertxt.exe"],
  ["\u001b\u001b[31m[31m", "[31m"],
  ["ünï😀", "ünï😀"],
] as const)("%#", ([given, shown]) => {
  expect(neutralise(given)).toBe(shown);
});

test("nothing that steers a terminal is left, whatever is given, and ordinary text is untouched", () => {
  const unit = fc.constantFrom(
    "\u001b",
    "[",
    "]",
    "P",
    "\u009b",
    "\u009d",
    "\u0007",
    "\\",
    "3",
    "m",
    ";",
    "a",
    "\n",
    "\r",
    "\u202e",
    "\u0000",
  );
  fc.assert(
    fc.property(
      fc.array(unit).map((units) => units.join("")),
      (text) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: looking for them is the purpose
        expect(neutralise(text)).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      },
    ),
  );
  fc.assert(fc.property(fc.string(), (text) => neutralise(text) === text.replaceAll("\u007f", "")));
});

test("a million unterminated sequences take no longer than their length asks", () => {
  expect(neutralise("\u001b]x".repeat(1_000_000))).toBe("");
  expect(neutralise("\u001b[1".repeat(1_000_000))).toBe("");
});
