import fc from "fast-check";
import { getNodeValue } from "jsonc-parser";
import { expect, test } from "vitest";
import { addTo, childOf, readJson, removeFrom } from "./json-edit.ts";

function rootOf(text: string) {
  const read = readJson(text);
  if ("fault" in read) throw new Error(`${read.fault.what} at ${read.fault.index} of ${text}`);
  return read.root;
}

const dataOf = (text: string): unknown => getNodeValue(rootOf(text));
const added = (text: string, key = "list") =>
  addTo(text, childOf(rootOf(text), key) ?? rootOf(text), { name: null, value: { x: 1 } });

test.each([
  ['{"list": [1]}', '{"list": [1, {"x":1}]}'],
  ['{"list": []}', '{"list": [\n  {\n    "x": 1\n  }\n]}'],
  [
    '{\n\t"list": [\n\t\t1, // one\n\t\t2 // two\n\t] // end\n}',
    '{\n\t"list": [\n\t\t1, // one\n\t\t2, // two\n\t\t{\n\t\t\t"x": 1\n\t\t}\n\t] // end\n}',
  ],
  [
    '{\r\n    "list": [\r\n        1, /* tail */\r\n    ],\r\n}',
    '{\r\n    "list": [\r\n        1, /* tail */\r\n        {\r\n            "x": 1\r\n        },\r\n    ],\r\n}',
  ],
])("an element is added as its neighbours stand: %j", (before, after) => {
  expect(added(before)).toBe(after);
});

test("a member is added at the end", () => {
  const add = (text: string) => addTo(text, rootOf(text), { name: "b", value: true });
  expect(add("{}")).toBe('{\n  "b": true\n}');
  expect(add('{\n  "a": 1\n}\n')).toBe('{\n  "a": 1,\n  "b": true\n}\n');
  expect(add("{\n  // nothing yet\n}\n")).toBe('{\n  // nothing yet\n  "b": true\n}\n');
});

test("what is taken out leaves the comments", () => {
  const text = '{\n  "list": [\n    1, // one\n    2, // two\n    3 // three\n  ]\n}';
  const without = (index: number) => removeFrom(text, childOf(rootOf(text), "list") ?? rootOf(text), index);
  expect(without(0)).toBe('{\n  "list": [ // one\n    2, // two\n    3 // three\n  ]\n}');
  expect(dataOf(without(1))).toEqual({ list: [1, 3] });
  expect(without(1)).toContain("// two");
  expect(dataOf(without(2))).toEqual({ list: [1, 2] });
});

const space = fc.constantFrom("", "", " ", "\n", "\n  ", "\r\n\t", " // a\n", "/* b */", "\n // c, ] }\n  ");
const scalar = fc.constantFrom("1", '"s"', "null", "true", '"// no"', '{"k":[2]}');

/** A list of a few values with anything that may stand between them. */
const list = fc
  .tuple(fc.array(fc.tuple(space, scalar, space), { maxLength: 4 }), fc.boolean(), space)
  .map(([items, hasComma, end]) => {
    const body = items.map(([before, value, after]) => before + value + after).join(",");
    return `[${body}${hasComma && items.length > 0 ? "," : ""}${end}]`;
  });
const document = fc
  .tuple(space, list, space)
  .map(([before, text, after]) => `{"a": 0,${before}"list":${text}${after}}`);

test("whatever stands around it, an element comes and goes and nothing else does", () => {
  fc.assert(
    fc.property(document, (text) => {
      const before = dataOf(text) as { list: unknown[] };
      const more = added(text);
      expect(dataOf(more)).toEqual({ ...before, list: [...before.list, { x: 1 }] });
      const node = childOf(rootOf(more), "list");
      expect(dataOf(removeFrom(more, node ?? rootOf(more), before.list.length))).toEqual(before);
      expect(comments(more)).toEqual(comments(text));
    }),
    { numRuns: 500 },
  );
});

test("any element may be taken out", () => {
  fc.assert(
    fc.property(document, fc.nat(), (text, at) => {
      const before = dataOf(text) as { list: unknown[] };
      fc.pre(before.list.length > 0);
      const index = at % before.list.length;
      const rest = removeFrom(text, childOf(rootOf(text), "list") ?? rootOf(text), index);
      expect(dataOf(rest)).toEqual({ ...before, list: before.list.toSpliced(index, 1) });
      expect(comments(rest)).toEqual(comments(text));
    }),
    { numRuns: 500 },
  );
});

function comments(text: string): readonly string[] {
  return text.replaceAll('"// no"', "").match(/\/\/ a|\/\* b \*\/|\/\/ c/g) ?? [];
}

test("the first thing wrong is told with its place", () => {
  expect(readJson("{")).toEqual({ fault: { index: 1, what: "close brace expected" } });
  expect(readJson('{"a" 1}')).toEqual({ fault: { index: 5, what: "colon expected" } });
  expect(readJson("")).toMatchObject({ fault: { index: 0 } });
});
