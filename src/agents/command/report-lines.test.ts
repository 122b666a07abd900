import fc from "fast-check";
import { expect, test } from "vitest";
import { parseReport, ReportLines } from "./report-lines.ts";

function split(chunks: readonly Buffer[]) {
  const heard = { output: "", reports: [] as unknown[], malformed: [] as string[] };
  const pieces: Buffer[] = [];
  const lines = new ReportLines({
    output: (bytes) => pieces.push(Buffer.from(bytes)),
    report: (report) => heard.reports.push(report),
    malformed: (why) => heard.malformed.push(why),
  });
  for (const chunk of chunks) lines.push(chunk);
  lines.end();
  heard.output = Buffer.concat(pieces).toString();
  return heard;
}

test("wherever the bytes are cut, the same reports are heard and the same output is left", () => {
  const line = fc.constantFrom(
    "",
    "text",
    ":",
    "::",
    "::lockyard",
    "::lockyardx",
    "::lockyard {bad",
    '::lockyard {"progress":0.5}',
    ' ::lockyard {"progress":1}',
    "ü😀",
    'x::lockyard {"progress":1}',
  );
  const text = fc
    .tuple(fc.array(line, { maxLength: 8 }), fc.boolean())
    .map(([all, ends]) => all.join("\n") + (ends ? "\n" : ""));
  fc.assert(
    fc.property(text, fc.array(fc.integer({ min: 1, max: 15 })), (whole, sizes) => {
      const bytes = Buffer.from(whole);
      const chunks: Buffer[] = [];
      let at = 0;
      for (const size of sizes) {
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      chunks.push(bytes.subarray(at));
      const isReport = (one: string) => one === '::lockyard {"progress":0.5}';
      const kept = whole.split(/(?<=\n)/).filter((one) => !isReport(one.replace(/\n$/, "")));
      const heard = split(chunks);
      expect(heard.output).toBe(kept.join(""));
      expect(heard.reports).toHaveLength(whole.split("\n").filter(isReport).length);
      expect(heard.malformed).toHaveLength(whole.split("\n").filter((one) => one === "::lockyard {bad").length);
    }),
    { numRuns: 500 },
  );
});

test("a report line without end is given up at its bound, in bounded memory", () => {
  const chunk = Buffer.from("x".repeat(64 * 1024));
  const heard = split([
    Buffer.from("::lockyard "),
    ...Array.from({ length: 64 }, () => chunk),
    Buffer.from('\n::lockyard {"progress":1}\n'),
  ]);
  expect(heard.malformed).toEqual([expect.stringContaining("longer than")]);
  expect(heard.output).toHaveLength(11 + 64 * 64 * 1024 + 1);
  expect(heard.reports).toEqual([{ progress: 1 }]);
});

test("carriage returns before the newline do no harm", () => {
  expect(split([Buffer.from('::lockyard {"progress":1}\r\n')]).reports).toEqual([{ progress: 1 }]);
});

test("reports are parsed at the edge: what is wrong in them is refused or left out", () => {
  expect(parseReport('{"progress":2,"detail":"d"}')).toEqual({ detail: "d" });
  expect(parseReport('{"evidence":["a",{"b":1},2]}')).toEqual({ evidence: ["a", "2"] });
  expect(parseReport('{"result":null}')).toEqual({ result: null });
  expect(parseReport('{"error":"no"}')).toEqual({ error: { message: "no", retryable: false } });
  expect(parseReport('{"unknown":1}')).toMatch(/nothing known/);
  expect(parseReport(`{"result":${"[".repeat(100_000)}${"]".repeat(100_000)}}`)).toMatch(/deeper than 64/);
  expect(parseReport('{"result":{"__proto__":{"polluted":1}}}')).toMatch(/prototype/);
  for (const json of ["", "[]", "null", "1", "{"]) expect(parseReport(json)).toBeTypeOf("string");
});
