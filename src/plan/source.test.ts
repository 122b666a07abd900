import fc from "fast-check";
import { expect, test } from "vitest";
import { readSource } from "./source.ts";

test("places are those of keys, values and characters", () => {
  const text = 'a:\n  b: [x, "y z"]\n  c: &anchor { d: 1.50 }\ne: *anchor\n"k": |\n  one {{x}}\n';
  const source = readSource(text, "plan.yaml");
  const place = (target: Parameters<typeof source.place>[0]) => {
    const { line, column } = source.place(target);
    return `${line}:${column}`;
  };
  expect(place({ path: ["a", "b"] })).toBe("2:6");
  expect(place({ path: ["a", "b"], at: "key" })).toBe("2:3");
  expect(place({ path: ["a", "b", 1] })).toBe("2:10");
  expect(place({ path: ["a", "b", 1], index: 2 })).toBe("2:13");
  expect(place({ path: ["e", "d"] })).toBe("3:19");
  expect(place({ path: ["k"], find: "{{x}}" })).toBe("6:7");
  expect(place({ path: ["a", "nothing", "there"] })).toBe("1:1");
  expect(source.spelling(["e", "d"])).toBe("1.50");
  expect(source.spelling(["a"])).toBeUndefined();
});

test("objects have no prototype, so no member is there by birth", () => {
  const { data } = readSource("constructor: { toString: 1 }", "plan.yaml");
  expect(Object.getPrototypeOf(data)).toBeNull();
  expect(JSON.stringify(data)).toBe('{"constructor":{"toString":1}}');
});

test("JSON is read as JSON", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
      const text = JSON.stringify({ value }, null, indent);
      fc.pre(!text.includes("__proto__") && !text.includes("\\u0000") && !/"<<":/.test(text));
      fc.pre(!/\d{16}|e[+-]?\d{2}/i.test(text)); // numbers that are no longer exact are refused
      const source = readSource(text, "plan.json");
      expect(source.faults.list()).toEqual([]);
      expect(JSON.stringify(source.data)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
});

test("whatever the text is, it is read or refused at a place", () => {
  const piece = fc.constantFrom(
    "a",
    ": ",
    "- ",
    "\n",
    "  ",
    "[",
    "]",
    "{",
    "}",
    ",",
    "'",
    '"',
    "&a ",
    "*a",
    "!t ",
    "|",
    ">",
    "#",
    "%",
    "?",
    "\t",
    "---\n",
    "{{x}}",
    "<<",
    "0x1",
    "\u0000",
    "\r\n",
    "é",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { faults } = readSource(pieces.join(""), "plan.yaml");
      for (const { where } of faults.list()) expect(where).toMatch(/^plan\.yaml:[1-9]\d*:[1-9]\d*$/);
    }),
    { numRuns: 1_000 },
  );
});

test("nesting is counted in whatever style it is written", () => {
  const open = fc.constantFrom("[", "{a: ", "- ", "? ", "[{b: ");
  fc.assert(
    fc.property(open, fc.integer({ min: 210, max: 2_000 }), (sign, levels) => {
      expect(readSource(sign.repeat(levels), "plan.yaml").faults.list()[0]?.what).toBe("nested deeper than 100 levels");
    }),
    { numRuns: 20 },
  );
});
