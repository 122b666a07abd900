import fc from "fast-check";
import { expect, test } from "vitest";
import type { AgentResult } from "../core/task.ts";
import { parsePath, parseTemplate, putIn, templateAtRunTime, textOf } from "./template.ts";

const now = { keepsResults: false };
const later = { keepsResults: true };

function result(output: unknown): AgentResult {
  return { success: true, status: "succeeded", output } as unknown as AgentResult; // what a template may look at
}

test.each([
  ["{{file}}", ["file"]],
  ["{{ matrix.os }}", ["matrix", "os"]],
  ["{{results.list.output.files[0]}}", ["results", "list", "output", "files", 0]],
  ['{{results["a.b c"].output}}', ["results", "a.b c", "output"]],
  ["{{größe.名前}}", ["größe", "名前"]],
])("%s is read", (text, path) => {
  expect(parseTemplate(text)).toMatchObject({ parts: [{ path, text, index: 0 }], faults: [] });
});

test.each(["", ".a", "a.", "a..b", "a b", "a[", "a[x]", "a[-1]", "#each x", "a | upper", "1a"])(
  "%j is no path",
  (path) => {
    expect(parsePath(path)).toBeUndefined();
  },
);

test("a text that is one reference becomes the value itself", () => {
  expect(putIn("{{item}}", { item: { a: [1] } }, now)).toEqual({ a: [1] });
  expect(putIn("x{{item}}", { item: { a: [1] } }, now)).toBe('x{"a":[1]}');
  expect(putIn("{{a.b}}-{{a.c}}-{{n}}", { a: { b: true, c: 1.5 }, n: null }, now)).toBe("true-1.5-");
});

test("a backslash keeps the signs", () => {
  expect(putIn("\\{{file}} {{file}}", { file: "x" }, now)).toBe("{{file}} x");
});

test("only own members are found", () => {
  for (const text of ["{{item.constructor}}", "{{constructor}}", "{{item.__proto__}}", "{{item.length.x}}"]) {
    expect(() => putIn(text, { item: "x" }, now)).toThrow(/cannot be filled in/);
  }
});

test("results wait for the start", () => {
  const text = putIn("{{file}}: {{results.list.output.n}}", { file: "a" }, later);
  expect(text).toBe("a: {{results.list.output.n}}");
  expect(templateAtRunTime(text, { list: result({ n: 3 }) })).toBe("a: 3");
});

test("the name of a forEach task stands for the list of its members", () => {
  const results = { "docs[a]": result(1), "docs[b]": result("x"), other: result(2) };
  expect(templateAtRunTime("{{results.docs.output}}", results)).toEqual([1, "x"]);
  expect(templateAtRunTime("{{results.none.output}}", results, ["none"])).toEqual([]);
  expect(templateAtRunTime({ a: ["{{results.other.output}}"] }, results)).toEqual({ a: [2] });
});

test("a result that lacks what is asked for is told", () => {
  const fill = (text: string) => () => templateAtRunTime(text, { list: result({ n: 3 }) });
  expect(fill("{{results.list.output.files}}")).toThrow(expect.objectContaining({ code: "INVALID_CONTEXT" }));
  expect(fill("{{results.lost.output}}")).toThrow(/lost has no result/);
});

test("what is put in is never read as a template again", () => {
  const hostile = fc.string({
    unit: fc.constantFrom("{", "}", "\\", "a", ".", "{{", "}}", "{{results.x.output}}", "{{file}}"),
  });
  fc.assert(
    fc.property(hostile, hostile, (file, output) => {
      expect(textOf(putIn("{{file}}", { file }, now))).toBe(file);
      const kept = textOf(putIn("<{{file}}> {{results.x.output}}", { file }, later));
      expect(templateAtRunTime(kept, { x: result(output) })).toBe(`<${file}> ${output}`);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever is written, plain parts and references make the text again", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("{{", "}}", "{", "}", "a", ".", " ") }), (text) => {
      const { parts } = parseTemplate(text);
      expect(parts.map((part) => (typeof part === "string" ? part : part.text)).join("")).toBe(text);
    }),
  );
});
